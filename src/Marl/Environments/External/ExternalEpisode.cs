namespace Marl.Native.Rl;

/// <summary>What led to the present moment of an episode: the seed and every joint action since. A program that plays the same again is where it was,
/// so this is its snapshot, and no program need know how to save itself.</summary>
internal sealed class ExternalEpisode(EnvironmentSpec spec)
{
    // Indices or numbers: so many of an agent, so many of a step.
    private readonly bool continuous = spec.IsContinuous;
    private readonly int actionWidth = ActionWidth(spec.Agents), stepWidth = spec.Agents.Length * ActionWidth(spec.Agents);
    private int[] indices = [];
    private float[] vectors = [];

    /// <summary>What the episode was begun with.</summary>
    public int Seed { get; private set; }

    /// <summary>Steps taken.</summary>
    public int Steps { get; private set; }

    /// <summary>Length of a snapshot.</summary>
    /// <exception cref="ExternalProgramException">an array cannot be so long.</exception>
    public static int SnapshotSize(ReadOnlySpan<AgentSpec> agents, int limit)
    {
        decimal size = 2m + (decimal)agents.Length * ActionWidth(agents) * limit;
        return size <= Array.MaxLength ? (int)size
            : throw new ExternalProgramException($"an episode of {limit} steps of {agents.Length} agents has {size} elements of actions, more than an array can hold");
    }

    /// <summary>Begins anew.</summary>
    public void Begin(int seed) => (Seed, Steps) = (seed, 0);

    /// <summary>Adds a step.</summary>
    public void Add(JointAction joint)
    {
        Reserve(Steps + 1);
        if (!continuous)
        {
            joint.Indices.CopyTo(indices.AsSpan(Steps * stepWidth));
        }

        for (int agent = 0; continuous && agent < stepWidth / actionWidth; agent++)
        {
            joint.Vector(agent)[..actionWidth].CopyTo(vectors.AsSpan(Steps * stepWidth + agent * actionWidth));
        }

        Steps++;
    }

    /// <summary>The joint action of a step.</summary>
    public JointAction Joint(int step) => continuous
        ? JointAction.Create(vectors.AsSpan(step * stepWidth, stepWidth), actionWidth)
        : JointAction.Create(indices.AsSpan(step * stepWidth, stepWidth));

    /// <summary>Writes [<see cref="SnapshotSize"/>] numbers.</summary>
    public void Save(Span<double> snapshot)
    {
        snapshot.Clear();
        (snapshot[0], snapshot[1]) = (Seed, Steps);
        for (int i = 0; i < Steps * stepWidth; i++)
        {
            snapshot[2 + i] = continuous ? vectors[i] : indices[i];
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        (Seed, Steps) = ((int)snapshot[0], (int)snapshot[1]);
        Reserve(Steps);
        for (int i = 0; i < Steps * stepWidth; i++)
        {
            if (continuous)
            {
                vectors[i] = (float)snapshot[2 + i];
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
        int present = continuous ? vectors.Length : indices.Length;
        if (steps * stepWidth <= present)
        {
            return;
        }

        int enough = (int)Math.Min(Math.Max(2L * present, (long)steps * stepWidth), (long)spec.EpisodeLimit * stepWidth);
        if (continuous)
        {
            Array.Resize(ref vectors, enough);
        }
        else
        {
            Array.Resize(ref indices, enough);
        }
    }

    /// <summary>What an agent takes: an index, or the most numbers that one has.</summary>
    private static int ActionWidth(ReadOnlySpan<AgentSpec> agents)
    {
        int longest = 1;
        foreach (var agent in agents)
        {
            longest = Math.Max(longest, agent.Box is null ? 1 : agent.ActionCount);
        }

        return longest;
    }
}
