namespace Marl.Native.Rl;

/// <summary>A replay buffer of the last <see cref="Capacity"/> episodes: a new episode replaces the oldest one.</summary>
internal sealed class ReplayBuffer
{
    private readonly ReplayMemory? memory;
    private readonly List<Episode> episodes = [];
    private int[] drawn = [];
    private int oldest;

    /// <summary>Creates an empty buffer.</summary>
    public ReplayBuffer(int capacity) => Capacity = capacity;

    /// <summary>Creates an empty buffer with copies of its episodes in device memory.</summary>
    /// <param name="capacity">The <see cref="Capacity"/>.</param>
    /// <param name="memory">The device memory with the same capacity; null: there are no copies.</param>
    internal ReplayBuffer(int capacity, ReplayMemory? memory) : this(capacity) => this.memory = memory;

    /// <summary>The maximum number of episodes.</summary>
    public int Capacity { get; }

    /// <summary>The number of episodes.</summary>
    public int Count => episodes.Count;

    /// <summary>Adds an episode and returns the evicted one, which can be reused; null if the buffer was not full.</summary>
    public Episode? Add(Episode episode)
    {
        if (episodes.Count < Capacity)
        {
            memory?.Store(episode, episodes.Count);
            episodes.Add(episode);
            return null;
        }
        var evicted = episodes[oldest];
        evicted.Memory = null;
        memory?.Store(episode, oldest);
        episodes[oldest] = episode;
        oldest = (oldest + 1) % Capacity;
        return evicted;
    }

    /// <summary>Samples distinct episodes uniformly (Floyd's algorithm).</summary>
    /// <exception cref="InvalidOperationException">The buffer has fewer episodes.</exception>
    public void Sample(Span<Episode> sample, ref Rng rng)
    {
        RequireCount(sample.Length);
        if (drawn.Length < sample.Length)
        {
            drawn = new int[sample.Length];
        }
        for (int i = 0; i < sample.Length; i++)
        {
            int last = Count - sample.Length + i;
            int index = rng.NextInt(last + 1);
            drawn[i] = drawn.AsSpan(0, i).Contains(index) ? last : index;
            sample[i] = episodes[drawn[i]];
        }
    }

    /// <summary>Samples distinct episodes uniformly from those in which an ensemble member played.</summary>
    /// <returns>Whether there are enough of them.</returns>
    public bool Sample(Span<Episode> sample, int member, ref Rng rng)
    {
        // Selection sampling (Knuth, The Art of Computer Programming 3.4.2, algorithm S), in the order of the ring buffer.
        int candidates = 0, remaining = sample.Length;
        foreach (var episode in episodes)
        {
            candidates += episode.Members.Contains(member) ? 1 : 0;
        }
        if (candidates < remaining)
        {
            return false;
        }
        foreach (var episode in episodes)
        {
            if (remaining == 0)
            {
                break;
            }
            if (episode.Members.Contains(member) && rng.NextInt(candidates--) < remaining)
            {
                sample[^remaining--] = episode;
            }
        }
        return true;
    }

    /// <summary>Returns the episodes that were added last, the newest first.</summary>
    /// <exception cref="InvalidOperationException">The buffer has fewer episodes.</exception>
    public void Latest(Span<Episode> latest)
    {
        RequireCount(latest.Length);
        for (int i = 0; i < latest.Length; i++)
        {
            latest[i] = episodes[(oldest + Count - 1 - i) % Count];
        }
    }

    /// <summary>Saves or restores all episodes, in the order of the ring buffer, without estimated columns.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="create">Creates an empty episode.</param>
    /// <exception cref="InvalidDataException">The archived data does not match.</exception>
    public void Archive(IArchive archive, Func<Episode> create)
    {
        var (template, count) = (create(), Count);
        archive.Value("oldest", ref oldest, 0, Capacity - 1);
        archive.Value("count", ref count, 0, Capacity);
        int[] lengths = new int[count];
        bool[] terminated = new bool[count];
        for (int i = 0; i < Count && i < count; i++)
        {
            (lengths[i], terminated[i]) = (episodes[i].Length, episodes[i].Terminated);
        }
        archive.Array<int>("lengths", lengths);
        archive.Array<bool>("terminated", terminated);
        if (archive.IsLoading)
        {
            episodes.Clear();
            for (int i = 0; i < count; i++)
            {
                if (lengths[i] < 0 || lengths[i] > template.Limit)
                {
                    throw new InvalidDataException($"an episode of the replay buffer cannot have {lengths[i]} steps");
                }
                var episode = create();
                (episode.Length, episode.Terminated) = (lengths[i], terminated[i]);
                episodes.Add(episode);
            }
        }
        var columns = archive.Scope("columns");
        foreach (var data in template.Stored.Where(data => data.Column.Lifetime != ColumnLifetime.Estimated))
        {
            data.Archive(columns, episodes);
        }
        double[] returns = [.. episodes.SelectMany(episode => episode.TeamReturns)];
        archive.Array<double>("teamReturns", returns);
        for (int i = 0; archive.IsLoading && i < Count; i++)
        {
            returns.AsSpan(i * episodes[i].TeamReturns.Length, episodes[i].TeamReturns.Length).CopyTo(episodes[i].TeamReturns);
            RequireActions(episodes[i]);
            memory?.Store(episodes[i], i);
        }
    }

    private void RequireCount(int count)
    {
        if (count > Count)
        {
            throw new InvalidOperationException($"cannot sample {count} of {Count} episodes");
        }
    }

    /// <summary>Throws if an agent of a restored episode has an action that it does not have, or an ensemble member that cannot be.</summary>
    private static void RequireActions(Episode episode)
    {
        for (int row = 0; row <= episode.Length; row++)
        {
            foreach (int action in episode.ActionsAt(row))
            {
                if (action < 0 || action >= episode.ActionLimit)
                {
                    throw new InvalidDataException($"an episode of the replay buffer has the action {action}; it must be in 0 .. {episode.ActionLimit - 1}");
                }
            }
        }
        foreach (int member in episode.Members)
        {
            if (member < 0)
            {
                throw new InvalidDataException($"an episode of the replay buffer has the ensemble member {member}");
            }
        }
    }
}
