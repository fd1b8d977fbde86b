using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>
/// A multi-agent environment with simultaneous actions: in every step each agent selects an action, until the episode terminates or is truncated.
/// </summary>
/// <remarks>
/// An instance holds one episode at a time. It takes random numbers only from the generator that is passed to it and writes into spans, so a step does not
/// have to allocate. <see cref="EnvironmentChecker"/> tests an implementation. An environment that owns unmanaged resources, such as a process, implements
/// <see cref="IDisposable"/>: training disposes of it and runs evaluations in the training environments instead of creating new ones.
/// </remarks>
/// <example>
/// A game in which each agent is rewarded for repeating the symbol that it observes:
/// <code>
/// public sealed class Echo : IEnvironment
/// {
///     private readonly int[] symbols = new int[2];
///     public EnvironmentSpec Spec { get; } = EnvironmentSpec.Uniform("echo", agents: 2, observationSize: 1, actionCount: 3, episodeLimit: 1, snapshotSize: 2);
///     public void Reset(ref Rng rng) => (symbols[0], symbols[1]) = (rng.NextInt(3), rng.NextInt(3));
///     public void Observe(int agent, Span&lt;float&gt; observation) => observation[0] = symbols[agent];
///     public StepResult Step(JointAction actions, Span&lt;double&gt; rewards, ref Rng rng)
///     {
///         (rewards[0], rewards[1]) = (actions[0] == symbols[0] ? 1 : 0, actions[1] == symbols[1] ? 1 : 0);
///         return StepResult.Terminated;
///     }
///     public void Save(Span&lt;double&gt; snapshot) => (snapshot[0], snapshot[1]) = (symbols[0], symbols[1]);
///     public void Restore(ReadOnlySpan&lt;double&gt; snapshot) => (symbols[0], symbols[1]) = ((int)snapshot[0], (int)snapshot[1]);
/// }
/// </code>
/// </example>
public interface IEnvironment
{
    /// <summary>The specification of the environment; always the same object.</summary>
    EnvironmentSpec Spec { get; }

    /// <summary>Begins a new episode.</summary>
    /// <param name="rng">The random number generator of the environment.</param>
    void Reset(ref Rng rng);

    /// <summary>Advances the episode by one joint action.</summary>
    /// <param name="actions">The action of each agent: an index, or one per branch; a vector within its <see cref="AgentSpec.Box"/>; or both.</param>
    /// <param name="rewards">[N] Receives the reward of each agent.</param>
    /// <param name="rng">The random number generator of the environment.</param>
    /// <returns>Whether the episode continues, terminated or was truncated.</returns>
    StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng);

    /// <summary>Writes the current observation of an agent.</summary>
    /// <param name="agent">The index of the agent, 0 .. N - 1.</param>
    /// <param name="observation">[<see cref="AgentSpec.ObservationSize"/>] Receives the observation.</param>
    void Observe(int agent, Span<float> observation);

    /// <summary>Writes the global state, which centralized training may use; by default the concatenated observations of all agents.</summary>
    /// <param name="state">[<see cref="EnvironmentSpec.StateSize"/>] Receives the state.</param>
    void ReadState(Span<float> state)
    {
        int start = 0;
        for (int agent = 0; agent < Spec.Agents.Length; agent++)
        {
            int size = Spec.Agents[agent].ObservationSize;
            Observe(agent, state.Slice(start, size));
            start += size;
        }
    }

    /// <summary>Writes which actions of an agent are available: at least one of each branch, by default all. Continuous actions are always
    /// available.</summary>
    /// <param name="agent">The index of the agent, 0 .. N - 1.</param>
    /// <param name="available">[<see cref="AgentSpec.ActionCount"/>] Receives the mask: the choices of branch 0, of branch 1, .., and the elements of the
    /// vector.</param>
    void ReadAvailable(int agent, Span<bool> available) => available.Fill(true);

    /// <summary>Writes the complete state of the episode, everything on which future steps depend.</summary>
    /// <param name="snapshot">[<see cref="EnvironmentSpec.SnapshotSize"/>] Receives the state.</param>
    void Save(Span<double> snapshot);

    /// <summary>Restores a state that <see cref="Save"/> wrote, in this or in another instance with the same specification.</summary>
    /// <param name="snapshot">[<see cref="EnvironmentSpec.SnapshotSize"/>] The state.</param>
    void Restore(ReadOnlySpan<double> snapshot);
}

