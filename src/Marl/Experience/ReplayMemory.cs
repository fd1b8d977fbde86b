namespace Marl.Native.Rl;

/// <summary>Replayed episodes in the memory of a device: each has a place of as many rows as an episode can have, and the last row of all is padding.</summary>
internal sealed class ReplayMemory : EpisodeMemory
{
    private readonly EpisodeBatch staging;
    private readonly Tensor[] columns;
    private readonly int rows, padding;

    private ReplayMemory(EpisodeBatch arriving, Schema schema, Tensor[] columns, int rows)
    {
        (this.staging, this.columns, this.rows, padding) = (arriving, columns, rows, columns[0].Shape[0] - 1);
        for (int i = 0; i < columns.Length; i++)
        {
            if (schema.Stored[i].Padding is not 0f and var value)
            {
                var row = columns[i].Slice(padding, 1);
                row.Device.Fill(row, value);
            }
        }
    }

    /// <summary>Room for <paramref name="capacity"/> episodes of any length; none on the CPU, or where they do not fit.</summary>
    public static ReplayMemory? TryCreate(Schema schema, int capacity, Device device)
    {
        long length = schema.Spec.EpisodeLimit + 1L, rows = capacity * length + 1;
        if (!Fits(rows, schema, schema.Recorded, device))
        {
            return null;
        }
        List<Tensor> columns = [];
        try
        {
            foreach (var column in schema.Stored.Take(schema.Recorded))
            {
                columns.Add(device.Zeros(new Shape((int)rows, schema.Width(column))));
            }
            return new(new EpisodeBatch(schema, 1, device, length), schema, [.. columns], (int)length);
        }
        catch (DeviceException)
        {
            columns.ForEach(static column => column.Storage.Release());
            return null;
        }
    }

    /// <inheritdoc/>
    protected override int Columns => columns.Length;

    /// <inheritdoc/>
    protected override Tensor Rows(int column) => columns[column];

    /// <summary>Takes in an episode, in one transfer. It must not change any more, and whatever was in this place is there no longer.</summary>
    public void Store(Episode episode, int place)
    {
        staging.LoadRecorded(new ReadOnlySpan<Episode>(in episode));
        for (int i = 0; i < columns.Length; i++)
        {
            if (columns[i].Count > 0)
            {
                staging.FlatRows(i).CopyTo(columns[i].Slice(place * rows, episode.Length + 1));
            }
        }
        (episode.Memory, episode.Slot) = (this, place);
    }

    /// <inheritdoc/>
    public override int Row(Episode episode, int t) => t <= episode.Length ? episode.Slot * rows + t : padding;
}
