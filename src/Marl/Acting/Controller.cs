namespace Marl.Native.Rl;

/// <summary>
/// Acts for all agents of several environments at once: gathers their observations, runs the agent network one step, chooses actions, and carries the
/// recurrent state on. Environments whose episode is over are dropped from the batch; rows do not influence each other. Of an ensemble every member runs, and
/// an agent acts by the member that it plays.
/// </summary>
internal sealed partial class Controller
{
    private readonly Actor[] actors;
    private readonly InferenceWeights[] frozen;
    private readonly Tensor[] state;
    private readonly Agent agent;
    private readonly Exploration selector;
    private readonly TanhPolicy? box;
    private readonly Tape tape = new();
    private readonly Tensor observations, states, previous, fingerprints, continueMask;
    private int count, step;
    private bool segmented;

    /// <summary>For up to <paramref name="capacity"/> environments.</summary>
    /// <param name="actors">one, or the members of an ensemble.</param>
    /// <param name="selector">how actions are chosen.</param>
    /// <param name="spec">the environments.</param>
    /// <param name="capacity">rows that there is room for.</param>
    /// <param name="weights">those of another controller for the same actors, which are shared and stay as they are; by default its own, see <see cref="UpdateWeights"/>.</param>
    public Controller(IReadOnlyList<Actor> actors, Exploration selector, EnvironmentSpec spec, int capacity, InferenceWeights[]? weights = null)
    {
        (this.actors, this.selector, agent) = ([.. actors], selector, actors[0].Agent);
        frozen = weights ?? new InferenceWeights[actors.Count];
        for (int member = 0; member < frozen.Length && weights is null; member++)
        {
            // Members may have their weights in one block.
            int same = Array.FindIndex(this.actors, actor => actor.Parameters == actors[member].Parameters);
            frozen[member] = same < member ? frozen[same] : new InferenceWeights(actors[member].Parameters.Layout);
        }
        state = [.. actors.Select(_ => Tensor.Zeros(capacity, agent.Agents, agent.StateSize))];
        var input = agent.Input;
        states = input.Reads(InputColumn.State) ? Tensor.Zeros(capacity, spec.StateSize) : default;
        observations = input.Reads(InputColumn.Observation) || states.IsNone ? Tensor.Zeros(capacity, agent.Agents, spec.ObservationSize) : default;
        fingerprints = Tensor.Zeros(capacity, Fingerprint.Size);
        continueMask = Tensor.Zeros(capacity, agent.Agents);
        box = spec.IsContinuous ? new TanhPolicy(spec) : null;
        previous = box is null ? Tensor.Zeros(capacity, agent.Agents) : Tensor.Zeros(capacity, agent.Agents, agent.Actions);
    }

    /// <summary>The weights that each actor acts with, as of the last <see cref="UpdateWeights"/>. Controllers on other threads may share them.</summary>
    public InferenceWeights[] Weights => frozen;

    /// <summary>From now on it acts with the parameters as they are now. To be called before the first episode, and whenever they have changed.</summary>
    public void UpdateWeights()
    {
        for (int member = 0; member < actors.Length; member++)
        {
            if (member == 0 || Array.IndexOf(frozen, frozen[member]) == member)
            {
                frozen[member].CopyFrom(actors[member].Parameters);
            }
        }
    }

    /// <summary>Begins episodes in <paramref name="environments"/> rows.</summary>
    public void Begin(int environments)
    {
        (count, step, segmented) = (environments, 0, false);
        foreach (var h in state)
        {
            h.Span.Clear();
        }
    }

    /// <summary>Begins segments in <paramref name="environments"/> rows; each row is then begun or resumed by itself.</summary>
    internal void BeginSegments(int environments)
    {
        Begin(environments);
        segmented = true;
    }

    /// <summary>Chooses the joint action of the present row of every episode and writes it there.</summary>
    /// <param name="episodes">as many as there are rows.</param>
    /// <param name="exploration">see <see cref="Exploration"/>, or <see cref="TanhPolicy"/> where actions are continuous.</param>
    /// <param name="rngs">random numbers, one stream per row.</param>
    /// <param name="outputs">[N, A] receives the outputs of the first row, each agent's from the member that it plays; may be empty.</param>
    public void Act(ReadOnlySpan<Episode> episodes, float exploration, Span<Rng> rngs, Span<float> outputs = default)
    {
        using (tape.NoGrad())
        {
            var input = Gather(episodes);
            for (int member = 0; member < actors.Length; member++)
            {
                var (output, after) = Forward(member, input);
                after.CopyTo(state[member].Slice(0, count));
                CopyOutputs(episodes[0], member, output, outputs);
                for (int row = 0; row < count; row++)
                {
                    Choose(episodes[row], member, output.Span.Slice(row * agent.Agents * agent.Actions), previous[row].Span, exploration, ref rngs[row]);
                }
            }
        }
        if (segmented)
        {
            continueMask.Slice(0, count).Span.Fill(1f);
        }
        step++;
    }

