using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Episodes side by side for learning, time-major and padded: row t of all episodes is one contiguous slice. Padding has a mask of 0, and only
/// the losses look at the mask. Termination and truncation are told apart: <see cref="Terminated"/> is 1 only where an episode terminated. Memory grows with
/// the rows that are loaded.
/// </summary>
public sealed class EpisodeBatch
{
    /// <summary>Rows that there is room for at first, where episodes can be longer.</summary>
    private const long InitialRows = 4096;

    // Every column is a part of one block, which is filled in this process and goes to the device as a whole; on the CPU the two are the same. It begins with
    // what is recorded, then come the estimates, then what depends on the update. Of episodes that are on the device already goes only the last.
    private readonly Schema schema;
    private readonly Device device;
    private readonly Column[] columns;
    private readonly Field[] fields;
    private readonly int observations, states, available, actions, probabilities, rewards, fingerprints, terminated, mask, continueMask, previousActions;
    private Tensor block, host;
    private Field slots;
    private int rows;

    /// <summary>An empty batch.</summary>
    /// <param name="spec">the environment.</param>
    /// <param name="capacity">most episodes.</param>
    /// <param name="rewardStreams">R</param>
    /// <param name="device">where what is loaded is wanted; by default the CPU.</param>
    /// <param name="columns">more than the common ones.</param>
    public EpisodeBatch(EnvironmentSpec spec, int capacity, int rewardStreams, Device? device = null, params IEnumerable<Column> columns)
        : this(new Schema(spec, rewardStreams, columns), capacity, device ?? Device.Cpu)
    {
    }

    /// <param name="schema">the columns.</param>
    /// <param name="capacity">most episodes.</param>
    /// <param name="device">where what is loaded is wanted.</param>
    /// <param name="rows">rows of all episodes together to begin with; by default those of all at their limit, or of some.</param>
    internal EpisodeBatch(Schema schema, int capacity, Device device, long? rows = null)
    {
        (this.schema, this.device, Capacity) = (schema, device, capacity);
        columns = [.. schema.Stored, .. schema.Derived];
        fields = new Field[columns.Length];
        (observations, states, available, actions) = (At(Column.Observations), At(Column.States), At(Column.Available), At(Column.Actions));
        (probabilities, rewards, fingerprints) = (At(Column.Probabilities), At(Column.Rewards), At(Column.Fingerprint));
        (terminated, mask) = (At(Column.Terminated), At(Column.Mask));
        (continueMask, previousActions) = (At(Segment.ContinueMask), At(Segment.PreviousActions));
        Allocate(rows ?? Math.Min(InitialRows, (schema.Spec.EpisodeLimit + 1L) * capacity));

        int At(Column column) => Array.IndexOf(columns, column);
    }

    /// <summary>Most episodes that fit.</summary>
    public int Capacity { get; }

    /// <summary>T, the steps of the longest episode in it.</summary>
    public int Steps { get; private set; }

    /// <summary>B, the episodes in it.</summary>
    public int Count { get; private set; }

    /// <summary>[T+1, B, N, O]</summary>
    public Tensor Observations => View(observations, Steps + 1);

    /// <summary>[T+1, B, S]</summary>
    public Tensor States => View(states, Steps + 1);

    /// <summary>[T+1, B, N, A], 1 where available; all 0 in padding.</summary>
    public Tensor Available => View(available, Steps + 1);

    /// <summary>[T, B, N] the indices of actions.</summary>
    public Tensor Actions => View(actions, Steps);

    /// <summary>[T+1, B, N] with the action to bootstrap from after the last step of an episode, where the learner asks for it.</summary>
    public Tensor BootstrapActions => View(actions, Steps + 1);

    /// <summary>[T, B, N, A] continuous actions; 0 in padding.</summary>
    /// <exception cref="ArgumentException">the environment has none.</exception>
    public Tensor ContinuousActions => this[Column.ContinuousActions];

    /// <summary>[T, B, N] the probability with which each action was chosen; 1 in padding.</summary>
    public Tensor Probabilities => View(probabilities, Steps);

    /// <summary>[B, 2] when in training each episode was played.</summary>
    public Tensor Fingerprints => View(fingerprints, 0);

    /// <summary>[T, B, N] see <see cref="Column.Values"/>; undefined for episodes without.</summary>
    public Tensor Values => this[Column.Values];

    /// <summary>[T, B, N] see <see cref="Column.Returns"/>; undefined for episodes without.</summary>
    public Tensor Returns => this[Column.Returns];

