namespace Marl.Native.Rl;

/// <summary>
/// A column of experience: what is kept for every row of an episode, or once per episode. An <see cref="Episode"/> stores it, an <see cref="EpisodeBatch"/> shows
/// it as a tensor. All have those that are listed here; an algorithm that needs another declares it (<see cref="Objective.Columns"/>) and reads it by
/// <see cref="EpisodeBatch.this[Column]"/>. A column is told from others by identity: keep it in a static field.
/// </summary>
public sealed class Column
{
    private readonly int? width;
    private readonly Func<EnvironmentSpec, int>? widthOf;

    /// <summary>A column of <paramref name="width"/> elements per row, and per agent with <see cref="PerAgent"/>; none: one element.</summary>
    /// <param name="name">of it in checkpoints and errors.</param>
    /// <param name="width">elements; none: one, without an axis of its own.</param>
    public Column(string name, int? width = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfNegative(width ?? 0, nameof(width));
        (Name, this.width) = (name, width);
    }

    private Column(string name, Func<EnvironmentSpec, int> widthOf) : this(name) => this.widthOf = widthOf;

    /// <summary>Name in checkpoints and errors.</summary>
    public string Name { get; }

    /// <summary>Whether each agent has its own: a row is [N] or [N, width]; otherwise [1] or [width].</summary>
    public bool PerAgent { get; init; }

    /// <summary>Whether an episode has one row of it, in place of one per step.</summary>
    public bool PerEpisode { get; init; }

    /// <summary>Whether the row after the last step has it too, as observations do; rewards do not.</summary>
    public bool HasFinalRow { get; init; }

    /// <summary>Elements as episodes store them; batches are float.</summary>
    public ColumnKind Kind { get; init; }

    /// <summary>What batches hold in rows that an episode does not have.</summary>
    public float Padding { get; init; }

    /// <summary>When it is written.</summary>
    public ColumnLifetime Lifetime { get; init; } = ColumnLifetime.Estimated;

    /// <summary>[N, O] what agents observed.</summary>
    public static Column Observations { get; } = new("observations", static spec => spec.ObservationSize)
    {
        PerAgent = true,
        HasFinalRow = true,
        Lifetime = ColumnLifetime.Recorded,
    };

    /// <summary>[S]</summary>
    public static Column States { get; } = new("states", static spec => spec.StateSize) { HasFinalRow = true, Lifetime = ColumnLifetime.Recorded };

    /// <summary>[N, A] which actions were available.</summary>
    public static Column Available { get; } = new("available", static spec => spec.ActionCount)
    {
        PerAgent = true,
        HasFinalRow = true,
        Kind = ColumnKind.Bool,
        Lifetime = ColumnLifetime.Recorded,
    };

    /// <summary>[N] indices of the actions; 0 where actions are continuous. The final row has the action that a critic bootstraps from, where a learner
    /// asks for it.</summary>
    public static Column Actions { get; } = new("actions")
    {
        PerAgent = true,
        HasFinalRow = true,
        Kind = ColumnKind.Int,
        Lifetime = ColumnLifetime.Recorded,
    };

    /// <summary>[N, A] continuous actions; only where the environment has them.</summary>
    public static Column ContinuousActions { get; } = new("continuousActions", static spec => spec.ActionCount) { PerAgent = true, Lifetime = ColumnLifetime.Recorded };

    /// <summary>[N] the probability with which each action was chosen.</summary>
    public static Column Probabilities { get; } = new("probabilities") { PerAgent = true, Padding = 1f, Lifetime = ColumnLifetime.Recorded };

    /// <summary>[R] rewards; in batches standardized, where the learner does that.</summary>
    public static Column Rewards { get; } = new("rewards", 0) { Lifetime = ColumnLifetime.Update };

    /// <summary>[2] per episode, see <see cref="Rl.Fingerprint"/>.</summary>
    public static Column Fingerprint { get; } = new("fingerprints", Rl.Fingerprint.Size) { PerEpisode = true, Lifetime = ColumnLifetime.Update };

    /// <summary>[N] per episode: the member of its ensemble of policies that each agent played; only where policies are ensembles.</summary>
    public static Column Members { get; } = new("members") { PerAgent = true, PerEpisode = true, Kind = ColumnKind.Int, Lifetime = ColumnLifetime.Update };

    /// <summary>[N] v_t, the critic's value before the first update of a round; only where a <see cref="PolicyObjective"/> learns.</summary>
    public static Column Values { get; } = new("values") { PerAgent = true };

    /// <summary>[N] G_t, the target of the critic.</summary>
    public static Column Returns { get; } = new("returns") { PerAgent = true };

    /// <summary>[N] A_t, how much better an action was than expected.</summary>
    public static Column Advantages { get; } = new("advantages") { PerAgent = true };

    /// <summary>[N, A] the policy that each action was drawn from; only where rewards depend on it.</summary>
    internal static Column Policy { get; } = new("policy", static spec => spec.ActionCount) { PerAgent = true, Lifetime = ColumnLifetime.Recorded };

    /// <summary>[1] in batches: 1 where an episode terminated.</summary>
    internal static Column Terminated { get; } = new("terminated") { Lifetime = ColumnLifetime.Update };

    /// <summary>[1] in batches: 1 for transitions.</summary>
    internal static Column Mask { get; } = new("mask") { Lifetime = ColumnLifetime.Update };

    /// <summary>The shape of a row.</summary>
    /// <param name="spec">the environment.</param>
    /// <param name="rewardStreams">R</param>
    internal Shape RowShape(EnvironmentSpec spec, int rewardStreams)
    {
        int? size = this == Rewards ? rewardStreams : widthOf?.Invoke(spec) ?? width;
        return (PerAgent, size) switch
        {
            (true, int elements) => new Shape(spec.Agents.Length, elements),
            (true, null) => new Shape(spec.Agents.Length),
            (false, _) => new Shape(size ?? 1),
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Elements of a column.</summary>
public enum ColumnKind
{
    /// <summary>float</summary>
    Float,
    /// <summary>bool; 0 or 1 in batches.</summary>
    Bool,
    /// <summary>int</summary>
    Int,
}

/// <summary>When a column is written.</summary>
public enum ColumnLifetime
{
    /// <summary>While the episode is played; it never changes then.</summary>
    Recorded,
    /// <summary>Once per round, by critics (<see cref="LossContext.Store"/>). It is not part of checkpoints.</summary>
    Estimated,
    /// <summary>While the episode is played, but every update may see it differently: standardized rewards.</summary>
    Update,
}