    /// <summary>The outputs that <see cref="Act"/> would choose from in the only row; nothing is chosen, and the recurrent state stays.</summary>
    /// <param name="episode">of that row.</param>
    /// <param name="outputs">[N, A] receives them, each agent's from the member that it plays.</param>
    public void Outputs(in Episode episode, Span<float> outputs)
    {
        using (tape.NoGrad())
        {
            var input = Gather(new ReadOnlySpan<Episode>(in episode));
            for (int member = 0; member < actors.Length; member++)
            {
                CopyOutputs(episode, member, Forward(member, input).Output, outputs);
            }
        }
    }

    /// <summary>Replaces the last actions of the only row, for agents that see them.</summary>
    public void SetLastActions(JointAction actions)
    {
        var last = previous[0].Span;
        for (int n = 0; n < agent.Agents; n++)
        {
            if (box is null)
            {
                last[n] = actions[n];
                continue;
            }
            actions.Vector(n).CopyTo(last[(n * agent.Actions)..]);
        }
    }

    /// <summary>The input of the present rows.</summary>
    private InputRows Gather(ReadOnlySpan<Episode> episodes)
    {
        var (prev, when) = (previous.Slice(0, count), fingerprints.Slice(0, count));
        for (int row = 0; row < count; row++)
        {
            var episode = episodes[row];
            Gather(episode.Observations, episode.Length, observations, row);
            Gather(episode.States, episode.Length, states, row);
            var fingerprint = when[row].Span;
            (fingerprint[0], fingerprint[1]) = (episode.Fingerprint.Progress, episode.Fingerprint.Exploration);
        }
        return agent.Input.Build(tape, new InputSource(OneStep(observations), OneStep(states), Actions: default, step == 0 && !segmented ? default : prev, when)
        {
            ContinueMask = segmented ? continueMask.Slice(0, count).Reshape(1, count, agent.Agents) : default,
        });
    }

    /// <summary>A member's outputs [1, B, N, A] and the recurrent state [B, N, H] after the step.</summary>
    private (Tensor Output, Tensor After) Forward(int member, in InputRows input)
    {
        var (output, _, after) = actors[member].Agent.Forward(tape.Detached(frozen[member]), input, tape.Constant(state[member].Slice(0, count)));
        return (output.Value, after.Value);
    }

    /// <summary>Copies the outputs of the agents that play a member in the first row.</summary>
    private void CopyOutputs(Episode episode, int member, Tensor output, Span<float> outputs)
    {
        for (int n = 0; n < agent.Agents && !outputs.IsEmpty; n++)
        {
            if (actors.Length == 1 || episode.Members[n] == member)
            {
                output.Span.Slice(n * agent.Actions, agent.Actions).CopyTo(outputs[(n * agent.Actions)..]);
            }
        }
    }

    /// <summary>Copies row t of an episode, if anything reads it.</summary>
    private static void Gather(ReadOnlySpan<float> source, int t, Tensor target, int row)
    {
        if (!target.IsNone)
        {
            var into = target[row].Span;
            source.Slice(t * into.Length, into.Length).CopyTo(into);
        }
    }

    /// <summary>[1, B, ..] the rows that are in use.</summary>
    private Tensor OneStep(Tensor x) => x.IsNone ? x
        : x.Shape.Rank == 2 ? x.Slice(0, count).Reshape(1, count, x.Shape[1]) : x.Slice(0, count).Reshape(1, count, x.Shape[1], x.Shape[2]);

    /// <summary>Chooses for the agents that play a member, from its output [N, A] for all.</summary>
    private void Choose(Episode episode, int member, ReadOnlySpan<float> values, Span<float> taken, float exploration, ref Rng rng)
    {
        int row = episode.Length;
        var choices = episode.Choices(row);
        var members = episode.Members;
        var policy = episode.Find(Column.Policy) is ColumnData<float> column ? column.Row(row) : default;
        for (int n = 0; n < agent.Agents; n++)
        {
            if (actors.Length > 1 && members[n] != member)
            {
                continue;
            }
            var output = values.Slice(n * agent.Actions, agent.Actions);
            if (box is not null)
            {
                var action = episode.ContinuousAction(row, n);
                box.Act(n, output, exploration, ref rng, action);
                action.CopyTo(taken[(n * agent.Actions)..]);
                continue;
            }
            var available = episode.AvailableTo(row, n);
            (choices[n], episode.ProbabilitiesAt(row)[n]) = selector.Select(output, available, exploration, ref rng);
            taken[n] = choices[n];
            if (policy.Length > 0)
            {
                selector.Probabilities(output, available, exploration, policy.Slice(n * agent.Actions, agent.Actions));
            }
        }
    }

    /// <summary>Drops a row; the last one takes its place. The caller moves its episodes and streams likewise.</summary>
    public void Drop(int row)
    {
        count--;
        foreach (var h in state)
        {
            h[count].CopyTo(h[row]);
        }
        previous[count].CopyTo(previous[row]);
        continueMask[count].CopyTo(continueMask[row]);
    }
}
