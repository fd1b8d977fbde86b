using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Episodes side by side for learning, time-major and padded: row t of all episodes is one contiguous slice. Padding carries a mask of 0, and only
/// the losses look at the mask. Termination and truncation are told apart: <see cref="Terminated"/> is 1 only where an episode came to its own end.
/// </summary>
public sealed class EpisodeBatch
{
    /// <summary>How many of the <see cref="Kept"/> fields are what was lived, and how many there are with what critics made of it.</summary>
    internal const int Recorded = 6, Estimated = 11;

    // Every field is a part of one block, which is filled in this process and goes to the device as a whole; on the CPU the two are the same. It begins with
    // the record of the episodes, then come the estimates, then what depends on the update. Of episodes that are on the device already goes only the last.
    private readonly Tensor block, host;
    private readonly Field observations, states, available, actions, vectors, probabilities, values, returns, advantages, extrinsicReturns,
        extrinsicAdvantages, rewards, terminated, mask, fingerprints, places;
    private readonly Field[] kept;
    private readonly int rows;

    /// <summary>Room for <paramref name="capacity"/> episodes.</summary>
    /// <param name="spec">the environment.</param>
    /// <param name="capacity">how many.</param>
    /// <param name="rewardStreams">R</param>
    /// <param name="device">where what is loaded is wanted; by default the CPU.</param>
    /// <param name="longest">how many of the longest there is room for: of shorter ones for as many more, up to the capacity; by default for all.</param>
    public EpisodeBatch(EnvironmentSpec spec, int capacity, int rewardStreams, Device? device = null, int? longest = null)
    {
        int n = spec.Agents.Length, size = 0;
        rows = (spec.EpisodeLimit + 1) * (longest ?? capacity);
        Capacity = capacity;
        observations = Rows(rows, n, spec.ObservationSize);
        states = Rows(rows, spec.StateSize);
        available = Rows(rows, n, spec.ActionCount);
        actions = Rows(rows, n);
        vectors = Rows(rows, n, spec.IsContinuous ? spec.ActionCount : 0);
        probabilities = Rows(rows, n);
        values = Rows(rows, n);
        returns = Rows(rows, n);
        advantages = Rows(rows, n);
        extrinsicReturns = Rows(rows, 1);
        extrinsicAdvantages = Rows(rows, 1);
        rewards = Rows(rows, rewardStreams);
        terminated = Rows(rows, 1);
        mask = Rows(rows, 1);
        fingerprints = Rows(capacity, Fingerprint.Size);
        places = Rows(rows);
        kept = [observations, states, available, actions, vectors, probabilities, values, returns, advantages, extrinsicReturns, extrinsicAdvantages];
        host = Tensor.Zeros(size);
        block = device is null || device == Device.Cpu ? host : device.Zeros(host.Shape);

        Field Rows(params ReadOnlySpan<int> lengths)
        {
            var field = new Field(size, new Shape(lengths));
            // On a cache line each.
            size += (field.Shape.Count + 15) / 16 * 16;
            return field;
        }
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

    /// <summary>[T, B, N] the indices of what was done.</summary>
    public Tensor Actions => View(actions, Steps);

    /// <summary>[T, B, N, A] what was done where actions are numbers, else [T, B, N, 0]; 0 in padding.</summary>
    public Tensor Vectors => View(vectors, Steps);

    /// <summary>[T+1, B, N] with what would have been done after the last step of an episode, where the learner asks for it.</summary>
    public Tensor ActionsBeyond => View(actions, Steps + 1);

    /// <summary>[T, B, N] the probability with which each action was chosen; 1 in padding.</summary>
    public Tensor Probabilities => View(probabilities, Steps);

    /// <summary>[B, 2] when in training each episode was played.</summary>
    public Tensor Fingerprints => fingerprints.Of(block).Slice(0, Count);

    /// <summary>[T, B, N] see <see cref="Estimates"/>; undefined for episodes without.</summary>
    public Tensor Values => View(values, Steps);

    /// <inheritdoc cref="Values"/>
    public Tensor Returns => View(returns, Steps);

    /// <inheritdoc cref="Values"/>
    public Tensor Advantages => View(advantages, Steps);

    /// <summary>[T, B, 1] see <see cref="Estimates"/>; undefined for episodes without.</summary>
    public Tensor ExtrinsicReturns => View(extrinsicReturns, Steps);

    /// <inheritdoc cref="ExtrinsicReturns"/>
    public Tensor ExtrinsicAdvantages => View(extrinsicAdvantages, Steps);

    /// <summary>[T, B, R], standardised if the learner does that.</summary>
    public Tensor Rewards => View(rewards, Steps);

    /// <summary>[T, B, 1]</summary>
    public Tensor Terminated => View(terminated, Steps);

    /// <summary>[T, B, 1]: 1 for the steps that happened.</summary>
    public Tensor Mask => View(mask, Steps);

    /// <summary>Replaces the content.</summary>
    /// <param name="episodes">as many as there is room for, at most.</param>
    /// <param name="rewardStatistics">standardises the rewards; none: they stay as they are.</param>
    public void Load(ReadOnlySpan<Episode> episodes, RunningStatistics? rewardStatistics = null)
    {
        Begin(episodes);
        var memory = block.Storage == host.Storage ? null : EpisodeMemory.OfAll(episodes);
        for (int b = 0; b < Count; b++)
        {
            if (memory is null)
            {
                PutRecord(b, episodes[b]);
                PutEstimates(b, episodes[b]);
            }
            else
            {
                PutPlaces(b, episodes[b], memory);
            }
            PutUpdate(b, episodes[b]);
        }
        rewardStatistics?.Normalise(rewards.Of(host).Slice(0, Steps * Count));
        Send(memory is null ? 0 : rewards.Offset, host.Count);
        memory?.Gather(places.Of(block).Slice(0, (Steps + 1) * Count), this);
    }

    /// <summary>Replaces the content by what was lived alone.</summary>
    internal void LoadRecord(ReadOnlySpan<Episode> episodes)
    {
        Begin(episodes);
        for (int b = 0; b < Count; b++)
        {
            PutRecord(b, episodes[b]);
        }
        Send(0, values.Offset);
    }

    /// <summary>Adds what critics made of the episodes that <see cref="LoadRecord"/> was given.</summary>
    internal void LoadEstimates(ReadOnlySpan<Episode> episodes)
    {
        for (int b = 0; b < Count; b++)
        {
            PutEstimates(b, episodes[b]);
        }
        Send(values.Offset, rewards.Offset);
    }

    /// <summary>How many numbers an episode has in a row of each field that is the same in every batch, see <see cref="Kept"/>.</summary>
    internal static int[] Widths(EnvironmentSpec spec)
    {
        int n = spec.Agents.Length;
        return [n * spec.ObservationSize, spec.StateSize, n * spec.ActionCount, n, spec.IsContinuous ? n * spec.ActionCount : 0, n, n, n, n, 1, 1];
    }

    /// <summary>Which of these fields is not 0 in padding, but 1: the probabilities.</summary>
    internal const int PaddedWithOnes = 5;

    /// <summary>[(T+1) B, width]: one of the fields that do not depend on the update, first those that were lived, then the estimates.</summary>
    internal Tensor Kept(int field)
    {
        var rows = kept[field];
        int count = (Steps + 1) * Count;
        return rows.Of(block).Slice(0, count).Reshape(count, rows.Shape.Product(1, rows.Shape.Rank));
    }

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
        if ((Steps + 1) * Count > rows)
        {
            throw new ArgumentException($"{Count} episodes of up to {Steps} steps for a batch of {rows} rows");
        }
    }

