namespace Marl.Native.Rl;

/// <summary>Writes an observation, part after part. Places are relative to the observer.</summary>
internal ref struct ParticleView(ParticleWorld world, int self, Span<float> observation)
{
    private readonly Span<float> observation = observation;
    private int end;

    /// <summary>One number.</summary>
    public void Add(double number) => observation[end++] = (float)number;

    /// <summary>Two numbers.</summary>
    public void Add(Vector2d vector)
    {
        Add(vector.X);
        Add(vector.Y);
    }

    /// <summary>A message.</summary>
    public void Add(ReadOnlySpan<float> message)
    {
        message.CopyTo(observation[end..]);
        end += message.Length;
    }

    /// <summary>The color of a landmark: <paramref name="lit"/> at one of so many entries, <paramref name="dark"/> elsewhere.</summary>
    public void AddColor(int channel, int channels, double lit, double dark)
    {
        for (int i = 0; i < channels; i++)
        {
            Add(i == channel ? lit : dark);
        }
    }

    /// <summary>Zeros.</summary>
    public void AddNothing(int count)
    {
        observation.Slice(end, count).Clear();
        end += count;
    }

    /// <summary>The own velocity.</summary>
    public void AddVelocity() => Add(world.Velocities[self]);

    /// <summary>The own position, in the plane.</summary>
    public void AddPosition() => Add(world.Positions[self]);

    /// <summary>Where a body is.</summary>
    public void AddPlace(int body) => Add(world.Positions[body] - world.Positions[self]);

    /// <summary>Where the landmarks are.</summary>
    public void AddLandmarks()
    {
        for (int landmark = 0; landmark < world.Landmarks; landmark++)
        {
            AddPlace(world.BodyOf(landmark));
        }
    }

    /// <summary>Where the other agents are.</summary>
    public void AddOthers()
    {
        for (int other = 0; other < world.Agents; other++)
        {
            if (other != self)
            {
                AddPlace(other);
            }
        }
    }
}
