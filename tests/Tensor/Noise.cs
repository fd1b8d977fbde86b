namespace Marl.Native.Tests;

/// <summary>Random tensors, and comparisons of bits.</summary>
internal static class Noise
{
    /// <summary>Uniform in [-1, 1).</summary>
    public static Tensor Of(ref Rng rng, params ReadOnlySpan<int> lengths) => Between(ref rng, -1f, 1f, lengths);

    /// <summary>Uniform in [low, high), on purpose not aligned to a cache line.</summary>
    public static Tensor Between(ref Rng rng, float low, float high, params ReadOnlySpan<int> lengths)
    {
        var shape = new Shape(lengths);
        int offset = rng.NextInt(4);
        var x = Tensor.Zeros(shape.Count + offset + 3).Slice(offset, shape.Count).Reshape(shape);
        foreach (ref float value in x.Span)
        {
            value = rng.NextSingle(low, high);
        }
        return x;
    }

    /// <summary>1 with the given probability, 0 otherwise.</summary>
    public static Tensor Mask(ref Rng rng, float probability, params ReadOnlySpan<int> lengths)
    {
        var x = Between(ref rng, 0f, 1f, lengths);
        foreach (ref float value in x.Span)
        {
            value = value < probability ? 1f : 0f;
        }
        return x;
    }

    /// <summary>Whole numbers below <paramref name="count"/>.</summary>
    public static Tensor Indices(ref Rng rng, int count, params ReadOnlySpan<int> lengths)
    {
        var x = Between(ref rng, 0f, 1f, lengths);
        foreach (ref float value in x.Span)
        {
            value = rng.NextInt(count);
        }
        return x;
    }

    /// <summary>Equal to the last bit, the sign of zero included; all NaN are one.</summary>
    public static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what = "")
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (!SameBits(expected[i], actual[i]))
            {
                Assert.Fail($"{what} element {i} of {expected.Length}: expected {expected[i]:R}, not {actual[i]:R}");
            }
        }
    }

    public static bool SameBits(float a, float b)
        => BitConverter.SingleToInt32Bits(a) == BitConverter.SingleToInt32Bits(b) || float.IsNaN(a) && float.IsNaN(b);

    /// <summary>|expected - actual| &lt;= tolerance (1 + |expected|)</summary>
    public static void AssertClose(double expected, double actual, double tolerance, string what = "")
    {
        bool close = Math.Abs(expected - actual) <= tolerance * (1 + Math.Abs(expected));
        Assert.True(close, close ? null : $"{what}: expected {expected:R}, not {actual:R}");
    }
}
