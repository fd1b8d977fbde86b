namespace Marl.Native.Rl;

/// <summary>The last <see cref="Capacity"/> episodes; the oldest makes room for a new one.</summary>
internal sealed class ReplayBuffer
{
    private readonly ReplayMemory? memory;
    private readonly List<Episode> episodes = [];
    private int[] drawn = [];
    private int oldest;

    /// <summary>An empty one.</summary>
    public ReplayBuffer(int capacity) => Capacity = capacity;

    /// <summary>One whose episodes are on a device too.</summary>
    /// <param name="capacity">see <see cref="Capacity"/>.</param>
    /// <param name="memory">with room for as many; none: they are only here.</param>
    internal ReplayBuffer(int capacity, ReplayMemory? memory) : this(capacity) => this.memory = memory;

    /// <summary>Most episodes kept.</summary>
    public int Capacity { get; }

    /// <summary>Episodes kept.</summary>
    public int Count => episodes.Count;

    /// <summary>Takes an episode and gives back one to be written over: the oldest, or none while there is room.</summary>
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

    /// <summary>Draws different episodes, uniformly (Floyd's sampling without replacement).</summary>
    /// <exception cref="InvalidOperationException">fewer are kept than are wanted.</exception>
    public void Sample(Span<Episode> sample, ref Rng rng)
    {
        if (sample.Length > Count)
        {
            throw new InvalidOperationException($"a sample of {sample.Length} of {Count} episodes");
        }
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

    /// <summary>Draws different episodes, uniformly of those that a member of the agents' ensembles played in.</summary>
    /// <returns>whether there are enough of them.</returns>
    public bool Sample(Span<Episode> sample, int member, ref Rng rng)
    {
        // Selection sampling (Knuth, The Art of Computer Programming 3.4.2, algorithm S), in the order of the ring.
        int left = 0, wanted = sample.Length;
        foreach (var episode in episodes)
        {
            left += episode.Members.Contains(member) ? 1 : 0;
        }
        if (left < wanted)
        {
            return false;
        }
        foreach (var episode in episodes)
        {
            if (wanted == 0)
            {
                break;
            }
            if (episode.Members.Contains(member) && rng.NextInt(left--) < wanted)
            {
                sample[^wanted--] = episode;
            }
        }
        return true;
    }

    /// <summary>Saves or restores every episode, in the order of the ring.</summary>
    /// <param name="archive">to or from.</param>
    /// <param name="create">makes an empty episode, whose columns are those that are archived, but for estimates.</param>
    /// <exception cref="InvalidDataException">what is archived does not fit.</exception>
    public void Archive(IArchive archive, Func<Episode> create)
    {
        var (any, count) = (create(), Count);
        archive.Value("oldest", ref oldest);
        archive.Value("count", ref count);
        if (count < 0 || count > Capacity || oldest < 0 || oldest >= Capacity)
        {
            throw new InvalidDataException($"a replay buffer of {Capacity} cannot hold {count} episodes, the oldest at {oldest}");
        }
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
                if (lengths[i] < 0 || lengths[i] > any.Limit)
                {
                    throw new InvalidDataException($"an episode of the replay buffer cannot have {lengths[i]} steps");
                }
                var episode = create();
                (episode.Length, episode.Terminated) = (lengths[i], terminated[i]);
                episodes.Add(episode);
            }
        }
        var columns = archive.Scope("columns");
        foreach (var data in any.Stored.Where(data => data.Column.Lifetime != ColumnLifetime.Estimated))
        {
            data.Archive(columns, episodes);
        }
        double[] returns = [.. episodes.SelectMany(episode => episode.TeamReturns)];
        archive.Array<double>("teamReturns", returns);
        for (int i = 0; archive.IsLoading && i < Count; i++)
        {
            returns.AsSpan(i * episodes[i].TeamReturns.Length, episodes[i].TeamReturns.Length).CopyTo(episodes[i].TeamReturns);
            memory?.Store(episodes[i], i);
        }
    }
}