/// <summary>Whether an episode continues after a step.</summary>
public enum StepResult
{
    /// <summary>The episode continues.</summary>
    Running,
    /// <summary>The episode reached a terminal state, whose value is 0.</summary>
    Terminated,
    /// <summary>The episode was cut off, by a time limit for example. The last state has a value, from which targets are bootstrapped.</summary>
    Truncated,
}

/// <summary>
/// The observation space, the action space and the team of an agent. An action is an index, <c>new AgentSpec(8, 5)</c>; a vector,
/// <c>new AgentSpec(8, 2, Box: new(-1, 1))</c>; an index in each of several branches, <c>new AgentSpec(8, [3, 5])</c>; or both,
/// <c>new AgentSpec(8, [3], VectorSize: 2, Box: new(-1, 1))</c>.
/// </summary>
/// <param name="ObservationSize">The length of its observation.</param>
/// <param name="ActionCount">The number of its discrete actions, or the length of a continuous action; of an action with several parts the sum over all
/// branches and the vector.</param>
/// <param name="Team">The index of its team, at least 0. The agents of a team have a common goal; rewards are never summed across teams.</param>
/// <param name="Box">The bounds of continuous actions; null if there are none.</param>
[method: JsonConstructor]
public readonly record struct AgentSpec(int ObservationSize, int ActionCount, int Team = 0, ActionBox? Box = null)
{
    /// <summary>Creates an agent whose actions have several parts.</summary>
    /// <param name="ObservationSize">The length of its observation.</param>
    /// <param name="Branches">The number of choices of each discrete branch.</param>
    /// <param name="VectorSize">The length of the continuous part; 0: there is none.</param>
    /// <param name="Team">The index of its team, at least 0.</param>
    /// <param name="Box">The bounds of the continuous part.</param>
    public AgentSpec(int ObservationSize, int[] Branches, int VectorSize = 0, int Team = 0, ActionBox? Box = null)
        : this(ObservationSize, Branches.Sum() + VectorSize, Team, Box) => this.Branches = Branches.Length == (Box is null ? 1 : 0) ? null : Branches;

    /// <summary>The number of choices of each discrete branch, if an action has several parts; null: it is one index, or a vector if there is a
    /// <see cref="Box"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int[]? Branches { get; init; }

    /// <summary>The name of the agent; null if it has none. Agents that differ in their names only are equal.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>The number of discrete branches: 1 if an action is an index, 0 if it is a vector.</summary>
    public int BranchCount => Branches?.Length ?? (Box is null ? 1 : 0);

    /// <summary>The length of the continuous part; 0 if there is none.</summary>
    public int VectorSize => Box is null ? 0 : ActionCount - (Branches?.Sum() ?? 0);

    /// <summary>Returns the number of choices of a branch.</summary>
    public int BranchSize(int branch) => Branches is null ? ActionCount : Branches[branch];

    /// <summary>Returns the elements of a branch in the agent's mask [<see cref="ActionCount"/>].</summary>
    internal Range Branch(int branch)
    {
        int start = 0;
        for (int before = 0; before < branch; before++)
        {
            start += BranchSize(before);
        }
        return start..(start + BranchSize(branch));
    }

    /// <summary>Whether a mask [<see cref="ActionCount"/>] has an available action in every branch.</summary>
    internal bool CanAct(ReadOnlySpan<bool> available)
    {
        for (int branch = 0; branch < BranchCount; branch++)
        {
            if (!available[Branch(branch)].Contains(true))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Whether the spaces and the team are the same.</summary>
    public bool Equals(AgentSpec other)
    {
        bool equal = (ObservationSize, ActionCount, Team, Box, BranchCount) == (other.ObservationSize, other.ActionCount, other.Team, other.Box, other.BranchCount);
        for (int branch = 0; equal && branch < BranchCount; branch++)
        {
            equal = BranchSize(branch) == other.BranchSize(branch);
        }
        return equal;
    }

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(ObservationSize, ActionCount, Team, Box, BranchCount);

    /// <summary>Returns what is wrong with the action space; null if it is valid.</summary>
    internal string? ActionProblem()
    {
        long choices = 0;
        for (int branch = 0; branch < BranchCount; branch++)
        {
            choices += BranchSize(branch);
            if (BranchSize(branch) < 1)
            {
                return Branches is null ? "it has no actions" : $"branch {branch} has {BranchSize(branch)} choices";
            }
        }
        return Branches is { Length: 0 } ? "it has an empty list of branches"
            : Box is { } box && !(float.IsFinite(box.Low) && float.IsFinite(box.High) && box.Low < box.High) ? "its Box is empty or unbounded"
            : choices + (Box is null ? 0 : 1) > ActionCount || Box is null && choices < ActionCount ? $"its parts do not have {ActionCount} elements together"
            : null;
    }
}

/// <summary>The specification of an environment: its agents, the sizes of observations, actions, state and snapshot, and the episode limit. It never
/// changes.</summary>
/// <example>
/// Two agents with different observations and four actions each, in one team with a common reward:
/// <code>
/// var spec = new EnvironmentSpec
/// {
///     Id = "duel",
///     Agents = [new AgentSpec(ObservationSize: 10, ActionCount: 4), new AgentSpec(ObservationSize: 6, ActionCount: 4)],
///     StateSize = 16,
///     EpisodeLimit = 100,
///     SnapshotSize = 9,
///     Reward = RewardMode.Mean,
/// };
/// </code>
/// </example>
public sealed record EnvironmentSpec
{
    /// <summary>The id. For built-in environments <see cref="Catalog.CreateEnvironment"/> creates the same environment from it.</summary>
    public required string Id { get; init; }

    /// <summary>[N] The agents.</summary>
    public required AgentSpec[] Agents { get; init; }

    /// <summary>The length of the global state; 0 if there is none.</summary>
    public required int StateSize { get; init; }

    /// <summary>How the reward of a team is computed from the rewards of its agents: the sum; the mean if all agents receive the same reward; individual if
    /// the agents have no common reward.</summary>
    public RewardMode Reward { get; init; } = RewardMode.Sum;

    /// <summary>The maximum number of steps of an episode.</summary>
    public required int EpisodeLimit { get; init; }

    /// <summary>The length of a snapshot.</summary>
    public required int SnapshotSize { get; init; }

    /// <summary>The length of the longest observation, to which the observations of all agents are padded.</summary>
    public int ObservationSize => LongestObservation(Agents);

    /// <summary>The layout of the actions of all agents.</summary>
    public ActionLayout ActionLayout => ActionLayout.Of(Agents);

    /// <summary>A, the size of <see cref="ActionLayout"/>: the largest <see cref="AgentSpec.ActionCount"/>, if all actions have one part.</summary>
    public int ActionCount => ActionLayout.Size;

    /// <summary>Returns whether both specifications are equal, including their agents.</summary>
    public bool IsEquivalentTo(EnvironmentSpec other) => other with { Agents = Agents } == this && other.Agents.AsSpan().SequenceEqual(Agents);

    /// <summary>The distinct team indices, in ascending order.</summary>
    public int[] Teams => [.. Agents.Select(a => a.Team).Distinct().Order()];

    /// <summary>Returns the length of the longest observation; does not allocate.</summary>
    internal static int LongestObservation(ReadOnlySpan<AgentSpec> agents)
    {
        int longest = 0;
        foreach (ref readonly var agent in agents)
        {
            longest = Math.Max(longest, agent.ObservationSize);
        }
        return longest;
    }

    /// <summary>Returns "agent 'name'", or "agent '0'" if it has no name.</summary>
    internal string NameOf(int agent) => $"agent '{Agents[agent].Name ?? $"{agent}"}'";

    /// <summary>Creates a specification of identical agents in one team, whose global state is the concatenation of their observations.</summary>
    /// <param name="id">The id.</param>
    /// <param name="agents">N, the number of agents.</param>
    /// <param name="observationSize">The length of an observation.</param>
    /// <param name="actionCount">The number of actions of each agent.</param>
    /// <param name="episodeLimit">The maximum number of steps of an episode.</param>
    /// <param name="snapshotSize">The length of a snapshot.</param>
    /// <exception cref="UsageException">The state has more elements than an array can hold.</exception>
    public static EnvironmentSpec Uniform(string id, int agents, int observationSize, int actionCount, int episodeLimit, int snapshotSize) => new()
    {
        Id = id,
        Agents = [.. Enumerable.Repeat(new AgentSpec(observationSize, actionCount), agents)],
        StateSize = (long)agents * observationSize <= Array.MaxLength ? agents * observationSize
            : throw new UsageException($"environment '{id}': the state, the observations of {agents} agents of {observationSize} elements each, " +
                "is more than an array can hold"),
        EpisodeLimit = episodeLimit,
        SnapshotSize = snapshotSize,
    };
}
