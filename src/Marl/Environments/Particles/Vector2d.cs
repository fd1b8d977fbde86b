namespace Marl.Native.Rl;

/// <summary>A vector in the plane, in double precision.</summary>
internal readonly record struct Vector2d(double X, double Y)
{
    /// <summary>X^2 + Y^2.</summary>
    public double LengthSquared => X * X + Y * Y;

    /// <summary>The Euclidean norm.</summary>
    public double Length => Math.Sqrt(LengthSquared);

    public static Vector2d operator +(Vector2d a, Vector2d b) => new(a.X + b.X, a.Y + b.Y);
    public static Vector2d operator -(Vector2d a, Vector2d b) => new(a.X - b.X, a.Y - b.Y);
    public static Vector2d operator *(Vector2d a, double scale) => new(a.X * scale, a.Y * scale);
    public static Vector2d operator /(Vector2d a, double divisor) => new(a.X / divisor, a.Y / divisor);
}
