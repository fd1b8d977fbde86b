using Marl.Native.Nn;

namespace Marl.Native.Tests;

public sealed class InitializerTests
{
    [Theory]
    [InlineData(1), InlineData(16), InlineData(100)]
    public void UniformFanIn(int fanIn) => IsUniform(Draw(Initializers.UniformFanIn(fanIn), 200, 100), 1 / Math.Sqrt(fanIn));

    [Theory]
    [InlineData(1, 200, 100), InlineData(2.5, 100, 200)]
    public void Xavier(double gain, int outputs, int inputs)
        => IsUniform(Draw(Initializers.Xavier(gain), outputs, inputs), gain * Math.Sqrt(6.0 / (inputs + outputs)));

    [Theory]
    [InlineData(1, 5, 5), InlineData(1, 3, 7), InlineData(1.4142, 7, 3), InlineData(0.01, 64, 128), InlineData(1, 1, 4), InlineData(1, 4, 1)]
    public void Orthogonal(double gain, int rows, int columns)
    {
        float[] w = Draw(Initializers.Orthogonal(gain), rows, columns);
        // The vectors of the shorter side are orthogonal, of length gain.
        (int count, int length, int next, int step) = rows <= columns ? (rows, columns, columns, 1) : (columns, rows, 1, columns);
        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < count; j++)
            {
                double dot = Enumerable.Range(0, length).Sum(k => (double)w[i * next + k * step] * w[j * next + k * step]);
                Assert.Equal(i == j ? gain * gain : 0, dot, 1e-6 * gain * gain);
            }
        }
    }

    [Fact]
    public void OrthogonalHasNoPreferredSign()
    {
        // Without the fix of signs, QR leaves the diagonal of Q with one sign more often.
        int positive = 0;
        for (ulong seed = 0; seed < 400; seed++)
        {
            positive += Seeded(seed, Initializers.Orthogonal(), 3, 3)[0] > 0 ? 1 : 0;
        }
        Assert.InRange(positive, 160, 240);
    }

    [Fact]
    public void EachCopyIsDrawnByItself()
    {
        foreach (var initializer in new[] { Initializers.UniformFanIn(3), Initializers.Xavier(), Initializers.Orthogonal() })
        {
            float[] one = Draw(initializer, 4, 3), three = Draw(initializer, 3, 4, 3);
            Assert.Equal(one, three[..12]);
            Assert.NotEqual(three[..12], three[12..24]);
            Assert.NotEqual(three[12..24], three[24..]);
        }
        // Xavier's bound and orthogonality are those of [4, 3], whatever N.
        Assert.InRange(Draw(Initializers.Xavier(), 1000, 4, 3).Max(), 0.99 * Math.Sqrt(6.0 / 7), Math.Sqrt(6.0 / 7));
    }

    [Fact]
    public void SameSeedSameValues()
    {
        Assert.Equal(Seeded(7, Initializers.Orthogonal(), 8, 8), Seeded(7, Initializers.Orthogonal(), 8, 8));
        Assert.NotEqual(Seeded(7, Initializers.Orthogonal(), 8, 8), Seeded(8, Initializers.Orthogonal(), 8, 8));
        Assert.All(Draw(Initializers.Constant(0.5f), 3, 3), value => Assert.Equal(0.5f, value));
    }

    [Fact]
    public void MatricesAreNeeded()
    {
        Assert.Throws<ArgumentException>(() => Draw(Initializers.Xavier(), 3));
        Assert.Throws<ArgumentException>(() => Draw(Initializers.Orthogonal(), 3));
    }

    private static float[] Draw(Initializer initializer, params int[] lengths) => Seeded(1, initializer, lengths);

    private static float[] Seeded(ulong seed, Initializer initializer, params int[] lengths)
    {
        var shape = new Shape(lengths);
        float[] values = new float[shape.Count];
        var rng = new Rng(seed);
        initializer(values, shape, ref rng);
        return values;
    }

    /// <summary>Within the bounds and near them; mean and variance as they should be, to five deviations of the estimate.</summary>
    private static void IsUniform(float[] values, double bound)
    {
        Assert.All(values, value => Assert.InRange(value, -bound, bound));
        Assert.InRange(values.Max(), 0.999 * bound, bound);
        Assert.InRange(values.Min(), -bound, -0.999 * bound);
        double n = values.Length, variance = bound * bound / 3;
        Assert.Equal(0, values.Average(), 5 * Math.Sqrt(variance / n));
        Assert.Equal(variance, values.Average(value => (double)value * value), 5 * variance * Math.Sqrt(0.8 / n));
    }
}
