namespace Marl.Native.Rl;

/// <summary>
/// Episodes in the memory of a device: each goes there once, and batches are put together there. An episode has rows in every field of an
/// <see cref="EpisodeBatch"/> that is the same in all batches; what depends on the update (standardised rewards, masks) does not belong to it.
/// </summary>
internal abstract class EpisodeMemory
{
    /// <summary>The most of what is free that it takes: tapes and batches grow later.</summary>
    private const double MostOfFree = 0.5;

    /// <summary>Rows that indices, which are floats, can tell apart.</summary>
    private const long MostRows = 1 << 24;

    /// <summary>The memory that all of some episodes are in; none if one is not.</summary>
    public static EpisodeMemory? OfAll(ReadOnlySpan<Episode> episodes)
    {
        var memory = episodes.IsEmpty ? null : episodes[0].Memory;
        foreach (var episode in episodes)
        {
            memory = episode.Memory == memory ? memory : null;
        }
        return memory;
    }

    /// <summary>How many fields are known of every episode that is kept: the first so many of <see cref="EpisodeBatch.Kept"/>.</summary>
    protected abstract int Fields { get; }

    /// <summary>[rows, width]</summary>
    protected abstract Tensor Field(int field);

    /// <summary>Where row t of an episode is; after its last one, where padding is.</summary>
    public abstract int Row(Episode episode, int t);

    /// <summary>Fills the fields of a batch.</summary>
    /// <param name="index">[(T+1) B] rows, see <see cref="Row"/>, on the device.</param>
    /// <param name="batch">receives them.</param>
    public void Gather(Tensor index, EpisodeBatch batch)
    {
        for (int i = 0; i < Fields; i++)
        {
            if (Field(i) is { Count: > 0 } field)
            {
                index.Device.GatherRows(field, index, batch.Kept(i));
            }
        }
    }

    /// <summary>Whether a device is to hold so many rows: they are not in reach anyway, and there is room.</summary>
    protected static bool Fits(long rows, ReadOnlySpan<int> widths, Device device)
    {
        long sum = 0, most = 0;
        foreach (int width in widths)
        {
            (sum, most) = (sum + width, Math.Max(most, width));
        }
        return device != Device.Cpu && rows <= MostRows && rows * most <= int.MaxValue && rows * sum * sizeof(float) <= MostOfFree * device.FreeMemory;
    }
}
