namespace Marl.Native.Rl;

/// <summary>
/// Selects the actions of all agents of several environments as one batch: gathers observations, runs the agent network for one step, selects actions, and
/// keeps the recurrent state. Environments whose episode has ended are dropped from the batch; rows are independent of each other. All members of an ensemble
/// run, and each agent's action comes from the member that it plays.
/// </summary>
internal sealed partial class Controller
{
    private readonly Actor[] actors;
    private readonly InferenceWeights[] weights;
    private readonly Tensor[] state, memory;
    private readonly Agent agent;
    private readonly Exploration selector;
    private readonly TanhPolicy? tanhPolicy;
    private readonly int[] branches;
    private readonly Tape tape = new();
    private readonly Tensor observations, states, fingerprints, continueMask;
    private readonly ActionRows previous;
    private int count, step;
    private bool segmented;

    /// <summary>Creates a controller of up to <paramref name="capacity"/> environments.</summary>
    /// <param name="actors">One network, or the members of an ensemble.</param>
    /// <param name="selector">Selects actions from the networks' outputs.</param>
    /// <param name="spec">The environments.</param>
    /// <param name="capacity">The maximum number of rows.</param>
    /// <param name="weights">Weights to share with another controller of the same actors; by default a copy of its own, see
    /// <see cref="UpdateWeights"/>.</param>
    public Controller(IReadOnlyList<Actor> actors, Exploration selector, EnvironmentSpec spec, int capacity, InferenceWeights[]? weights = null)
    {
        (this.actors, this.selector, agent) = ([.. actors], selector, actors[0].Agent);
        this.weights = weights ?? new InferenceWeights[actors.Count];
        for (int member = 0; member < this.weights.Length && weights is null; member++)
        {
            // Members may share one block of parameters.
            int same = Array.FindIndex(this.actors, actor => actor.Parameters == actors[member].Parameters);
            this.weights[member] = same < member ? this.weights[same] : new InferenceWeights(actors[member].Parameters.Layout);
        }
        state = [.. actors.Select(_ => Tensor.Zeros(capacity, agent.Agents, agent.StateSize))];
        var input = agent.Input;
        states = input.Contains(InputColumn.State) ? Tensor.Zeros(capacity, spec.StateSize) : default;
        observations = input.Contains(InputColumn.Observation) || states.IsNone ? Tensor.Zeros(capacity, agent.Agents, spec.ObservationSize) : default;
        fingerprints = Tensor.Zeros(capacity, Fingerprint.Size);
        continueMask = Tensor.Zeros(capacity, agent.Agents);
        var layout = agent.Layout;
        branches = [.. spec.Agents.Select(size => size.BranchCount)];
        tanhPolicy = layout.VectorSize > 0 ? new TanhPolicy(spec) : null;
        previous = new(layout.Branches > 0 ? Tensor.Zeros(capacity, agent.Agents, layout.Branches) : default,
            layout.VectorSize > 0 ? Tensor.Zeros(capacity, agent.Agents, layout.VectorSize) : default);
        memory = [.. ((Tensor[])[previous.Indices, previous.Vectors, .. state]).Where(x => !x.IsNone)];
    }

    /// <summary>The weights of each actor as of the last <see cref="UpdateWeights"/>. Controllers on other threads may share them.</summary>
    public InferenceWeights[] Weights => weights;

