namespace Marl.Native.Rl;

/// <summary>The physical properties of an agent or a landmark: a disc of mass 1.</summary>
/// <param name="Size">The radius.</param>
internal sealed record ParticleBody(double Size)
{
    /// <summary>Whether it collides with other bodies that collide.</summary>
    public bool Collides { get; init; }

    /// <summary>Whether forces move it.</summary>
    public bool Movable { get; init; }

    /// <summary>The force of a full action.</summary>
    public double Acceleration { get; init; } = 5;

    /// <summary>The maximum speed.</summary>
    public double MaxSpeed { get; init; } = double.PositiveInfinity;
}
