namespace Marl.Native.Rl;

/// <summary>
/// Episodes in the memory of a device: each goes there once, and batches are put together there. An episode has rows in every column of its schema that is the
/// same in all batches; what depends on the update (standardized rewards, masks) does not belong to it.
/// </summary>
internal abstract class EpisodeMemory
{
    /// <summary>The most of what is free that it takes: tapes and batches grow later.</summary>
    private const double MaxFreeMemoryFraction = 0.5;

    /// <summary>Rows that indices, which are floats, can tell apart.</summary>
    private const long MaxRows = 1 << 24;

    /// <summary>The memory that all of some episodes are in; none if one is not.</summary>
    public static EpisodeMemory? CommonTo(ReadOnlySpan<Episode> episodes)
    {
        var memory = episodes.IsEmpty ? null : episodes[0].Memory;
        foreach (var episode in episodes)
        {
            memory = episode.Memory == memory ? memory : null;
        }
        return memory;
    }

    /// <summary>How many columns are known of every episode that is kept: the first so many of <see cref="Schema.Stored"/>.</summary>
    protected abstract int Columns { get; }

    /// <summary>[rows, width]</summary>
    protected abstract Tensor Rows(int column);

    /// <summary>Where row t of an episode is; after its last one, where padding is.</summary>
    public abstract int Row(Episode episode, int t);

    /// <summary>Fills the columns of a batch.</summary>
    /// <param name="index">[(T+1) B] rows, see <see cref="Row"/>, on the device.</param>
    /// <param name="batch">receives them; of the same schema.</param>
    public void Gather(Tensor index, EpisodeBatch batch)
    {
        for (int i = 0; i < Columns; i++)
        {
            if (Rows(i) is { Count: > 0 } rows)
            {
                index.Device.GatherRows(rows, index, batch.FlatRows(i));
            }
        }
    }

    /// <summary>Whether a device is to hold so many rows of the first <paramref name="columns"/>: it is not the CPU, and there is room.</summary>
    protected static bool Fits(long rows, Schema schema, int columns, Device device)
    {
        long sum = 0, most = 0;
        foreach (var column in schema.Stored.Take(columns))
        {
            int width = schema.Width(column);
            (sum, most) = (sum + width, Math.Max(most, width));
        }
        return device != Device.Cpu && rows <= MaxRows && rows * most <= int.MaxValue && rows * sum * sizeof(float) <= MaxFreeMemoryFraction * device.FreeMemory;
    }
}
