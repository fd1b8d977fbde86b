namespace Marl.Native.Tests;

public sealed class RngTests
{
    /// <summary>The known answers of Random123 (kat_vectors, philox4x32-10).</summary>
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu,
        0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u,
        0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void PhiloxGivesTheKnownAnswers(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint x0, uint x1, uint x2, uint x3) =>
        Assert.Equal((x0, x1, x2, x3), Rng.Philox(c0, c1, c2, c3, (ulong)k1 << 32 | k0));

    [Fact]
    public void DrawsArePhiloxOfKeyAndCounter()
    {
        var rng = new Rng(0);
        Assert.Equal(0xe169c58d_6627e8d5ul, rng.NextUInt64());
        Assert.Equal(1ul, rng.Counter);
        var elsewhere = new Rng(7, 1000);
        for (int i = 0; i < 3; i++)
        {
            elsewhere.NextUInt64();
        }

        Assert.Equal(new Rng(7, 1003).NextUInt64(), elsewhere.NextUInt64());
    }

    [Fact]
    public void ASavedStateContinues()
    {
        var rng = new Rng(42);
        for (int i = 0; i < 10; i++)
        {
            rng.NextDouble();
        }

        var restored = new Rng(rng.Key, rng.Counter);
        Assert.Equal(rng, restored);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(rng.NextDouble(), restored.NextDouble());
        }
    }

    [Fact]
    public void SplitsAreDistinctAndDoNotDependOnDraws()
    {
        var root = new Rng(5);
        HashSet<ulong> keys = [root.Key];
        foreach (var purpose in Enum.GetValues<RngPurpose>())
        {
            for (int a = 0; a < 20; a++)
            {
                for (int b = 0; b < 20; b++)
                {
                    Assert.True(keys.Add(root.Split(purpose, a, b).Key), $"{purpose} {a} {b} has the key of another");
                }
            }
        }
        var before = root.Split(RngPurpose.Environment, 3);
        root.NextUInt64();
        Assert.Equal(before, root.Split(RngPurpose.Environment, 3));
        Assert.NotEqual(new Rng(5).Split(RngPurpose.Test), new Rng(6).Split(RngPurpose.Test));
    }

    [Fact]
    public void SplitStreamsAreUncorrelated()
    {
        const int count = 20_000;
        Rng a = new Rng(1).Split(RngPurpose.Environment, 0), b = new Rng(1).Split(RngPurpose.Environment, 1);
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += (a.NextDouble() - 0.5) * (b.NextDouble() - 0.5);
        }
        // The standard deviation of the mean is (1 / 12) / sqrt(count).
        Assert.True(Math.Abs(sum / count) < 5.0 / 12 / Math.Sqrt(count));
    }

    [Fact]
    public void IntegersAreUniform()
    {
        const int cells = 7, count = 70_000;
        var rng = new Rng(3);
        int[] from0 = new int[cells];
        int[] from5 = new int[cells];
        for (int i = 0; i < count; i++)
        {
            from0[rng.NextInt(cells)]++;
            from5[rng.NextInt(5, 5 + cells - 1) - 5]++;
        }
        Assert.True(ChiSquare(from0) < 27.9, "beyond the 99.99 % quantile for 6 degrees of freedom");
        Assert.True(ChiSquare(from5) < 27.9);
        Assert.Equal(0, rng.NextInt(1));
        Assert.Equal(-4, rng.NextInt(-4, -4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Rng(1).NextInt(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Rng(1).NextInt(2, 1));
    }

    [Fact]
    public void RealsStayInTheirRange()
    {
        const int count = 100_000;
        var rng = new Rng(4);
        double sum = 0, sumSingle = 0, sumNormal = 0, sumSquares = 0;
        for (int i = 0; i < count; i++)
        {
            double x = rng.NextDouble();
            float y = rng.NextSingle(), z = rng.NextSingle(-3, 5);
            double normal = rng.NextNormal();
            Assert.True(x is >= 0 and < 1 && y is >= 0 and < 1 && z is >= -3 and < 5 && double.IsFinite(normal));
            sum += x;
            sumSingle += y;
            sumNormal += normal;
            sumSquares += normal * normal;
        }
        double fiveDeviations = 5 / Math.Sqrt(12.0 * count);
        Assert.InRange(sum / count, 0.5 - fiveDeviations, 0.5 + fiveDeviations);
        Assert.InRange(sumSingle / count, 0.5 - fiveDeviations, 0.5 + fiveDeviations);
        Assert.InRange(sumNormal / count, -5 / Math.Sqrt(count), 5 / Math.Sqrt(count));
        Assert.InRange(sumSquares / count, 1 - 5 * Math.Sqrt(2.0 / count), 1 + 5 * Math.Sqrt(2.0 / count));
    }

    private static double ChiSquare(int[] counts)
    {
        double expected = counts.Sum() / (double)counts.Length;
        return counts.Sum(count => (count - expected) * (count - expected) / expected);
    }
}