    private void PutRecord(int b, Episode e)
    {
        Put(b, e.Observations, e.Length + 1, observations);
        Put(b, e.States, e.Length + 1, states);
        PutFlags(b, e.Available, e.Length + 1, available);
        PutIndices(b, e.Actions, e.Length + 1, actions);
        Put(b, e.Vectors, e.Vectors.Length > 0 ? e.Length : 0, vectors);
        Put(b, e.Probabilities, e.Length, probabilities, padding: 1f);
    }

    private void PutEstimates(int b, Episode e)
    {
        if (e.Estimates is { } estimates)
        {
            Put(b, estimates.Values, e.Length, values);
            Put(b, estimates.Returns, e.Length, returns);
            Put(b, estimates.Advantages, e.Length, advantages);
            Put(b, estimates.ExtrinsicReturns, e.Length, extrinsicReturns);
            Put(b, estimates.ExtrinsicAdvantages, e.Length, extrinsicAdvantages);
        }
    }

    private void PutPlaces(int b, Episode e, EpisodeMemory memory)
    {
        var place = places.Of(host).Span;
        for (int t = 0; t <= Steps; t++)
        {
            place[t * Count + b] = memory.Row(e, t);
        }
    }

    private void PutUpdate(int b, Episode e)
    {
        Put(b, e.Rewards, e.Length, rewards);
        var fingerprint = fingerprints.Of(host)[b].Span;
        (fingerprint[0], fingerprint[1]) = (e.Fingerprint.Progress, e.Fingerprint.Exploration);
        Span<float> ends = terminated.Of(host).Span, lived = mask.Of(host).Span;
        for (int t = 0; t <= Steps; t++)
        {
            ends[t * Count + b] = t == e.Length - 1 && e.Terminated ? 1f : 0f;
            lived[t * Count + b] = t < e.Length ? 1f : 0f;
        }
    }

