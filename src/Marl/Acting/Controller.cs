namespace Marl.Native.Rl;

/// <summary>
/// Acts for all agents of several environments at once: gathers their observations, runs the agent network one step, chooses actions, and carries the
/// recurrent state on. Environments whose episode is over are dropped from the batch; rows do not influence each other. Of an ensemble every member runs, and
/// an agent acts by the member that it plays.
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
    private readonly Tensor observations, states, previous, fingerprints, continueMask;
    private int count, step;
    private bool segmented;

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
        continueMask = Tensor.Zeros(capacity, agent.Agents);
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

    /// <summary>An episode begins in a row of segments: the state is reset, and there is no previous action.</summary>
    internal void BeginRow(int row)
    {
        foreach (var h in state)
        {
            h[row].Span.Clear();
        }
        previous[row].Span.Clear();
        continueMask[row].Span.Clear();
    }

    /// <summary>Saves the state and the previous actions of a row of segments.</summary>
    /// <param name="row">which.</param>
    /// <param name="memory">[<see cref="RowSize"/>]</param>
    internal void SaveRow(int row, Span<float> memory)
    {
        previous[row].Span.CopyTo(memory);
        int end = previous[row].Count;
        foreach (var h in state)
        {
            h[row].Span.CopyTo(memory[end..]);
            end += h[row].Count;
        }
    }

    /// <summary>Resumes an episode in a row of segments, as <see cref="SaveRow"/> left it.</summary>
    internal void ResumeRow(int row, ReadOnlySpan<float> memory)
    {
        var last = previous[row].Span;
        memory[..last.Length].CopyTo(last);
        memory = memory[last.Length..];
        foreach (var h in state)
        {
            memory[..h[row].Count].CopyTo(h[row].Span);
            memory = memory[h[row].Count..];
        }
        continueMask[row].Span.Fill(1f);
    }

    /// <summary>Writes the state and the actions before the first row of a segment into it.</summary>
    internal void RecordStart(int row, Episode segment)
    {
        var actions = segment.Ints(Segment.ActionsBefore).All;
        for (int n = 0; n < actions.Length; n++)
        {
            actions[n] = (int)previous[row].Span[n];
        }
        if (agent.StateColumn is { } column)
        {
            state[0][row].Span.CopyTo(segment.Floats(column).All);
        }
    }

    /// <summary>Length of what <see cref="SaveRow"/> writes.</summary>
    internal int RowSize => previous[0].Count + state.Sum(h => h[0].Count);

    /// <summary>Chooses the joint action of the present row of every episode and writes it there.</summary>
    /// <param name="episodes">as many as there are rows.</param>
    /// <param name="exploration">see <see cref="Exploration"/>, or <see cref="BoxPolicy"/> where actions are continuous.</param>
    /// <param name="rngs">random numbers, one stream per row.</param>
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
            var input = agent.Input.Build(tape, new InputSource(OneStep(observations), OneStep(states), Actions: default, step == 0 && !segmented ? default : prev, when)
            {
                ContinueMask = segmented ? continueMask.Slice(0, count).Reshape(1, count, agent.Agents) : default,
            });
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
        if (segmented)
        {
            continueMask.Slice(0, count).Span.Fill(1f);
        }
        step++;
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

    /// <summary>Length of what <see cref="Save"/> writes.</summary>
    public int MemorySize => 1 + previous.Span.Length + state.Sum(h => h.Span.Length);

    /// <summary>Writes the memory of all episodes: the steps taken, the last actions and the recurrent state.</summary>
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
        continueMask[count].CopyTo(continueMask[row]);
    }
}