    /// <summary>[T, B, N] see <see cref="Column.Advantages"/>; undefined for episodes without.</summary>
    public Tensor Advantages => this[Column.Advantages];

    /// <summary>[T, B, R], standardized if the learner does that.</summary>
    public Tensor Rewards => View(rewards, Steps);

    /// <summary>[T, B, 1]: 1 where an episode terminated.</summary>
    public Tensor Terminated => View(terminated, Steps);

    /// <summary>[T, B, 1]: 1 for transitions, 0 for padding and for the last rows of episodes.</summary>
    public Tensor Mask => View(mask, Steps);

    /// <summary>[T+1, B, N]: 0 where an episode begins within a segment, 1 elsewhere; none: episodes are whole.</summary>
    public Tensor ContinueMask => IsSegmented ? View(continueMask, Steps + 1) : default;

    /// <summary>Whether the episodes are segments, in which episodes end and begin.</summary>
    public bool IsSegmented => schema.IsSegmented;

    /// <summary>[T+1, B, N] the actions of the row before, of segments; what they are where an episode begins has no meaning.</summary>
    internal Tensor PreviousActions => View(previousActions, Steps + 1);

    /// <summary>[T, B, ..] a column, [T+1, B, ..] if it has a final row, or [B, ..] if it is per episode; undefined for episodes without.</summary>
    /// <exception cref="ArgumentException">the batch has no such column.</exception>
    public Tensor this[Column column] => Array.IndexOf(columns, column) is >= 0 and var at ? View(at, Steps + (column.HasFinalRow ? 1 : 0))
        : throw new ArgumentException($"this batch has no column '{column}'; an algorithm declares those that it needs");

    /// <summary>Whether it has a column.</summary>
    public bool Has(Column column) => Array.IndexOf(columns, column) >= 0;

    /// <summary>Replaces the content.</summary>
    /// <param name="episodes">as many as there is room for, at most.</param>
    /// <param name="rewardStatistics">standardizes the rewards; none: they stay as they are.</param>
    internal void Load(ReadOnlySpan<Episode> episodes, RunningStatistics? rewardStatistics = null)
    {
        Begin(episodes);
        var memory = block.Storage == host.Storage ? null : EpisodeMemory.CommonTo(episodes);
        for (int b = 0; b < Count; b++)
        {
            if (memory is null)
            {
                WriteColumns(b, episodes[b], 0, schema.Estimated);
            }
            else
            {
                WriteSlots(b, episodes[b], memory);
            }
            WriteColumns(b, episodes[b], schema.Estimated, schema.Stored.Count);
            WriteMasks(b, episodes[b]);
        }
        rewardStatistics?.StandardizeRewards(fields[rewards].Of(host).Slice(0, Steps * Count));
        CopyToDevice(memory is null ? 0 : UpdateOffset, host.Count);
        memory?.Gather(slots.Of(block).Slice(0, (Steps + 1) * Count), this);
    }

    /// <summary>Replaces the content by what was recorded alone.</summary>
    internal void LoadRecorded(ReadOnlySpan<Episode> episodes)
    {
        Begin(episodes);
        for (int b = 0; b < Count; b++)
        {
            WriteColumns(b, episodes[b], 0, schema.Recorded);
        }
        CopyToDevice(0, EstimatesOffset);
    }

    /// <summary>Adds the estimates of the episodes that <see cref="LoadRecorded"/> was given.</summary>
    internal void LoadEstimates(ReadOnlySpan<Episode> episodes)
    {
        for (int b = 0; b < Count; b++)
        {
            WriteColumns(b, episodes[b], schema.Recorded, schema.Estimated);
        }
        CopyToDevice(EstimatesOffset, UpdateOffset);
    }

    /// <summary>[(T+1) B, width]: one of the columns that do not depend on the update, in the order of the schema.</summary>
    internal Tensor FlatRows(int column)
    {
        var field = fields[column];
        int count = (Steps + 1) * Count;
        return field.Of(block).Slice(0, count).Reshape(count, field.Width);
    }

    private int EstimatesOffset => fields[schema.Recorded].Offset;

    private int UpdateOffset => fields[schema.Estimated].Offset;

    private void Begin(ReadOnlySpan<Episode> episodes)
    {
        if (episodes.Length > Capacity)
        {
            throw new ArgumentException($"{episodes.Length} episodes for a batch of {Capacity}");
        }
        Count = episodes.Length;
        Steps = 0;
        foreach (var episode in episodes)
        {
            Steps = Math.Max(Steps, episode.Length);
        }
        long needed = (Steps + 1L) * Count;
        if (needed > rows)
        {
            var before = block;
            Allocate(Math.Max(needed, Math.Min(2L * rows, (schema.Spec.EpisodeLimit + 1L) * Capacity)));
            before.Storage.Release();
        }
    }

