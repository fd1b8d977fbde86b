using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A batch of episodes, time-major and padded: row t of all episodes is a contiguous slice. The mask of padding is 0; losses have to multiply by it.
/// Termination and truncation are distinguished: <see cref="Terminated"/> is 1 only for the last step of a terminated episode. Memory grows with the number
/// of loaded rows.
/// </summary>
/// <example>
/// The values of the recorded actions:
/// <code>
/// static Var ValuesOfActions(Agent agent, Weights w, EpisodeBatch batch)
/// {
///     Var q = agent.Forward(w, batch).Slice(0, 0, batch.Steps);                    // [T, B, N, A]
///     return q.Gather(batch.Actions.Reshape(batch.Actions.Shape.Append(1)));       // [T, B, N, 1]
/// }
/// </code>
/// </example>
public sealed class EpisodeBatch
{
    /// <summary>The maximum initial capacity in rows.</summary>
    private const long InitialRows = 4096;

    // All columns are slices of one block, which is filled in host memory and copied to the device; on the CPU both are the same. Recorded columns come
    // first, then estimated ones, then those that depend on the update. Only the last are copied if the episodes are in device memory.
    private readonly Schema schema;
    private readonly Device device;
    private readonly Column[] columns;
    private readonly Field[] fields;
    private readonly int observations, states, available, actions, probabilities, rewards, fingerprints, terminated, mask, continueMask, previousActions;
    private Tensor block, host;
    private Field slots, factors;
    private int rows;

    /// <summary>Creates an empty batch.</summary>
    /// <param name="spec">The specification of the environment.</param>
    /// <param name="capacity">The maximum number of episodes.</param>
    /// <param name="rewardStreams">R, the number of reward streams.</param>
    /// <param name="device">The device of the tensors; by default the CPU.</param>
    /// <param name="columns">Additional columns.</param>
    public EpisodeBatch(EnvironmentSpec spec, int capacity, int rewardStreams, Device? device = null, params IEnumerable<Column> columns)
        : this(new Schema(spec, rewardStreams, columns), capacity, device ?? Device.Cpu)
    {
    }

    /// <summary>Creates an empty batch.</summary>
    /// <param name="schema">The columns.</param>
    /// <param name="capacity">The maximum number of episodes.</param>
    /// <param name="device">The device of the tensors.</param>
    /// <param name="rows">The initial capacity in rows of all episodes; by default that of episodes with the maximum length, or 4,096 if that is less.</param>
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

    /// <summary>The maximum number of episodes.</summary>
    public int Capacity { get; }

    /// <summary>T, the number of steps of the longest episode.</summary>
    public int Steps { get; private set; }

    /// <summary>B, the number of episodes.</summary>
    public int Count { get; private set; }

    /// <summary>[T+1, B, N, O] The observations.</summary>
    public Tensor Observations => View(observations, Steps + 1);

    /// <summary>[T+1, B, S] The states.</summary>
    public Tensor States => View(states, Steps + 1);

    /// <summary>[T+1, B, N, A] 1 for available actions, else 0; 0 in padding.</summary>
    public Tensor Available => View(available, Steps + 1);

    /// <summary>[T, B, N] The indices of discrete actions, or [T, B, N, K] those of K branches.</summary>
    public Tensor Actions => View(actions, Steps);

    /// <summary>[T+1, B, N] or [T+1, B, N, K] The actions, followed by the bootstrap action after the last step of an episode, if the learner requests it.</summary>
    public Tensor BootstrapActions => View(actions, Steps + 1);

    /// <summary>[T, B, N, D] The continuous actions; 0 in padding.</summary>
    /// <exception cref="ArgumentException">The environment has discrete actions.</exception>
    public Tensor ContinuousActions => this[Column.ContinuousActions];

    /// <summary>[T, B, N] The probability of each action under the behavior policy; 1 in padding.</summary>
    public Tensor Probabilities => View(probabilities, Steps);

    /// <summary>[B, 2] The <see cref="Fingerprint"/> of each episode.</summary>
    public Tensor Fingerprints => View(fingerprints, 0);

    /// <summary>[T, B, N] <see cref="Column.Values"/>; undefined for episodes without this column.</summary>
    public Tensor Values => this[Column.Values];

    /// <summary>[T, B, N] <see cref="Column.Returns"/>; undefined for episodes without this column.</summary>
    public Tensor Returns => this[Column.Returns];

    /// <summary>[T, B, N] <see cref="Column.Advantages"/>; undefined for episodes without this column.</summary>
    public Tensor Advantages => this[Column.Advantages];

    /// <summary>[T, B, R] The rewards, standardized if the learner does so.</summary>
    public Tensor Rewards => View(rewards, Steps);

    /// <summary>[T, B, 1] 1 for the last step of a terminated episode, else 0.</summary>
    public Tensor Terminated => View(terminated, Steps);

    /// <summary>[T, B, 1] 1 for transitions, 0 for padding and for the last rows of episodes.</summary>
    public Tensor Mask => View(mask, Steps);

    /// <summary>[T+1, B, N] 0 in the first row of an episode of a segment, else 1; none if the batch has complete episodes.</summary>
    public Tensor ContinueMask => IsSegmented ? View(continueMask, Steps + 1) : default;

    /// <summary>Whether the batch has segments, in which episodes end and begin, instead of complete episodes.</summary>
    public bool IsSegmented => schema.IsSegmented;

    /// <summary>[T+1, B, N] or [T+1, B, N, K] The actions of the previous row of segments; undefined in the first row of an episode.</summary>
    internal Tensor PreviousActions => View(previousActions, Steps + 1);

