namespace Marl.Native.Rl;

/// <summary>
/// Acts for all agents of several environments at once: gathers what they see, runs the agent network one step, chooses, and carries the
/// recurrent state on. Environments whose episode is over are dropped from the batch; rows do not influence each other.
/// </summary>
public sealed class Controller
{
    private readonly Agent agent;
    private readonly Parameters parameters;
    private readonly FrozenParameters frozen;
    private readonly IActionSelector selector;
    private readonly Tape tape = new();
    private readonly Tensor sight, previous, state, fingerprints;
    private int count, step;

    /// <summary>For up to <paramref name="capacity"/> environments.</summary>
    public Controller(Agent agent, Parameters parameters, IActionSelector selector, EnvironmentSpec spec, int capacity)
    {
        (this.agent, this.parameters, this.selector) = (agent, parameters, selector);
        frozen = new FrozenParameters(parameters.Layout);
        sight = agent.Input.SeesState ? Tensor.Zeros(capacity, spec.StateSize) : Tensor.Zeros(capacity, agent.Agents, spec.ObservationSize);
        fingerprints = Tensor.Zeros(capacity, Fingerprint.Size);
        previous = Tensor.Zeros(capacity, agent.Agents);
        state = Tensor.Zeros(capacity, agent.Agents, agent.Hidden);
    }

    /// <summary>Begins episodes in <paramref name="environments"/> rows, with the parameters as they are now.</summary>
    public void Begin(int environments)
    {
        (count, step) = (environments, 0);
        state.Span.Clear();
        frozen.CopyFrom(parameters);
    }

    /// <summary>Chooses the joint action of the present row of every episode and writes it there.</summary>
    /// <param name="episodes">as many as there are rows.</param>
    /// <param name="exploration">see <see cref="IActionSelector"/>.</param>
    /// <param name="rngs">chance, one stream per row.</param>
    public void Act(ReadOnlySpan<Episode> episodes, float exploration, Span<Rng> rngs)
    {
        var (seen, prev, h, when) = (sight.Slice(0, count), previous.Slice(0, count), state.Slice(0, count), fingerprints.Slice(0, count));
        for (int row = 0; row < count; row++)
        {
            var episode = episodes[row];
            Span<float> into = seen[row].Span, fingerprint = when[row].Span;
            var source = agent.Input.SeesState ? episode.States : episode.Observations;
            source.AsSpan(episode.Length * into.Length, into.Length).CopyTo(into);
            (fingerprint[0], fingerprint[1]) = (episode.Fingerprint.Progress, episode.Fingerprint.Exploration);
        }
        using (tape.NoGrad())
        {
            var rows = agent.Input.SeesState ? seen.Reshape(1, count, seen.Shape[-1]) : seen.Reshape(1, count, agent.Agents, seen.Shape[-1]);
            var input = agent.Input.Build(tape, rows, step == 0 ? default : prev, when);
            var (output, _, after) = agent.Forward(tape.Freeze(frozen), tape.Constant(input), tape.Constant(h));
            after.Value.CopyTo(h);
            var values = output.Value.Span;
            for (int row = 0; row < count; row++)
            {
                var episode = episodes[row];
                var joint = episode.JointAction(episode.Length);
                var taken = prev[row].Span;
                for (int n = 0; n < agent.Agents; n++)
                {
                    var said = values.Slice((row * agent.Agents + n) * agent.Actions, agent.Actions);
                    var available = episode.AvailableTo(episode.Length, n);
                    (joint[n], episode.Probabilities[episode.Length * agent.Agents + n]) = selector.Select(said, available, exploration, ref rngs[row]);
                    taken[n] = joint[n];
                    if (episode.Policy.Length > 0)
                    {
                        selector.Probabilities(said, available, exploration, episode.Policy.AsSpan(n * agent.Actions, agent.Actions));
                    }
                }
            }
        }
        step++;
    }

    /// <summary>Drops a row; the last one takes its place. The caller moves its episodes and streams likewise.</summary>
    public void Drop(int row)
    {
        count--;
        state[count].CopyTo(state[row]);
        previous[count].CopyTo(previous[row]);
    }
}
