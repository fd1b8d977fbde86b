namespace Marl.Native.Rl;

/// <summary>The columns of a run: those that all have, those that an environment needs, and those that an algorithm declares. Episodes, batches, checkpoints and the
/// memory of devices are derived from it.</summary>
internal sealed class Schema
{
    private readonly Column[] stored, derived;

    /// <summary>The common columns, and more.</summary>
    /// <param name="spec">the environment.</param>
    /// <param name="rewardStreams">R</param>
    /// <param name="more">what is declared besides.</param>
    /// <exception cref="ArgumentException">two columns have one name.</exception>
    public Schema(EnvironmentSpec spec, int rewardStreams, params IEnumerable<Column> more)
    {
        (Spec, RewardStreams) = (spec, rewardStreams);
        Column[] continuous = spec.IsContinuous ? [Column.ContinuousActions] : [];
        Column[] all =
        [
            Column.Observations, Column.States, Column.Available, Column.Actions, .. continuous, Column.Probabilities, Column.Rewards, Column.Fingerprint,
            .. more,
        ];
        // What never changes first, then the estimates, then what depends on the update: batches send the parts apart.
        stored = [.. all.OrderBy(column => column.PerEpisode ? ColumnLifetime.Update : column.Lifetime)];
        IsSegmented = stored.Contains(Segment.Begins);
        derived = IsSegmented ? [Column.Terminated, Column.Mask, Segment.ContinueMask, Segment.PreviousActions] : [Column.Terminated, Column.Mask];
        if (stored.Concat(derived).GroupBy(column => column.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"two columns have the name '{twice.Key}'");
        }
        Recorded = Kept(ColumnLifetime.Recorded);
        Estimated = Recorded + Kept(ColumnLifetime.Estimated);

        int Kept(ColumnLifetime lifetime) => stored.Count(column => column.Lifetime == lifetime && !column.PerEpisode);
    }

    public EnvironmentSpec Spec { get; }

    /// <summary>R</summary>
    public int RewardStreams { get; }

    /// <summary>Whether episodes are segments, see <see cref="Segment"/>.</summary>
    public bool IsSegmented { get; }

    /// <summary>What episodes store: first what is recorded per row, then what is estimated per row, then what every update sends.</summary>
    public IReadOnlyList<Column> Stored => stored;

    /// <summary>What batches have besides, made from the ends of episodes.</summary>
    public IReadOnlyList<Column> Derived => derived;

    /// <summary>How many of <see cref="Stored"/> are recorded per row, and how many are recorded or estimated.</summary>
    public int Recorded { get; }

    /// <inheritdoc cref="Recorded"/>
    public int Estimated { get; }

    /// <summary>The shape of a column's rows.</summary>
    public Shape RowShape(Column column) => column.RowShape(Spec, RewardStreams);

    /// <summary>Elements of a column's rows.</summary>
    public int Width(Column column) => RowShape(column).Count;

    /// <summary>An empty episode with these columns.</summary>
    public Episode CreateEpisode() => new(this);
}
