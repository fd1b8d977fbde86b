namespace Marl.Native.Rl;

/// <summary>
/// A column of experience: data that is stored for every row of an episode, or once per episode. An <see cref="Episode"/> stores its elements, an
/// <see cref="EpisodeBatch"/> returns it as a tensor. All episodes have the columns that are listed here; an algorithm declares additional columns
/// (<see cref="Objective.Columns"/>) and reads them with <see cref="EpisodeBatch.this[Column]"/>. Columns are compared by reference: keep them in static
/// fields.
/// </summary>
/// <example>
/// An additional column with one element per agent and step:
/// <code>
/// var bonus = new Column("bonus") { PerAgent = true };
/// var spec = Catalog.CreateEnvironment("two-step").Spec;
/// var episode = new Episode(spec, rewardStreams: 1, bonus) { Length = 2 };
/// Span&lt;float&gt; elements = episode[bonus]; // [2, agents]
/// </code>
/// </example>
public sealed class Column
{
    private readonly int? width;
    private readonly Func<EnvironmentSpec, int?>? widthOf;

    /// <summary>Creates a column.</summary>
    /// <param name="name">The name in checkpoints and errors.</param>
    /// <param name="width">The number of elements per row, and per agent with <see cref="PerAgent"/>; null: one element without an axis of its own.</param>
    public Column(string name, int? width = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfNegative(width ?? 0, nameof(width));
        (Name, this.width) = (name, width);
    }

    /// <summary>Creates a column whose width depends on the environment.</summary>
    internal Column(string name, Func<EnvironmentSpec, int?> widthOf) : this(name) => this.widthOf = widthOf;

    /// <summary>The name in checkpoints and errors.</summary>
    public string Name { get; }

    /// <summary>Whether each agent has elements of its own: the shape of a row is [N] or [N, width]; otherwise [1] or [width].</summary>
    public bool PerAgent { get; init; }

    /// <summary>Whether an episode has a single row, instead of one per step.</summary>
    public bool PerEpisode { get; init; }

    /// <summary>Whether there is a row after the last step. Observations have one, rewards do not.</summary>
    public bool HasFinalRow { get; init; }

    /// <summary>The type of the elements in episodes; those of batches are float.</summary>
    public ColumnKind Kind { get; init; }

    /// <summary>The value of padding in batches.</summary>
    public float Padding { get; init; }

    /// <summary>When the column is written.</summary>
    public ColumnLifetime Lifetime { get; init; } = ColumnLifetime.Estimated;

    /// <summary>[N, O] The observations.</summary>
    public static Column Observations { get; } = new("observations", static spec => spec.ObservationSize)
    {
        PerAgent = true,
        HasFinalRow = true,
        Lifetime = ColumnLifetime.Recorded,
    };

    /// <summary>[S] The global states.</summary>
    public static Column States { get; } = new("states", static spec => spec.StateSize) { HasFinalRow = true, Lifetime = ColumnLifetime.Recorded };

    /// <summary>[N, A] Which actions were available.</summary>
    public static Column Available { get; } = new("available", static spec => spec.ActionCount)
    {
        PerAgent = true,
        HasFinalRow = true,
        Kind = ColumnKind.Bool,
        Lifetime = ColumnLifetime.Recorded,
    };

    /// <summary>[N] The indices of discrete actions, or [N, K] those of K branches; 0 if actions are continuous. The final row has the bootstrap action, if the
    /// learner requests it (<see cref="ILearner.NeedsBootstrapAction"/>).</summary>
    public static Column Actions { get; } = new("actions", PerBranch)
    {
        PerAgent = true,
        HasFinalRow = true,
        Kind = ColumnKind.Int,
        Lifetime = ColumnLifetime.Recorded,
    };

    /// <summary>[N, D] The continuous actions; only of environments with continuous actions.</summary>
    public static Column ContinuousActions { get; } = new("continuousActions", static spec => spec.ActionLayout.VectorSize)
    {
        PerAgent = true,
        Lifetime = ColumnLifetime.Recorded,
    };

    /// <summary>[N] The probability of each action under the behavior policy: the product over its branches.</summary>
    public static Column Probabilities { get; } = new("probabilities") { PerAgent = true, Padding = 1f, Lifetime = ColumnLifetime.Recorded };

    /// <summary>[R] The rewards; standardized in batches, if the learner does so.</summary>
    public static Column Rewards { get; } = new("rewards", 0) { Lifetime = ColumnLifetime.Update };

    /// <summary>[2] per episode: the <see cref="Rl.Fingerprint"/>.</summary>
    public static Column Fingerprint { get; } = new("fingerprints", Rl.Fingerprint.Size) { PerEpisode = true, Lifetime = ColumnLifetime.Update };

    /// <summary>[N] per episode: the ensemble member of each agent; only with policy ensembles.</summary>
    public static Column Members { get; } = new("members") { PerAgent = true, PerEpisode = true, Kind = ColumnKind.Int, Lifetime = ColumnLifetime.Update };

    /// <summary>[N] v_t, the value of the critic before the first update of a round; only with a <see cref="PolicyObjective"/>.</summary>
    public static Column Values { get; } = new("values") { PerAgent = true };

    /// <summary>[N] G_t, the return, which is the target of the critic.</summary>
    public static Column Returns { get; } = new("returns") { PerAgent = true };

    /// <summary>[N] A_t, the advantage of the action.</summary>
    public static Column Advantages { get; } = new("advantages") { PerAgent = true };

    /// <summary>[N, A] The action probabilities of the behavior policy; only if rewards depend on them.</summary>
    internal static Column Policy { get; } = new("policy", static spec => spec.ActionCount) { PerAgent = true, Lifetime = ColumnLifetime.Recorded };

    /// <summary>[1] in batches: 1 for the last step of a terminated episode.</summary>
    internal static Column Terminated { get; } = new("terminated") { Lifetime = ColumnLifetime.Update };

    /// <summary>[1] in batches: 1 for transitions.</summary>
    internal static Column Mask { get; } = new("mask") { Lifetime = ColumnLifetime.Update };

    /// <summary>Returns the number of indices per agent if there are several; null: one, without an axis of its own.</summary>
    internal static int? PerBranch(EnvironmentSpec spec) => spec.ActionLayout.Branches is > 1 and var branches ? branches : null;

    /// <summary>Returns the shape of a row.</summary>
    /// <param name="spec">The specification of the environment.</param>
    /// <param name="rewardStreams">R, the number of reward streams.</param>
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

/// <summary>The type of the elements of a column.</summary>
public enum ColumnKind
{
    /// <summary>The type <c>float</c>.</summary>
    Float,
    /// <summary>The type <c>bool</c>; 0 or 1 in batches.</summary>
    Bool,
    /// <summary>The type <c>int</c>.</summary>
    Int,
}

/// <summary>When a column is written.</summary>
public enum ColumnLifetime
{
    /// <summary>During the episode; constant afterwards.</summary>
    Recorded,
    /// <summary>Once per round, with the results of critics (<see cref="LossContext.Store"/>). Not part of checkpoints.</summary>
    Estimated,
    /// <summary>During the episode; the values of batches may differ between updates, as those of standardized rewards.</summary>
    Update,
}