    /// <summary>Returns a column [T, B, ..], [T+1, B, ..] if it has a final row, or [B, ..] if it is per episode; undefined for episodes without this
    /// column.</summary>
    /// <exception cref="ArgumentException">The batch has no such column.</exception>
    public Tensor this[Column column] => Array.IndexOf(columns, column) is >= 0 and var at ? View(at, Steps + (column.HasFinalRow ? 1 : 0))
        : throw new ArgumentException($"this batch has no column '{column}'; declare it in Objective.Columns");

    /// <summary>Returns whether the batch has a column.</summary>
    public bool Has(Column column) => Array.IndexOf(columns, column) >= 0;

    /// <summary>Replaces the contents of the batch.</summary>
    /// <param name="episodes">The episodes, at most <see cref="Capacity"/>.</param>
    /// <param name="rewardStatistics">The statistics with which rewards are standardized; null: they are not.</param>
    /// <param name="factors">The first of <see cref="Factor"/>.</param>
    internal void Load(ReadOnlySpan<Episode> episodes, RunningStatistics? rewardStatistics = null, ReadOnlySpan<float> factors = default)
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
        factors.CopyTo(this.factors.Of(host).Span);
        CopyToDevice(memory is null ? 0 : UpdateOffset, host.Count);
        memory?.Gather(slots.Of(block).Slice(0, (Steps + 1) * Count), this);
    }

    /// <summary>Replaces the contents by the recorded columns.</summary>
    internal void LoadRecorded(ReadOnlySpan<Episode> episodes)
    {
        Begin(episodes);
        for (int b = 0; b < Count; b++)
        {
            WriteColumns(b, episodes[b], 0, schema.Recorded);
        }
        CopyToDevice(0, EstimatesOffset);
    }

    /// <summary>Replaces the contents by recorded columns that are on the device already, see <see cref="RecordedBlock"/>.</summary>
    internal void BeginRecorded(ReadOnlySpan<Episode> episodes) => Begin(episodes);

    /// <summary>The recorded columns of all rows within the capacity.</summary>
    internal Tensor RecordedBlock => block.Slice(0, EstimatesOffset);

    /// <summary>Returns where a column begins in <see cref="RecordedBlock"/>.</summary>
    internal int OffsetOf(Column column) => fields[Array.IndexOf(columns, column)].Offset;

    /// <summary>Adds the estimated columns of the episodes that <see cref="LoadRecorded"/> loaded.</summary>
    internal void LoadEstimates(ReadOnlySpan<Episode> episodes)
    {
        for (int b = 0; b < Count; b++)
        {
            WriteColumns(b, episodes[b], schema.Recorded, schema.Estimated);
        }
        CopyToDevice(EstimatesOffset, UpdateOffset);
    }

    /// <summary>Returns the rows [(T+1) B, width] of a column that does not depend on the update, by its index in the schema.</summary>
    internal Tensor FlatRows(int column)
    {
        var field = fields[column];
        int count = (Steps + 1) * Count;
        return field.Of(block).Slice(0, count).Reshape(count, field.Width);
    }

    /// <summary>The number of factors.</summary>
    internal int Factors => schema.Spec.Agents.Length + 2;

    /// <summary>A factor of the losses of this batch, a scalar in the memory of the device.</summary>
    internal Tensor Factor(int index) => factors.Of(block).Slice(index, 1).Reshape(default(Shape));

    private int EstimatesOffset => fields[schema.Recorded].Offset;

    private int UpdateOffset => fields[schema.Estimated].Offset;

    private void Begin(ReadOnlySpan<Episode> episodes)
    {
        if (episodes.Length > Capacity)
        {
            throw new ArgumentException($"{episodes.Length} episodes exceed the capacity of the batch, {Capacity}");
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

    /// <summary>Allocates memory for a number of rows.</summary>
    /// <exception cref="InsufficientMemoryException">The number of elements exceeds that of a tensor.</exception>
    private void Allocate(long rows)
    {
        long size = 0;
        for (int i = 0; i < columns.Length; i++)
        {
            var shape = schema.RowShape(columns[i]);
            fields[i] = Rows(columns[i].PerEpisode ? Capacity : rows, shape.Count, shape);
        }
        slots = Rows(rows, 1, default);
        factors = Rows(Factors, 1, default);
        this.rows = (int)rows;
        host = Tensor.Zeros((int)size);
        block = device == Device.Cpu ? host : device.Zeros(host.Shape);

        Field Rows(long count, int width, Shape shape)
        {
            var field = ((int)size, width);
            // Columns are aligned to cache lines.
            size += (count * width + 15) / 16 * 16;
            return size <= Array.MaxLength - 64 ? new(field.Item1, (int)count, width, shape)
                : throw new InsufficientMemoryException($"a batch of {rows} rows of {schema.Spec.Id} has more elements than a tensor can hold");
        }
    }

    /// <summary>Writes the stored columns first .. end - 1 of an episode.</summary>
    private void WriteColumns(int b, Episode e, int first, int end)
    {
        for (int i = first; i < end; i++)
        {
            var (column, field) = (columns[i], fields[i]);
            var target = field.Of(host).Span;
            if (e.Find(column) is not { } data)
            {
                // The estimates of episodes without them are undefined.
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
        var rows = slots.Of(host).Span;
        for (int t = 0; t <= Steps; t++)
        {
            rows[t * Count + b] = memory.Row(e, t);
        }
    }

    /// <summary>Writes the columns that follow from the first and last rows of episodes.</summary>
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

    /// <summary>Copies a range of the block to the device in one transfer.</summary>
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

    /// <summary>The location [rows, width] of a column in the block.</summary>
    private readonly record struct Field(int Offset, int Rows, int Width, Shape RowShape)
    {
        public Tensor Of(Tensor block) => new(block.Storage, block.Offset + Offset, new Shape(Rows, Width));
    }
}
