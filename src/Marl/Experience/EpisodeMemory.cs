namespace Marl.Native.Rl;

/// <summary>
/// Replayed episodes in the memory of a device: each goes there once, and batches are put together there. An episode has a place of so many rows in every
/// field of an <see cref="EpisodeBatch"/> that is the same in all batches; what depends on the update (standardised rewards, masks) does not belong to it.
/// </summary>
internal sealed class EpisodeMemory
{
    /// <summary>The most of what is free that it takes: tapes and batches grow later.</summary>
    private const double MostOfFree = 0.5;

    /// <summary>Rows that indices, which are floats, can tell apart.</summary>
    private const long MostRows = 1 << 24;
    private readonly EpisodeBatch arriving;
    private readonly Tensor[] fields;
    private readonly int rows, padding;

    private EpisodeMemory(EpisodeBatch arriving, Tensor[] fields, int rows)
    {
        (this.arriving, this.fields, this.rows, padding) = (arriving, fields, rows, fields[0].Shape[0] - 1);
        var ones = fields[EpisodeBatch.PaddedWithOnes].Slice(padding, 1);
        ones.Device.Fill(ones, 1f);
    }

    /// <summary>Room for <paramref name="capacity"/> episodes; none where they are in reach anyway, or do not fit.</summary>
    public static EpisodeMemory? Of(EnvironmentSpec spec, int capacity, int rewardStreams, Device device)
    {
        if (device == Device.Cpu)
        {
            return null;
        }
        int[] widths = EpisodeBatch.RecordWidths(spec);
        long length = spec.EpisodeLimit + 1, rows = capacity * length + 1, bytes = rows * widths.Sum() * sizeof(float);
        if (rows > MostRows || rows * widths.Max() > int.MaxValue || bytes > MostOfFree * device.FreeMemory)
        {
            return null;
        }
        List<Tensor> fields = [];
        try
        {
            foreach (int width in widths)
            {
                fields.Add(device.Zeros(new Shape((int)rows, width)));
            }
            return new(new EpisodeBatch(spec, 1, rewardStreams, device), [.. fields], (int)length);
        }
        catch (DeviceException)
        {
            fields.ForEach(static field => field.Storage.Release());
            return null;
        }
    }

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

    /// <summary>Takes in an episode, in one transfer. It must not change any more, and whatever was in this place is there no longer.</summary>
    public void Keep(Episode episode, int place)
    {
        episode.Memory = null;
        arriving.Load(new ReadOnlySpan<Episode>(in episode));
        for (int i = 0; i < fields.Length; i++)
        {
            if (fields[i].Count > 0)
            {
                arriving.Record(i).CopyTo(fields[i].Slice(place * rows, episode.Length + 1));
            }
        }
        (episode.Memory, episode.Place) = (this, place);
    }

    /// <summary>Where row t of an episode is; after its last one, where padding is.</summary>
    public int Row(Episode episode, int t) => t <= episode.Length ? episode.Place * rows + t : padding;

    /// <summary>Fills the fields of a batch.</summary>
    /// <param name="index">[(T+1) B] rows, see <see cref="Row"/>, on the device.</param>
    /// <param name="batch">receives them.</param>
    public void Gather(Tensor index, EpisodeBatch batch)
    {
        for (int i = 0; i < fields.Length; i++)
        {
            if (fields[i].Count > 0)
            {
                index.Device.GatherRows(fields[i], index, batch.Record(i));
            }
        }
    }
}
