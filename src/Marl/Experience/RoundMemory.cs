namespace Marl.Native.Rl;

/// <summary>
/// The episodes of a round in the memory of a device, side by side as a batch has them: what was recorded goes there once, and once the estimates of critics. Every
/// batch of some of them has no more rows than all of them, so each finds its padding after its own last row.
/// </summary>
internal sealed class RoundMemory : EpisodeMemory
{
    private readonly EpisodeBatch round;
    private readonly Schema schema;
    private bool estimated;

    private RoundMemory(EpisodeBatch round, Schema schema) => (this.round, this.schema) = (round, schema);

    /// <summary>Room for <paramref name="capacity"/> episodes; none on the CPU, or where they do not fit.</summary>
    /// <param name="schema">their columns.</param>
    /// <param name="capacity">how many.</param>
    /// <param name="length">rows that an episode can have.</param>
    /// <param name="device">where.</param>
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

    /// <summary>Takes in the episodes of a round, in one transfer. They must not change before they are forgotten.</summary>
    public void Store(ReadOnlySpan<Episode> episodes)
    {
        round.LoadRecorded(episodes);
        estimated = false;
        for (int place = 0; place < episodes.Length; place++)
        {
            (episodes[place].Memory, episodes[place].Slot) = (this, place);
        }
    }

    /// <summary>Takes in their estimates, in one transfer.</summary>
    /// <param name="episodes">those of <see cref="Store"/>, in the same order.</param>
    public void StoreEstimates(ReadOnlySpan<Episode> episodes)
    {
        round.LoadEstimates(episodes);
        estimated = true;
    }

    /// <summary>The round is over: its episodes are here only until they are written over.</summary>
    public void Release(ReadOnlySpan<Episode> episodes)
    {
        foreach (var episode in episodes)
        {
            episode.Memory = null;
        }
    }

    /// <inheritdoc/>
    public override int Row(Episode episode, int t) => t * round.Count + episode.Slot;
}
