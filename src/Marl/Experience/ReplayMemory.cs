namespace Marl.Native.Rl;

/// <summary>The episodes of a replay buffer in device memory. Each slot has the maximum number of rows of an episode; a last row has the padding.</summary>
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

    /// <summary>Creates the memory for <paramref name="capacity"/> episodes; returns null on the CPU, or if they do not fit.</summary>
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

    /// <summary>Copies an episode into a slot in one transfer. The episode must not change afterwards.</summary>
    public void Store(Episode episode, int slot)
    {
        staging.LoadRecorded(new ReadOnlySpan<Episode>(in episode));
        for (int i = 0; i < columns.Length; i++)
        {
            if (columns[i].Count > 0)
            {
                staging.FlatRows(i).CopyTo(columns[i].Slice(slot * rows, episode.Length + 1));
            }
        }
        (episode.Memory, episode.Slot) = (this, slot);
    }

    /// <inheritdoc/>
    public override int Row(Episode episode, int t) => t <= episode.Length ? episode.Slot * rows + t : padding;
}
