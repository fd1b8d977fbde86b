namespace Marl.Native.Rl;

/// <summary>The last <see cref="Capacity"/> episodes; the oldest makes room for a new one.</summary>
public sealed class ReplayBuffer
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
            memory?.Keep(episode, episodes.Count);
            episodes.Add(episode);
            return null;
        }
        var evicted = episodes[oldest];
        evicted.Memory = null;
        memory?.Keep(episode, oldest);
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
            left += episode.Members.AsSpan().Contains(member) ? 1 : 0;
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
            if (episode.Members.AsSpan().Contains(member) && rng.NextInt(left--) < wanted)
            {
                sample[^wanted--] = episode;
            }
        }
        return true;
    }

    /// <summary>Saves or restores every episode, in the order of the ring.</summary>
    /// <param name="archive">to or from.</param>
    /// <param name="create">makes an empty episode.</param>
    /// <param name="members">whether policies are ensembles.</param>
    public void Archive(IArchive archive, Func<Episode> create, bool members = false)
    {
        int count = Count;
        archive.Value("oldest", ref oldest);
        archive.Value("count", ref count);
        if (count < 0 || count > Capacity || oldest < 0 || oldest >= Capacity)
        {
            throw new InvalidDataException($"a replay buffer of {Capacity} cannot hold {count} episodes, the oldest at {oldest}");
        }
        int[] lengths = new int[count];
        bool[] terminated = new bool[count];
        float[] fingerprints = new float[count * Fingerprint.Size];
        for (int i = 0; i < Count && i < count; i++)
        {
            (lengths[i], terminated[i]) = (episodes[i].Length, episodes[i].Terminated);
            (fingerprints[2 * i], fingerprints[2 * i + 1]) = (episodes[i].Fingerprint.Progress, episodes[i].Fingerprint.Exploration);
        }
        archive.Array<int>("lengths", lengths);
        archive.Array<bool>("terminated", terminated);
        archive.Array<float>("fingerprints", fingerprints);
        if (archive.Loading)
        {
            episodes.Clear();
            for (int i = 0; i < count; i++)
            {
                var episode = create();
                if (lengths[i] < 0 || (lengths[i] + 1) * episode.Agents > episode.Actions.Length)
                {
                    throw new InvalidDataException($"an episode of the replay buffer cannot have {lengths[i]} steps");
                }
                (episode.Length, episode.Terminated) = (lengths[i], terminated[i]);
                episode.Fingerprint = new(fingerprints[2 * i], fingerprints[2 * i + 1]);
                episodes.Add(episode);
            }
        }
        Rows(archive, "observations", e => e.Observations, e => (e.Length + 1) * e.Agents * e.ObservationSize);
        Rows(archive, "states", e => e.States, e => (e.Length + 1) * e.StateSize);
        Rows(archive, "available", e => e.Available, e => (e.Length + 1) * e.Agents * e.ActionCount);
        Rows(archive, "actions", e => e.Actions, e => e.Length * e.Agents);
        if (episodes.Count > 0 && episodes[0].Vectors.Length > 0)
        {
            Rows(archive, "vectors", e => e.Vectors, e => e.Length * e.Agents * e.ActionCount);
        }
        Rows(archive, "probabilities", e => e.Probabilities, e => e.Length * e.Agents);
        if (members)
        {
            Rows(archive, "members", e => e.Members, e => e.Agents);
        }
        Rows(archive, "rewards", e => e.Rewards, e => e.Length * e.RewardStreams);
        Rows(archive, "returns", e => e.TeamReturns, e => e.TeamReturns.Length);
        for (int i = 0; archive.Loading && i < Count; i++)
        {
            memory?.Keep(episodes[i], i);
        }
    }

    /// <summary>One field of all episodes, the lived rows of each, one behind the other.</summary>
    private void Rows<T>(IArchive archive, string name, Func<Episode, T[]> field, Func<Episode, int> count) where T : unmanaged
    {
        var all = new T[episodes.Sum(count)];
        int start = 0;
        if (!archive.Loading)
        {
            foreach (var episode in episodes)
            {
                field(episode).AsSpan(0, count(episode)).CopyTo(all.AsSpan(start));
                start += count(episode);
            }
        }
        archive.Array<T>(name, all);
        if (archive.Loading)
        {
            foreach (var episode in episodes)
            {
                all.AsSpan(start, count(episode)).CopyTo(field(episode));
                start += count(episode);
            }
        }
    }
}
