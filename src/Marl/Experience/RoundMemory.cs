namespace Marl.Native.Rl;

/// <summary>
/// The episodes of a round in device memory, in the layout of a batch. Recorded and estimated columns are transferred once each. Batches of these episodes
/// have at most as many rows, so the padding of an episode is found after its last row.
/// </summary>
internal sealed class RoundMemory : EpisodeMemory
{
    private readonly EpisodeBatch round;
    private readonly Schema schema;
    private bool estimated;

    private RoundMemory(EpisodeBatch round, Schema schema) => (this.round, this.schema) = (round, schema);

    /// <summary>Creates the memory; returns null on the CPU, or if the episodes do not fit.</summary>
    /// <param name="schema">The columns.</param>
    /// <param name="capacity">The number of episodes.</param>
    /// <param name="length">The maximum number of rows of an episode.</param>
    /// <param name="device">The device.</param>
    public static RoundMemory? TryCreate(Schema schema, int capacity, long length, Device device)
    {
        if (!Fits(length * capacity, schema, schema.Estimated, device))
        {
            return null;
        }
        try
        {
            return new(new EpisodeBatch(schema, capacity, device, length * capacity), schema);
        }
        catch (Exception error) when (error is DeviceException or InsufficientMemoryException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    protected override int Columns => estimated ? schema.Estimated : schema.Recorded;

    /// <inheritdoc/>
    protected override Tensor Rows(int column) => round.FlatRows(column);

    /// <summary>The recorded columns; row t of the episode in a slot is row t * capacity + slot of a column.</summary>
    public Tensor Recorded => round.RecordedBlock;

    /// <summary>Returns where a recorded column begins in <see cref="Recorded"/>.</summary>
    public int OffsetOf(Column column) => round.OffsetOf(column);

    /// <summary>Copies the recorded columns of the episodes in one transfer, unless they were recorded here. They must not change before
    /// <see cref="Release"/>.</summary>
    public void Store(ReadOnlySpan<Episode> episodes)
    {
        if (CommonTo(episodes) != this)
        {
            round.LoadRecorded(episodes);
            Attach(episodes);
        }
        estimated = false;
    }

    /// <summary>Takes over a round whose recorded columns are in <see cref="Recorded"/>, in the order of the slots.</summary>
    public void Adopt(ReadOnlySpan<Episode> episodes)
    {
        round.BeginRecorded(episodes);
        Attach(episodes);
    }

    /// <summary>Copies the estimated columns of the episodes in one transfer.</summary>
    /// <param name="episodes">The episodes of <see cref="Store"/>, in the same order.</param>
    public void StoreEstimates(ReadOnlySpan<Episode> episodes)
    {
        round.LoadEstimates(episodes);
        estimated = true;
    }

    /// <summary>Detaches the episodes from the memory at the end of the round.</summary>
    public void Release(ReadOnlySpan<Episode> episodes)
    {
        foreach (var episode in episodes)
        {
            episode.Memory = null;
        }
    }

    private void Attach(ReadOnlySpan<Episode> episodes)
    {
        for (int slot = 0; slot < episodes.Length; slot++)
        {
            (episodes[slot].Memory, episodes[slot].Slot) = (this, slot);
        }
    }

    /// <inheritdoc/>
    public override int Row(Episode episode, int t) => t * round.Count + episode.Slot;
}