    /// <summary>Makes room for so many rows.</summary>
    /// <exception cref="InsufficientMemoryException">a tensor cannot have so many elements.</exception>
    private void Allocate(long rows)
    {
        long size = 0;
        for (int i = 0; i < columns.Length; i++)
        {
            var shape = schema.RowShape(columns[i]);
            fields[i] = Rows(columns[i].PerEpisode ? Capacity : rows, shape.Count, shape);
        }
        slots = Rows(rows, 1, default);
        this.rows = (int)rows;
        host = Tensor.Zeros((int)size);
        block = device == Device.Cpu ? host : device.Zeros(host.Shape);

        Field Rows(long count, int width, Shape shape)
        {
            var field = ((int)size, width);
            // On a cache line each.
            size += (count * width + 15) / 16 * 16;
            return size <= Array.MaxLength - 64 ? new(field.Item1, (int)count, width, shape)
                : throw new InsufficientMemoryException($"a batch of {rows} rows of {schema.Spec.Id} has more elements than a tensor can hold");
        }
    }

    /// <summary>Some of the stored columns of an episode.</summary>
    private void WriteColumns(int b, Episode e, int first, int end)
    {
        for (int i = first; i < end; i++)
        {
            var (column, field) = (columns[i], fields[i]);
            var target = field.Of(host).Span;
            if (e.Find(column) is not { } data)
            {
                // Episodes without estimates leave what was there.
                if (column.Lifetime != ColumnLifetime.Estimated)
                {
                    Pad(column, field, target, b);
                }
            }
            else if (column.PerEpisode)
            {
                data.WriteTo(target.Slice(b * field.Width, field.Width), 0, 1, 1);
            }
            else
            {
                data.WriteTo(target[..((Steps + 1) * Count * field.Width)], b, Count, e.RowsOf(column));
            }
        }
    }

    private void Pad(Column column, Field field, Span<float> target, int b)
    {
        if (column.PerEpisode)
        {
            target.Slice(b * field.Width, field.Width).Fill(column.Padding);
            return;
        }
        ColumnData.Pad(target[..((Steps + 1) * Count * field.Width)], b, Count, field.Width, column.Padding);
    }

    private void WriteSlots(int b, Episode e, EpisodeMemory memory)
    {
        var place = slots.Of(host).Span;
        for (int t = 0; t <= Steps; t++)
        {
            place[t * Count + b] = memory.Row(e, t);
        }
    }

    /// <summary>What follows from where episodes end and begin.</summary>
    private void WriteMasks(int b, Episode e)
    {
        Span<float> ends = Host(terminated), valid = Host(mask);
        if (!IsSegmented)
        {
            for (int t = 0; t <= Steps; t++)
            {
                ends[t * Count + b] = t == e.Length - 1 && e.Terminated ? 1f : 0f;
                valid[t * Count + b] = t < e.Length ? 1f : 0f;
            }
            return;
        }
        Segment.Write(e, Host(continueMask), Host(previousActions), ends, valid, b, Count, Steps);

        Span<float> Host(int column) => fields[column].Of(host).Span;
    }

    /// <summary>A part of the block goes to the device, in one transfer.</summary>
    private void CopyToDevice(int first, int end)
    {
        if (block.Storage != host.Storage)
        {
            host.Slice(first, end - first).CopyTo(block.Slice(first, end - first));
        }
    }

    private Tensor View(int column, int steps)
    {
        var field = fields[column];
        var shape = field.RowShape;
        if (columns[column].PerEpisode)
        {
            var perEpisode = field.Of(block).Slice(0, Count);
            return shape.Rank == 2 ? perEpisode.Reshape(Count, shape[0], shape[1]) : perEpisode;
        }
        var prefix = field.Of(block).Slice(0, steps * Count);
        return shape.Rank == 2 ? prefix.Reshape(steps, Count, shape[0], shape[1]) : prefix.Reshape(steps, Count, shape[0]);
    }

    /// <summary>Where a column stands in the block: [rows, width].</summary>
    private readonly record struct Field(int Offset, int Rows, int Width, Shape RowShape)
    {
        public Tensor Of(Tensor block) => new(block.Storage, block.Offset + Offset, new Shape(Rows, Width));
    }
}
