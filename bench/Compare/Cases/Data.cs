namespace Marl.Native.Bench.Compare;

/// <summary>Numbers to compute with.</summary>
internal static class Data
{
    /// <summary>Uniform in [-scale, scale).</summary>
    public static Tensor Uniform(float scale, params ReadOnlySpan<int> lengths)
    {
        var x = Tensor.Zeros(lengths);
        var rng = new Rng(4);
        foreach (ref float value in x.Span)
        {
            value = rng.NextSingle(-scale, scale);
        }
        return x;
    }

    /// <summary>Uniform in [-1, 1).</summary>
    public static Tensor Noise(params ReadOnlySpan<int> lengths) => Uniform(1f, lengths);
}