    /// <summary>Copies the actors' parameters. Call it before the first episode, and after the parameters have changed.</summary>
    public void UpdateWeights()
    {
        for (int member = 0; member < actors.Length; member++)
        {
            if (member == 0 || Array.IndexOf(weights, weights[member]) == member)
            {
                weights[member].CopyFrom(actors[member].Parameters);
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

    /// <summary>Begins segments in <paramref name="environments"/> rows. Each row must then be begun (<see cref="BeginRow"/>) or resumed
    /// (<see cref="ResumeRow"/>).</summary>
    internal void BeginSegments(int environments)
    {
        Begin(environments);
        segmented = true;
    }

    /// <summary>Selects the joint action of the current step of every episode and writes it to the episode.</summary>
    /// <param name="episodes">One episode per row.</param>
    /// <param name="exploration">The exploration rate, see <see cref="Exploration"/>; of continuous actions <see cref="TanhPolicy"/>.</param>
    /// <param name="rngs">One random number generator per row.</param>
    /// <param name="outputs">Receives the network's outputs of the first row [N, A], each agent's from the member that it plays; may be empty.</param>
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
                    SelectActions(episodes[row], member, output.Span.Slice(row * agent.Agents * agent.Actions), row, exploration, ref rngs[row]);
                }
            }
        }
        if (segmented)
        {
            continueMask.Slice(0, count).Span.Fill(1f);
        }
        step++;
    }

    /// <summary>Computes the outputs of the only row without selecting an action or changing the recurrent state.</summary>
    /// <param name="episode">The episode of the row.</param>
    /// <param name="outputs">Receives the outputs [N, A], each agent's from the member that it plays.</param>
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

    /// <summary>Sets the previous actions of the only row.</summary>
    public void SetLastActions(JointAction actions)
    {
        for (int n = 0; n < agent.Agents; n++)
        {
            SetLastAction(row: 0, n, actions.Branches(n), tanhPolicy is null ? [] : actions.Vector(n));
        }
    }

    /// <summary>Sets the previous action of an agent in a row.</summary>
    private void SetLastAction(int row, int n, ReadOnlySpan<int> choices, ReadOnlySpan<float> vector)
    {
        int first = row * agent.Agents + n;
        for (int branch = 0; branch < choices.Length; branch++)
        {
            previous.Indices.Span[first * choices.Length + branch] = choices[branch];
        }
        if (!vector.IsEmpty)
        {
            vector.CopyTo(previous.Vectors.Span[(first * vector.Length)..]);
        }
    }

    /// <summary>Builds the network's input from the current step of every row.</summary>
    private InputRows Gather(ReadOnlySpan<Episode> episodes)
    {
        var when = fingerprints.Slice(0, count);
        for (int row = 0; row < count; row++)
        {
            var episode = episodes[row];
            Gather(episode.Observations, episode.Length, observations, row);
            Gather(episode.States, episode.Length, states, row);
            var fingerprint = when[row].Span;
            (fingerprint[0], fingerprint[1]) = (episode.Fingerprint.Progress, episode.Fingerprint.Exploration);
        }
        var last = step == 0 && !segmented ? default : previous.Slice(0, count);
        return agent.Input.Build(tape, new InputSource(OneStep(observations), OneStep(states), Actions: default, last, when)
        {
            ContinueMask = segmented ? continueMask.Slice(0, count).Reshape(1, count, agent.Agents) : default,
        });
    }

    /// <summary>Computes a member's outputs [1, B, N, A] and the recurrent state [B, N, H] after the step.</summary>
    private (Tensor Output, Tensor After) Forward(int member, in InputRows input)
    {
        var (output, _, after) = actors[member].Agent.Forward(tape.Detached(weights[member]), input, tape.Constant(state[member].Slice(0, count)));
        return (output.Value, after.Value);
    }

    /// <summary>Copies the outputs of the first row's agents that play a member.</summary>
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

    /// <summary>Copies row t of an episode, if the network reads it.</summary>
    private static void Gather(ReadOnlySpan<float> source, int t, Tensor target, int row)
    {
        if (!target.IsNone)
        {
            var into = target[row].Span;
            source.Slice(t * into.Length, into.Length).CopyTo(into);
        }
    }

    /// <summary>Returns the rows in use as one step, [1, B, ..].</summary>
    private Tensor OneStep(Tensor x) => x.IsNone ? x
        : x.Shape.Rank == 2 ? x.Slice(0, count).Reshape(1, count, x.Shape[1]) : x.Slice(0, count).Reshape(1, count, x.Shape[1], x.Shape[2]);

    /// <summary>Selects the actions of the agents that play a member from its outputs [N, A].</summary>
    private void SelectActions(Episode episode, int member, ReadOnlySpan<float> values, int batchRow, float exploration, ref Rng rng)
    {
        int row = episode.Length;
        var layout = agent.Layout;
        var members = episode.Members;
        var policy = episode.Find(Column.Policy) is ColumnData<float> column ? column.Row(row) : default;
        for (int n = 0; n < agent.Agents; n++)
        {
            if (actors.Length > 1 && members[n] != member)
            {
                continue;
            }
            var output = values.Slice(n * agent.Actions, agent.Actions);
            var available = episode.AvailableActions(row, n);
            var choices = episode.BranchesAt(row, n);
            float probability = 1f;
            for (int branch = 0; branch < choices.Length; branch++)
            {
                var own = output[layout.Branch(branch)];
                var mask = available[layout.Branch(branch)];
                (choices[branch], float p) = branch < branches[n] ? selector.Select(own, mask, exploration, ref rng) : (0, 1f);
                probability *= p;
                if (policy.Length > 0)
                {
                    selector.Probabilities(own, mask, exploration, policy.Slice(n * agent.Actions, agent.Actions)[layout.Branch(branch)]);
                }
            }
            var vector = tanhPolicy is null ? [] : episode.ContinuousAction(row, n);
            tanhPolicy?.Act(n, output[layout.VectorStart..], exploration, ref rng, vector);
            if (choices.Length > 0)
            {
                episode.ProbabilitiesAt(row)[n] = probability;
            }
            SetLastAction(batchRow, n, choices, vector);
        }
    }

    /// <summary>Drops a row and moves the last row to its place. The caller does the same with its episodes and generators.</summary>
    public void Drop(int row)
    {
        count--;
        foreach (var x in memory)
        {
            x[count].CopyTo(x[row]);
        }
        continueMask[count].CopyTo(continueMask[row]);
    }
}
