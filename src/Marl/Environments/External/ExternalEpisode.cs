namespace Marl.Native.Rl;

/// <summary>What led to the present moment of an episode: the seed and every joint action since. A program that plays the same again is where it was,
/// so this is its snapshot, and no program need know how to save itself.</summary>
internal sealed class ExternalEpisode(int agents, int limit)
{
    private readonly int[] actions = new int[agents * limit];

    /// <summary>What the episode was begun with.</summary>
    public int Seed { get; private set; }

    /// <summary>Steps taken.</summary>
    public int Steps { get; private set; }

    /// <summary>Length of a snapshot.</summary>
    public static int SnapshotSize(int agents, int limit) => 2 + agents * limit;

    /// <summary>Begins anew.</summary>
    public void Begin(int seed) => (Seed, Steps) = (seed, 0);

    /// <summary>Adds a step.</summary>
    public void Add(ReadOnlySpan<int> joint)
    {
        joint.CopyTo(actions.AsSpan(Steps * agents));
        Steps++;
    }

    /// <summary>[N] the joint action of a step.</summary>
    public ReadOnlySpan<int> Joint(int step) => actions.AsSpan(step * agents, agents);

    /// <summary>Writes [<see cref="SnapshotSize"/>] numbers.</summary>
    public void Save(Span<double> snapshot)
    {
        snapshot.Clear();
        (snapshot[0], snapshot[1]) = (Seed, Steps);
        for (int i = 0; i < Steps * agents; i++)
            snapshot[2 + i] = actions[i];
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        (Seed, Steps) = ((int)snapshot[0], (int)snapshot[1]);
        for (int i = 0; i < Steps * agents; i++)
            actions[i] = (int)snapshot[2 + i];
    }
}
