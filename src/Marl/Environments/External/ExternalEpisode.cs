namespace Marl.Native.Rl;

/// <summary>What led to the present moment of an episode: the seed and every joint action since. A program that plays the same again is where it was,
/// so this is its snapshot, and no program need know how to save itself.</summary>
internal sealed class ExternalEpisode(EnvironmentSpec spec)
{
    // Indices or numbers: so many of an agent, so many of a step.
    private readonly bool continuous = spec.IsContinuous;
    private readonly int own = Own(spec.Agents), width = spec.Agents.Length * Own(spec.Agents);
    private int[] indices = [];
    private float[] numbers = [];

    /// <summary>What the episode was begun with.</summary>
    public int Seed { get; private set; }

    /// <summary>Steps taken.</summary>
    public int Steps { get; private set; }

    /// <summary>Length of a snapshot.</summary>
    /// <exception cref="ProgramFault">an array cannot be so long.</exception>
    public static int SnapshotSize(ReadOnlySpan<AgentSpec> agents, int limit)
    {
        decimal size = 2m + (decimal)agents.Length * Own(agents) * limit;
        return size <= Array.MaxLength ? (int)size
            : throw new ProgramFault($"an episode of {limit} steps of {agents.Length} agents has {size} elements of actions, more than an array can hold");
    }

    /// <summary>Begins anew.</summary>
    public void Begin(int seed) => (Seed, Steps) = (seed, 0);

    /// <summary>Adds a step.</summary>
    public void Add(JointAction joint)
    {
        Reserve(Steps + 1);
        if (!continuous)
        {
            joint.Indices.CopyTo(indices.AsSpan(Steps * width));
        }

        for (int agent = 0; continuous && agent < width / own; agent++)
        {
            joint.Vector(agent)[..own].CopyTo(numbers.AsSpan(Steps * width + agent * own));
        }

        Steps++;
    }

    /// <summary>The joint action of a step.</summary>
    public JointAction Joint(int step) => continuous
        ? JointAction.Create(numbers.AsSpan(step * width, width), own)
        : JointAction.Create(indices.AsSpan(step * width, width));

    /// <summary>Writes [<see cref="SnapshotSize"/>] numbers.</summary>
    public void Save(Span<double> snapshot)
    {
        snapshot.Clear();
        (snapshot[0], snapshot[1]) = (Seed, Steps);
        for (int i = 0; i < Steps * width; i++)
        {
            snapshot[2 + i] = continuous ? numbers[i] : indices[i];
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        (Seed, Steps) = ((int)snapshot[0], (int)snapshot[1]);
        Reserve(Steps);
        for (int i = 0; i < Steps * width; i++)
        {
            if (continuous)
            {
                numbers[i] = (float)snapshot[2 + i];
            }
            else
            {
                indices[i] = (int)snapshot[2 + i];
            }
        }
    }

    /// <summary>Makes room for so many steps.</summary>
    private void Reserve(int steps)
    {
        int present = continuous ? numbers.Length : indices.Length;
        if (steps * width <= present)
        {
            return;
        }

        int enough = (int)Math.Min(Math.Max(2L * present, (long)steps * width), (long)spec.EpisodeLimit * width);
        if (continuous)
        {
            Array.Resize(ref numbers, enough);
        }
        else
        {
            Array.Resize(ref indices, enough);
        }
    }

    /// <summary>What an agent takes: an index, or the most numbers that one has.</summary>
    private static int Own(ReadOnlySpan<AgentSpec> agents)
    {
        int longest = 1;
        foreach (var agent in agents)
        {
            longest = Math.Max(longest, agent.Box is null ? 1 : agent.Actions);
        }

        return longest;
    }
}
