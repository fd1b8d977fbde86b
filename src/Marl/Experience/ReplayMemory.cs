namespace Marl.Native.Rl;

/// <summary>Replayed episodes in the memory of a device: each has a place of so many rows, and the last row of all is padding.</summary>
internal sealed class ReplayMemory : EpisodeMemory
{
    private readonly EpisodeBatch arriving;
    private readonly Tensor[] fields;
    private readonly int rows, padding;

    private ReplayMemory(EpisodeBatch arriving, Tensor[] fields, int rows)
    {
        (this.arriving, this.fields, this.rows, padding) = (arriving, fields, rows, fields[0].Shape[0] - 1);
        var ones = fields[EpisodeBatch.PaddedWithOnes].Slice(padding, 1);
        ones.Device.Fill(ones, 1f);
    }

    /// <summary>Room for <paramref name="capacity"/> episodes; none where they are in reach anyway, or do not fit.</summary>
    public static ReplayMemory? Of(EnvironmentSpec spec, int capacity, int rewardStreams, Device device)
    {
        int[] widths = EpisodeBatch.Widths(spec)[..EpisodeBatch.Recorded];
        long length = spec.EpisodeLimit + 1, rows = capacity * length + 1;
        if (!Fits(rows, widths, device))
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

    /// <inheritdoc/>
    protected override int Fields => EpisodeBatch.Recorded;

    /// <inheritdoc/>
    protected override Tensor Field(int field) => fields[field];

    /// <summary>Takes in an episode, in one transfer. It must not change any more, and whatever was in this place is there no longer.</summary>
    public void Keep(Episode episode, int place)
    {
        arriving.LoadRecord(new ReadOnlySpan<Episode>(in episode));
        for (int i = 0; i < fields.Length; i++)
        {
            if (fields[i].Count > 0)
            {
                arriving.Kept(i).CopyTo(fields[i].Slice(place * rows, episode.Length + 1));
            }
        }
        (episode.Memory, episode.Place) = (this, place);
    }

    /// <inheritdoc/>
    public override int Row(Episode episode, int t) => t <= episode.Length ? episode.Place * rows + t : padding;
}
