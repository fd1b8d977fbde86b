using System.Globalization;

namespace Marl.Native.Rl;

/// <summary>The seed and the joint actions of an episode. Replaying them restores the state of a program, so they are its snapshot, and programs do not have to
/// implement snapshots.</summary>
internal sealed class ExternalEpisode(EnvironmentSpec spec)
{
    // Elements of an action, and of a joint action.
    private readonly bool continuous = spec.IsContinuous;
    private readonly int actionWidth = ActionWidth(spec.Agents), stepWidth = spec.Agents.Length * ActionWidth(spec.Agents);
    private int[] indices = [];
    private float[] vectors = [];

    /// <summary>The seed of the episode.</summary>
    public int Seed { get; private set; }

    /// <summary>The number of steps taken.</summary>
    public int Steps { get; private set; }

    /// <summary>Returns the length of a snapshot.</summary>
    /// <exception cref="ExternalProgramException">The length exceeds that of an array.</exception>
    public static int SnapshotSize(ReadOnlySpan<AgentSpec> agents, int limit)
    {
        decimal size = 2m + (decimal)agents.Length * ActionWidth(agents) * limit;
        return size <= Array.MaxLength ? (int)size
            : throw new ExternalProgramException(
                $"the actions of an episode of {limit} steps of {agents.Length} agents have {size} elements, more than an array can hold");
    }

    /// <summary>Begins a new episode.</summary>
    public void Begin(int seed) => (Seed, Steps) = (seed, 0);

    /// <summary>Adds the joint action of a step.</summary>
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

    /// <summary>Returns the joint action of a step.</summary>
    public JointAction Joint(int step) => continuous
        ? JointAction.Create(vectors.AsSpan(step * stepWidth, stepWidth), actionWidth)
        : JointAction.Create(indices.AsSpan(step * stepWidth, stepWidth));

    /// <summary>Writes a snapshot [<see cref="SnapshotSize"/>].</summary>
    public void Save(Span<double> snapshot)
    {
        snapshot.Clear();
        (snapshot[0], snapshot[1]) = (Seed, Steps);
        for (int i = 0; i < Steps * stepWidth; i++)
        {
            snapshot[2 + i] = continuous ? vectors[i] : indices[i];
        }
    }

    /// <summary>Reads a snapshot that <see cref="Save"/> wrote.</summary>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        if (!(snapshot[1] >= 0 && snapshot[1] <= spec.EpisodeLimit))
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"an episode of at most {spec.EpisodeLimit} steps cannot have {snapshot[1]}"), nameof(snapshot));
        }
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

    /// <summary>Ensures the capacity for a number of steps.</summary>
    private void Reserve(int steps)
    {
        int capacity = continuous ? vectors.Length : indices.Length;
        if (steps * stepWidth <= capacity)
        {
            return;
        }

        int length = (int)Math.Min(Math.Max(2L * capacity, (long)steps * stepWidth), (long)spec.EpisodeLimit * stepWidth);
        if (continuous)
        {
            Array.Resize(ref vectors, length);
        }
        else
        {
            Array.Resize(ref indices, length);
        }
    }

    /// <summary>Returns the number of elements of an action: 1, or the length of the longest continuous action.</summary>
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
