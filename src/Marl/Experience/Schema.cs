namespace Marl.Native.Rl;

/// <summary>The columns of a training run: the common ones, those of the environment, and those that the algorithm declares. They define episodes, batches,
/// checkpoints and device memory.</summary>
internal sealed class Schema
{
    private readonly Column[] stored, derived;

    /// <summary>Creates a schema.</summary>
    /// <param name="spec">The specification of the environment.</param>
    /// <param name="rewardStreams">R, the number of reward streams.</param>
    /// <param name="additional">Additional columns.</param>
    /// <exception cref="ArgumentException">Two columns have the same name.</exception>
    public Schema(EnvironmentSpec spec, int rewardStreams, params IEnumerable<Column> additional)
    {
        (Spec, RewardStreams) = (spec, rewardStreams);
        Column[] continuous = spec.ActionLayout.VectorSize > 0 ? [Column.ContinuousActions] : [];
        Column[] all =
        [
            Column.Observations, Column.States, Column.Available, Column.Actions, .. continuous, Column.Probabilities, Column.Rewards, Column.Fingerprint,
            .. additional,
        ];
        // Recorded columns first, then estimated ones, then those that depend on the update: batches copy these ranges separately.
        stored = [.. all.OrderBy(column => column.PerEpisode ? ColumnLifetime.Update : column.Lifetime)];
        IsSegmented = stored.Contains(Segment.Begins);
        derived = IsSegmented ? [Column.Terminated, Column.Mask, Segment.ContinueMask, Segment.PreviousActions] : [Column.Terminated, Column.Mask];
        if (stored.Concat(derived).GroupBy(column => column.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"two columns have the same name '{twice.Key}'");
        }
        Recorded = Kept(ColumnLifetime.Recorded);
        Estimated = Recorded + Kept(ColumnLifetime.Estimated);

        int Kept(ColumnLifetime lifetime) => stored.Count(column => column.Lifetime == lifetime && !column.PerEpisode);
    }

    public EnvironmentSpec Spec { get; }

    /// <summary>R, the number of reward streams.</summary>
    public int RewardStreams { get; }

    /// <summary>Whether the columns are those of segments, see <see cref="Segment"/>.</summary>
    public bool IsSegmented { get; }

    /// <summary>The columns of episodes: recorded per row, estimated per row, and those that depend on the update.</summary>
    public IReadOnlyList<Column> Stored => stored;

    /// <summary>The additional columns of batches, which follow from the first and last rows of episodes.</summary>
    public IReadOnlyList<Column> Derived => derived;

    /// <summary>The number of columns of <see cref="Stored"/> that are recorded per row.</summary>
    public int Recorded { get; }

    /// <summary>The number of columns of <see cref="Stored"/> that are recorded or estimated per row.</summary>
    public int Estimated { get; }

    /// <summary>Returns the shape of a column's rows.</summary>
    public Shape RowShape(Column column) => column.RowShape(Spec, RewardStreams);

    /// <summary>Returns the number of elements of a column's rows.</summary>
    public int Width(Column column) => RowShape(column).Count;

    /// <summary>Creates an empty episode with these columns.</summary>
    public Episode CreateEpisode() => new(this);
}
