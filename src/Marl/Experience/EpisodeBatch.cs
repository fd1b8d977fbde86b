namespace Marl.Native.Rl;

/// <summary>
/// Episodes side by side for learning, time-major and padded: row t of all episodes is one contiguous slice. Padding carries a mask of 0, and only
/// the losses look at the mask. Termination and truncation are told apart: <see cref="Terminated"/> is 1 only where an episode came to its own end.
/// </summary>
public sealed class EpisodeBatch
{
    private readonly Tensor observations, states, available, actions, rewards, terminated, mask;

    /// <summary>Room for <paramref name="capacity"/> episodes.</summary>
    public EpisodeBatch(EnvironmentSpec spec, int capacity, int rewardStreams, Device? device = null)
    {
        device ??= Device.Cpu;
        int rows = spec.EpisodeLimit + 1, n = spec.Agents.Length;
        Capacity = capacity;
        observations = device.Zeros(new Shape(rows * capacity, n, spec.ObservationSize));
        states = device.Zeros(new Shape(rows * capacity, spec.StateSize));
        available = device.Zeros(new Shape(rows * capacity, n, spec.ActionCount));
        actions = device.Zeros(new Shape(rows * capacity, n));
        rewards = device.Zeros(new Shape(rows * capacity, rewardStreams));
        terminated = device.Zeros(new Shape(rows * capacity, 1));
        mask = device.Zeros(new Shape(rows * capacity, 1));
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

    /// <summary>[T, B, N]</summary>
    public Tensor Actions => View(actions, Steps);

    /// <summary>[T, B, R]</summary>
    public Tensor Rewards => View(rewards, Steps);

    /// <summary>[T, B, 1]</summary>
    public Tensor Terminated => View(terminated, Steps);

    /// <summary>[T, B, 1]: 1 for the steps that happened.</summary>
    public Tensor Mask => View(mask, Steps);

    /// <summary>Replaces the content.</summary>
    public void Load(ReadOnlySpan<Episode> episodes)
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
        for (int b = 0; b < Count; b++)
        {
            var e = episodes[b];
            for (int t = 0; t <= Steps; t++)
            {
                bool seen = t <= e.Length, done = t < e.Length;
                Put(observations, t, b, seen ? e.Observations : default);
                Put(states, t, b, seen ? e.States : default);
                PutFlags(available, t, b, seen ? e.Available : default);
                PutIndices(actions, t, b, done ? e.Actions : default);
                Put(rewards, t, b, done ? e.Rewards : default);
                Cell(terminated, t, b)[0] = t == e.Length - 1 && e.Terminated ? 1f : 0f;
                Cell(mask, t, b)[0] = done ? 1f : 0f;
            }
        }
    }

    private Tensor View(Tensor rows, int steps)
    {
        var shape = rows.Shape;
        var prefix = rows.Slice(0, steps * Count);
        return shape.Rank == 3 ? prefix.Reshape(steps, Count, shape[1], shape[2]) : prefix.Reshape(steps, Count, shape[1]);
    }

    /// <summary>What belongs to episode b at row t.</summary>
    private Span<float> Cell(Tensor rows, int t, int b)
    {
        int size = rows.Shape.Product(1, rows.Shape.Rank);
        return rows.Storage.Span(rows.Offset + (t * Count + b) * size, size);
    }

    private void Put(Tensor rows, int t, int b, ReadOnlySpan<float> source)
    {
        var cell = Cell(rows, t, b);
        if (source.IsEmpty)
        {
            cell.Clear();
        }
        else
        {
            source.Slice(t * cell.Length, cell.Length).CopyTo(cell);
        }
    }

    private void PutFlags(Tensor rows, int t, int b, ReadOnlySpan<bool> source)
    {
        var cell = Cell(rows, t, b);
        for (int i = 0; i < cell.Length; i++)
        {
            cell[i] = !source.IsEmpty && source[t * cell.Length + i] ? 1f : 0f;
        }
    }

    private void PutIndices(Tensor rows, int t, int b, ReadOnlySpan<int> source)
    {
        var cell = Cell(rows, t, b);
        for (int i = 0; i < cell.Length; i++)
        {
            cell[i] = source.IsEmpty ? 0f : source[t * cell.Length + i];
        }
    }
}
