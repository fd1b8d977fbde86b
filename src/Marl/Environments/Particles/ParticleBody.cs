namespace Marl.Native.Rl;

/// <summary>What never changes about an agent or a landmark: a disc of mass 1.</summary>
/// <param name="Size">its radius.</param>
internal sealed record ParticleBody(double Size)
{
    /// <summary>Pushes and is pushed by whatever else collides.</summary>
    public bool Collides { get; init; }

    /// <summary>Forces move it.</summary>
    public bool Movable { get; init; }

    /// <summary>The force of a full action.</summary>
    public double Acceleration { get; init; } = 5;

    /// <summary>The greatest speed.</summary>
    public double MaxSpeed { get; init; } = double.PositiveInfinity;
}
