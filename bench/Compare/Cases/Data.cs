namespace Marl.Native.Bench.Compare;

/// <summary>Random operands.</summary>
internal static class Data
{
    /// <summary>Returns uniform values in [-scale, scale). Large tensors repeat a block, because drawing would take longer than the measurement.</summary>
    public static Tensor Uniform(float scale, params ReadOnlySpan<int> lengths)
    {
        const int Period = 1 << 20;
        var (x, rng) = (Tensor.Zeros(lengths), new Rng(4));
        var values = x.Span;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = i < Period ? rng.NextSingle(-scale, scale) : values[i - Period];
        }
        return x;
    }

    /// <summary>Returns uniform values in [-1, 1).</summary>
    public static Tensor Noise(params ReadOnlySpan<int> lengths) => Uniform(1f, lengths);
}
