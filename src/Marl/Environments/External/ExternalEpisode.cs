using System.Globalization;

namespace Marl.Native.Rl;

/// <summary>The seed and the joint actions of an episode. Replaying them restores the state of a program, so they are its snapshot, and programs do not have to
/// implement snapshots.</summary>
internal sealed class ExternalEpisode(EnvironmentSpec spec)
{
    private readonly ActionLayout layout = spec.ActionLayout;

    // Elements of a joint action.
    private readonly int indexWidth = spec.Agents.Length * spec.ActionLayout.Branches, vectorWidth = spec.Agents.Length * spec.ActionLayout.VectorSize;
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
        var layout = ActionLayout.Of(agents);
        decimal size = 2m + (decimal)agents.Length * (layout.Branches + layout.VectorSize) * limit;
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
        joint.Indices.CopyTo(indices.AsSpan(Steps * indexWidth));
        for (int agent = 0; vectorWidth > 0 && agent < spec.Agents.Length; agent++)
        {
            joint.Vector(agent)[..layout.VectorSize].CopyTo(vectors.AsSpan(Steps * vectorWidth + agent * layout.VectorSize));
        }

        Steps++;
    }

    /// <summary>Returns the joint action of a step.</summary>
    public JointAction Joint(int step) => JointAction.Create(indices.AsSpan(step * indexWidth, indexWidth), layout.Branches,
        vectors.AsSpan(step * vectorWidth, vectorWidth), layout.VectorSize);

    /// <summary>Writes a snapshot [<see cref="SnapshotSize"/>].</summary>
    public void Save(Span<double> snapshot)
    {
        snapshot.Clear();
        (snapshot[0], snapshot[1]) = (Seed, Steps);
        for (int i = 0; i < Steps * indexWidth; i++)
        {
            snapshot[2 + i] = indices[i];
        }
        for (int i = 0; i < Steps * vectorWidth; i++)
        {
            snapshot[2 + Steps * indexWidth + i] = vectors[i];
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
        for (int i = 0; i < Steps * indexWidth; i++)
        {
            indices[i] = (int)snapshot[2 + i];
        }
        for (int i = 0; i < Steps * vectorWidth; i++)
        {
            vectors[i] = (float)snapshot[2 + Steps * indexWidth + i];
        }
    }

    /// <summary>Ensures the capacity for a number of steps.</summary>
    private void Reserve(int steps)
    {
        Reserve(ref indices, steps, indexWidth);
        Reserve(ref vectors, steps, vectorWidth);
    }

    private void Reserve<T>(ref T[] elements, int steps, int width)
    {
        if (steps * width > elements.Length)
        {
            Array.Resize(ref elements, (int)Math.Min(Math.Max(2L * elements.Length, (long)steps * width), (long)spec.EpisodeLimit * width));
        }
    }
}
