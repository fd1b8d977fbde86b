using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>The physics of the particle worlds, by what must hold of any.</summary>
public sealed class ParticleWorldTests
{
    private const double Rounding = 1e-12;
    private static readonly ParticleBody Disc = new(0.15) { Movable = true, Collides = true };

    [Fact]
    public void ContactsObeyNewtonsThirdLaw()
    {
        var rng = new Rng(1);
        int pushed = 0;
        for (int trial = 0; trial < 500; trial++)
        {
            var world = Scatter(5, Disc, 0.4, ref rng);
            var momentum = Sum(world.Velocities);
            var before = world.Velocities.ToArray();
            world.Step(new Vector2d[5]);
            var after = Sum(world.Velocities);
            Assert.Equal(0.75 * momentum.X, after.X, Rounding);
            Assert.Equal(0.75 * momentum.Y, after.Y, Rounding);
            pushed += before.Zip(world.Velocities.ToArray()).Count(pair => (pair.First * 0.75 - pair.Second).Length > 0.1);
        }
        Assert.True(pushed > 500, $"only {pushed} bodies were pushed");
    }

    [Theory]
    [InlineData(0.3, 100 * 0.001 * 0.693147180559945309)] // just touching: log 2
    [InlineData(0.2, 10)] // deep inside: 100 times the depth
    [InlineData(0.302, 100 * 0.001 * 0.126928011042972496)] // log(1 + e^-2)
    [InlineData(0.34, 100 * 0.001 * 4.248354255291588987e-18)] // e^-40, far below the precision of 1
    [InlineData(1.1, 0)]
    [InlineData(0.0, 0)] // no direction
    public void AContactPushesApartByItsDepth(double distance, double force)
    {
        var (x, y) = (0.6, -0.8);
        var push = ParticleWorld.Contact(new(distance * x, distance * y), 0.3);
        Assert.Equal(force * x, push.X, Rounding * force);
        Assert.Equal(force * y, push.Y, Rounding * force);
        var opposite = ParticleWorld.Contact(new(-distance * x, -distance * y), 0.3);
        Assert.Equal((-push.X, -push.Y), (opposite.X, opposite.Y));
    }

    [Fact]
    public void OnlyWhatCollidesIsPushedAndOnlyWhatIsMovableMoves()
    {
        ParticleBody ghost = Disc with { Collides = false }, pillar = Disc with { Movable = false };
        var world = new ParticleWorld([Disc, ghost, pillar], [Disc, ghost], velocityFirst: true);
        for (int body = 0; body < 5; body++)
        {
            world.Positions[body] = new(0.01 * body, 0);
        }

        world.Step([default, new(0, 1), new(1, 1)]);
        // From the pillar at 0.02 and the landmark at 0.03, both at its right.
        Assert.Equal(-100 * ((0.3 - 0.02) + (0.3 - 0.03)) * 0.1, world.Velocities[0].X, Rounding);
        Assert.Equal(new Vector2d(0, 0.5), world.Velocities[1]);
        Assert.Equal(new Vector2d(0.02, 0), world.Positions[2]);
        Assert.Equal([new(0.03, 0), new Vector2d(0.04, 0)], world.Positions[3..].ToArray());
    }

    [Theory]
    [InlineData(false, 0, 0.05)]
    [InlineData(true, 0.05, 0.0875)]
    public void TheOrderOfIntegrationDecidesWhenAForceIsSeen(bool velocityFirst, double first, double second)
    {
        var world = new ParticleWorld([Disc], [], velocityFirst);
        double[] velocities = [0.5, 0.875], positions = [first, first + second];
        for (int step = 0; step < 2; step++)
        {
            world.Step([new(-1, 0)]);
            Assert.Equal(-velocities[step], world.Velocities[0].X, Rounding);
            Assert.Equal(-positions[step], world.Positions[0].X, Rounding);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NothingIsFasterThanItsLimit(bool velocityFirst)
    {
        var rng = new Rng(2);
        int limited = 0;
        for (int trial = 0; trial < 200; trial++)
        {
            var world = Scatter(4, Disc with { MaxSpeed = 1.3, Acceleration = 4 }, 0.3, ref rng, velocityFirst);
            for (int step = 0; step < 10; step++)
            {
                Vector2d[] controls = [.. Enumerable.Range(0, 4).Select(_ => Draw(1, ref rng))];
                var before = world.Positions.ToArray();
                world.Step(controls);
                for (int body = 0; body < 4; body++)
                {
                    double speed = world.Velocities[body].Length;
                    Assert.InRange(speed, 0, 1.3 + Rounding);
                    limited += Math.Abs(speed - 1.3) < Rounding ? 1 : 0;
                    if (step > 0)
                    {
                        Assert.InRange((world.Positions[body] - before[body]).Length, 0, 0.13 + Rounding);
                    }
                }
            }
        }
        Assert.True(limited > 500, $"only {limited} speeds were limited");
    }

    private static ParticleWorld Scatter(int count, ParticleBody body, double range, ref Rng rng, bool velocityFirst = false)
    {
        var world = new ParticleWorld(ParticleWorlds.Repeat(count, body), [], velocityFirst);
        for (int i = 0; i < count; i++)
        {
            (world.Positions[i], world.Velocities[i]) = (Draw(range, ref rng), Draw(1, ref rng));
        }

        return world;
    }

    private static Vector2d Draw(double range, ref Rng rng)
        => new(range * (2 * rng.NextDouble() - 1), range * (2 * rng.NextDouble() - 1));

    private static Vector2d Sum(ReadOnlySpan<Vector2d> vectors)
    {
        Vector2d sum = default;
        foreach (var vector in vectors)
        {
            sum += vector;
        }

        return sum;
    }
}
