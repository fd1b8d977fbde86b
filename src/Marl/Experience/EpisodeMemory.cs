namespace Marl.Native.Rl;

/// <summary>
/// Copies of episodes in device memory. Each episode is transferred once, and batches are gathered on the device. The memory has the columns that are the
/// same in all batches; columns that depend on the update (standardized rewards, masks) are not part of it.
/// </summary>
internal abstract class EpisodeMemory
{
    /// <summary>The maximum fraction of the free device memory; tapes and batches need the rest.</summary>
    private const double MaxFreeMemoryFraction = 0.5;

    /// <summary>The maximum number of rows: indices are floats.</summary>
    private const long MaxRows = 1 << 24;

    /// <summary>Returns the memory that has copies of all episodes; null if there is none.</summary>
    public static EpisodeMemory? CommonTo(ReadOnlySpan<Episode> episodes)
    {
        var memory = episodes.IsEmpty ? null : episodes[0].Memory;
        foreach (var episode in episodes)
        {
            memory = episode.Memory == memory ? memory : null;
        }
        return memory;
    }

    /// <summary>The number of columns that are in the memory, the first ones of <see cref="Schema.Stored"/>.</summary>
    protected abstract int Columns { get; }

    /// <summary>Returns the rows of a column [rows, width].</summary>
    protected abstract Tensor Rows(int column);

    /// <summary>Returns the index of row t of an episode; that of padding after its last row.</summary>
    public abstract int Row(Episode episode, int t);

    /// <summary>Gathers the columns of a batch.</summary>
    /// <param name="index">[(T+1) B] The indices of the rows, see <see cref="Row"/>, on the device.</param>
    /// <param name="batch">Receives the rows; it has the same schema.</param>
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

    /// <summary>Returns whether a number of rows of the first <paramref name="columns"/> fit into the memory of a device other than the CPU.</summary>
    protected static bool Fits(long rows, Schema schema, int columns, Device device)
    {
        long sum = 0, max = 0;
        foreach (var column in schema.Stored.Take(columns))
        {
            int width = schema.Width(column);
            (sum, max) = (sum + width, Math.Max(max, width));
        }
        return device != Device.Cpu && rows <= MaxRows && rows * max <= int.MaxValue
            && rows * sum * sizeof(float) <= MaxFreeMemoryFraction * device.FreeMemory;
    }
}
