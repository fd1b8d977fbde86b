namespace Marl.Native.Rl;

/// <summary>Writes the observation of an agent from its first to its last element. Positions of other bodies are relative to the agent.</summary>
internal ref struct ParticleView(ParticleWorld world, int self, Span<float> observation)
{
    private readonly Span<float> observation = observation;
    private int end;

    /// <summary>Adds a value.</summary>
    public void Add(double value) => observation[end++] = (float)value;

    /// <summary>Adds a vector.</summary>
    public void Add(Vector2d vector)
    {
        Add(vector.X);
        Add(vector.Y);
    }

    /// <summary>Adds a message.</summary>
    public void Add(ReadOnlySpan<float> message)
    {
        message.CopyTo(observation[end..]);
        end += message.Length;
    }

    /// <summary>Adds the color of a landmark: <paramref name="on"/> at one channel, <paramref name="off"/> at the others.</summary>
    public void AddColor(int channel, int channels, double on, double off)
    {
        for (int i = 0; i < channels; i++)
        {
            Add(i == channel ? on : off);
        }
    }

    /// <summary>Adds zeros.</summary>
    public void AddZeros(int count)
    {
        observation.Slice(end, count).Clear();
        end += count;
    }

    /// <summary>Adds the velocity of the agent.</summary>
    public void AddVelocity() => Add(world.Velocities[self]);

    /// <summary>Adds the absolute position of the agent.</summary>
    public void AddPosition() => Add(world.Positions[self]);

    /// <summary>Adds the relative position of a body.</summary>
    public void AddRelativePosition(int body) => Add(world.Positions[body] - world.Positions[self]);

    /// <summary>Adds the relative positions of all landmarks.</summary>
    public void AddLandmarks()
    {
        for (int landmark = 0; landmark < world.Landmarks; landmark++)
        {
            AddRelativePosition(world.BodyOf(landmark));
        }
    }

    /// <summary>Adds the relative positions of the other agents.</summary>
    public void AddOthers()
    {
        for (int other = 0; other < world.Agents; other++)
        {
            if (other != self)
            {
                AddRelativePosition(other);
            }
        }
    }
}
