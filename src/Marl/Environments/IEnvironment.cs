using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>
/// A multi-agent environment: the agents act at once, step by step, until the episode terminates or is truncated. A user implements
/// this interface in one file; EnvironmentChecker tells whether it was done right.
/// An instance holds one episode at a time, draws only from the generator that it is handed and writes into the spans it is given,
/// so a step need not allocate. One that holds something outside of memory, a process for example, is <see cref="IDisposable"/>: training
/// then disposes of it at the end, and plays evaluations in the environments that it has instead of making new ones.
/// </summary>
public interface IEnvironment
{
    /// <summary>Everything about the environment that never changes.</summary>
    EnvironmentSpec Spec { get; }

    /// <summary>Begins a new episode.</summary>
    void Reset(ref Rng rng);

    /// <summary>Advances by one joint action.</summary>
    /// <param name="actions">what every agent does: an index in 0 .. Actions - 1, or numbers within its box.</param>
    /// <param name="rewards">[N] receives each agent's own reward.</param>
    /// <param name="rng">for chance moves.</param>
    StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng);

    /// <summary>Writes what <paramref name="agent"/> sees now.</summary>
    /// <param name="agent">0 .. N - 1.</param>
    /// <param name="observation">[Observation] of that agent.</param>
    void Observe(int agent, Span<float> observation);

    /// <summary>Writes the global state [<see cref="EnvironmentSpec.StateSize"/>], which centralised training may use. By default
    /// the agents' observations, one after the other.</summary>
    void ReadState(Span<float> state)
    {
        int start = 0;
        for (int agent = 0; agent < Spec.Agents.Length; agent++)
        {
            int size = Spec.Agents[agent].Observation;
            Observe(agent, state.Slice(start, size));
            start += size;
        }
    }

    /// <summary>Writes which actions <paramref name="agent"/> may take now; at least one. By default all, as it has to be where actions are numbers.</summary>
    void ReadAvailable(int agent, Span<bool> available) => available.Fill(true);

    /// <summary>Writes everything that the future depends on, [<see cref="EnvironmentSpec.SnapshotSize"/>] numbers.</summary>
    void Save(Span<double> snapshot);

    /// <summary>Puts back what <see cref="Save"/> wrote, also into another instance of the same specification.</summary>
    void Restore(ReadOnlySpan<double> snapshot);
}

/// <summary>How a step left the episode.</summary>
public enum StepResult
{
    /// <summary>It goes on.</summary>
    Running,
    /// <summary>It came to its own end: there is no future to value.</summary>
    Terminated,
    /// <summary>It was cut off, by a time limit for example: the future that is not seen still has a value.</summary>
    Truncated,
}

/// <summary>What one agent sees and may do.</summary>
/// <param name="Observation">length of its observation.</param>
/// <param name="Actions">how many actions it chooses from; with a box, how many numbers an action of it is.</param>
/// <param name="Team">agents with the same number pursue a common goal; rewards are never summed across teams.</param>
/// <param name="Box">where actions are numbers: their bounds. None: it chooses among actions. All agents of an environment are of one kind.</param>
public readonly record struct AgentSpec(int Observation, int Actions, int Team = 0, ActionBox? Box = null)
{
    /// <summary>What the environment calls the agent; null if it has no name. Two agents that differ in the name alone are equal.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>Whether both see and do the same.</summary>
    public bool Equals(AgentSpec other) => (Observation, Actions, Team, Box) == (other.Observation, other.Actions, other.Team, other.Box);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Observation, Actions, Team, Box);
}

/// <summary>Everything about an environment that never changes.</summary>
public sealed record EnvironmentSpec
{
    /// <summary>Its id, which builds the same environment again.</summary>
    public required string Id { get; init; }

    /// <summary>[N] the agents.</summary>
    public required AgentSpec[] Agents { get; init; }

    /// <summary>Length of the global state.</summary>
    public required int StateSize { get; init; }

    /// <summary>What a team's reward is: the sum of its agents', or their mean where everyone receives the same payoff; individual where agents
    /// have no reward in common.</summary>
    public RewardMode Reward { get; init; } = RewardMode.Sum;

    /// <summary>Most steps an episode can have.</summary>
    public required int EpisodeLimit { get; init; }

    /// <summary>Length of a snapshot.</summary>
    public required int SnapshotSize { get; init; }

    /// <summary>The longest observation: what agents' rows are padded to.</summary>
    public int ObservationSize => Largest(Agents).Observation;

    /// <summary>The most actions, or the most numbers of an action: what agents' rows are padded to; padding is unavailable.</summary>
    public int ActionCount => Largest(Agents).Actions;

    /// <summary>Whether actions are numbers and not choices.</summary>
    public bool IsContinuous => Agents[0].Box is not null;

    /// <summary>Whether all is alike, agent by agent.</summary>
    public bool IsLike(EnvironmentSpec other) => other with { Agents = Agents } == this && other.Agents.AsSpan().SequenceEqual(Agents);

    /// <summary>The numbers of the teams that there are, the least first.</summary>
    public int[] Teams => [.. Agents.Select(a => a.Team).Distinct().Order()];

    /// <summary>The longest observation and the most actions, without garbage.</summary>
    internal static (int Observation, int Actions) Largest(ReadOnlySpan<AgentSpec> agents)
    {
        var (observation, actions) = (0, 0);
        foreach (ref readonly var agent in agents)
        {
            (observation, actions) = (Math.Max(observation, agent.Observation), Math.Max(actions, agent.Actions));
        }
        return (observation, actions);
    }

    /// <summary>A specification of <paramref name="count"/> like agents whose state is all their observations.</summary>
    public static EnvironmentSpec Uniform(string id, int count, int observation, int actions, int episodeLimit, int snapshotSize) => new()
    {
        Id = id,
        Agents = [.. Enumerable.Repeat(new AgentSpec(observation, actions), count)],
        StateSize = count * observation,
        EpisodeLimit = episodeLimit,
        SnapshotSize = snapshotSize,
    };
}
