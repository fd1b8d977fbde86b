namespace Marl.Native.Rl;

/// <summary>
/// Acts for all agents of several environments at once: gathers what they see, runs the agent network one step, chooses, and carries the
/// recurrent state on. Environments whose episode is over are dropped from the batch; rows do not influence each other. Of an ensemble every member runs, and
/// an agent does what the member says that it plays.
/// </summary>
internal sealed class Controller
{
    private readonly Actor[] actors;
    private readonly FrozenParameters[] frozen;
    private readonly Tensor[] state;
    private readonly Agent agent;
    private readonly Exploration selector;
    private readonly BoxPolicy? box;
    private readonly Tape tape = new();
    private readonly Tensor observations, states, previous, fingerprints;
    private int count, step;

    /// <summary>For up to <paramref name="capacity"/> environments.</summary>
    public Controller(IReadOnlyList<Actor> actors, Exploration selector, EnvironmentSpec spec, int capacity)
    {
        (this.actors, this.selector, agent) = ([.. actors], selector, actors[0].Agent);
        frozen = [.. actors.Select(actor => new FrozenParameters(actor.Parameters.Layout))];
        state = [.. actors.Select(_ => Tensor.Zeros(capacity, agent.Agents, agent.StateSize))];
        var input = agent.Input;
        states = input.Reads(InputColumn.State) ? Tensor.Zeros(capacity, spec.StateSize) : default;
        observations = input.Reads(InputColumn.Observation) || states.IsNone ? Tensor.Zeros(capacity, agent.Agents, spec.ObservationSize) : default;
        fingerprints = Tensor.Zeros(capacity, Fingerprint.Size);
        box = spec.IsContinuous ? new BoxPolicy(spec) : null;
        previous = box is null ? Tensor.Zeros(capacity, agent.Agents) : Tensor.Zeros(capacity, agent.Agents, agent.Actions);
    }

    /// <summary>From now on it acts with the parameters as they are now. To be called before the first episode, and whenever they have changed.</summary>
    public void Freeze()
    {
        for (int member = 0; member < actors.Length; member++)
        {
            frozen[member].CopyFrom(actors[member].Parameters);
        }
    }

    /// <summary>Begins episodes in <paramref name="environments"/> rows.</summary>
    public void Begin(int environments)
    {
        (count, step) = (environments, 0);
        foreach (var h in state)
        {
            h.Span.Clear();
        }
    }

    /// <summary>Chooses the joint action of the present row of every episode and writes it there.</summary>
    /// <param name="episodes">as many as there are rows.</param>
    /// <param name="exploration">see <see cref="Exploration"/>, or <see cref="BoxPolicy"/> where actions are numbers.</param>
    /// <param name="rngs">chance, one stream per row.</param>
    public void Act(ReadOnlySpan<Episode> episodes, float exploration, Span<Rng> rngs)
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
        using (tape.NoGrad())
        {
            var input = agent.Input.Build(tape, new InputSource(OneStep(observations), OneStep(states), Actions: default, step == 0 ? default : prev, when));
            for (int member = 0; member < actors.Length; member++)
            {
                var h = state[member].Slice(0, count);
                var (output, _, after) = actors[member].Agent.Forward(tape.Freeze(frozen[member]), input, tape.Constant(h));
                after.Value.CopyTo(h);
                for (int row = 0; row < count; row++)
                {
                    Choose(episodes[row], member, output.Value.Span.Slice(row * agent.Agents * agent.Actions), prev[row].Span, exploration, ref rngs[row]);
                }
            }
        }
        step++;
    }

    /// <summary>Copies row t of an episode, if anything reads it.</summary>
    private static void Gather(float[] source, int t, Tensor target, int row)
    {
        if (!target.IsNone)
        {
            var into = target[row].Span;
            source.AsSpan(t * into.Length, into.Length).CopyTo(into);
        }
    }

    /// <summary>[1, B, ..] the rows that are in use.</summary>
    private Tensor OneStep(Tensor x) => x.IsNone ? x
        : x.Shape.Rank == 2 ? x.Slice(0, count).Reshape(1, count, x.Shape[1]) : x.Slice(0, count).Reshape(1, count, x.Shape[1], x.Shape[2]);

    /// <summary>Chooses for the agents that play a member, of what it says [N, A] of all.</summary>
    private void Choose(Episode episode, int member, ReadOnlySpan<float> values, Span<float> taken, float exploration, ref Rng rng)
    {
        var choices = episode.Choices(episode.Length);
        for (int n = 0; n < agent.Agents; n++)
        {
            if (actors.Length > 1 && episode.Members[n] != member)
            {
                continue;
            }
            var said = values.Slice(n * agent.Actions, agent.Actions);
            if (box is not null)
            {
                var vector = episode.Vector(episode.Length, n);
                box.Act(n, said, exploration, ref rng, vector);
                vector.CopyTo(taken[(n * agent.Actions)..]);
                continue;
            }
            var available = episode.AvailableTo(episode.Length, n);
            (choices[n], episode.Probabilities[episode.Length * agent.Agents + n]) = selector.Select(said, available, exploration, ref rng);
            taken[n] = choices[n];
            if (episode.Policy.Length > 0)
            {
                selector.Probabilities(said, available, exploration, episode.Policy.AsSpan(n * agent.Actions, agent.Actions));
            }
        }
    }

    /// <summary>Length of what <see cref="Save"/> writes.</summary>
    public int MemorySize => 1 + previous.Span.Length + state.Sum(h => h.Span.Length);

    /// <summary>Writes what it remembers of all episodes: the steps taken, the last actions and the recurrent state.</summary>
    public void Save(Span<double> memory)
    {
        int end = 0;
        memory[end++] = step;
        foreach (float action in previous.Span)
        {
            memory[end++] = action;
        }
        foreach (var h in state)
        {
            foreach (float x in h.Span)
            {
                memory[end++] = x;
            }
        }
    }

    /// <summary>Puts back what <see cref="Save"/> wrote.</summary>
    public void Restore(ReadOnlySpan<double> memory)
    {
        int end = 0;
        step = (int)memory[end++];
        foreach (ref float action in previous.Span)
        {
            action = (float)memory[end++];
        }
        foreach (var h in state)
        {
            foreach (ref float x in h.Span)
            {
                x = (float)memory[end++];
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
    }
}