    /// <summary>A part of the block goes to the device, in one transfer.</summary>
    private void Send(int first, int end)
    {
        if (block.Storage != host.Storage)
        {
            host.Slice(first, end - first).CopyTo(block.Slice(first, end - first));
        }
    }

    private Tensor View(Field rows, int steps)
    {
        var shape = rows.Shape;
        var prefix = rows.Of(block).Slice(0, steps * Count);
        return shape.Rank == 3 ? prefix.Reshape(steps, Count, shape[1], shape[2]) : prefix.Reshape(steps, Count, shape[1]);
    }

    /// <summary>The rows that an episode lived, and padding after them, as its rows of the batch.</summary>
    private void Put(int b, ReadOnlySpan<float> source, int lived, Field target, float padding = 0f)
    {
        int size = target.Shape.Product(1, target.Shape.Rank);
        var rows = target.Of(host).Span;
        for (int t = 0; t <= Steps; t++)
        {
            var row = rows.Slice((t * Count + b) * size, size);
            if (t < lived)
            {
                source.Slice(t * size, size).CopyTo(row);
            }
            else
            {
                row.Fill(padding);
            }
        }
    }

    private void PutFlags(int b, ReadOnlySpan<bool> source, int lived, Field target)
    {
        int size = target.Shape.Product(1, target.Shape.Rank);
        var rows = target.Of(host).Span;
        for (int t = 0; t <= Steps; t++)
        {
            var row = rows.Slice((t * Count + b) * size, size);
            var flags = t < lived ? source.Slice(t * size, size) : default;
            for (int i = 0; i < row.Length; i++)
            {
                row[i] = i < flags.Length && flags[i] ? 1f : 0f;
            }
        }
    }

    private void PutIndices(int b, ReadOnlySpan<int> source, int lived, Field target)
    {
        int size = target.Shape.Product(1, target.Shape.Rank);
        var rows = target.Of(host).Span;
        for (int t = 0; t <= Steps; t++)
        {
            var row = rows.Slice((t * Count + b) * size, size);
            var indices = t < lived ? source.Slice(t * size, size) : default;
            for (int i = 0; i < row.Length; i++)
            {
                row[i] = i < indices.Length ? indices[i] : 0f;
            }
        }
    }

    /// <summary>Where a field stands in the block, and its shape with the first two axes as one.</summary>
    private readonly record struct Field(int Offset, Shape Shape)
    {
        public Tensor Of(Tensor block) => new(block.Storage, block.Offset + Offset, Shape);
    }
}
