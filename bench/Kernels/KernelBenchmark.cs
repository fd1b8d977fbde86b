using BenchmarkDotNet.Attributes;

namespace Marl.Native.Bench.Kernels;

/// <summary>
/// A kernel in several versions that compute the same: <c>Naive</c>, the plain loop and the baseline; <c>TensorPrimitives</c>, where
/// System.Numerics.Tensors has the op; <c>Engine</c>, through <see cref="Device"/>. Each leaves its result in <see cref="Result"/>.
/// </summary>
public abstract class KernelBenchmark
{
    /// <summary>What one call does, at the current parameters.</summary>
    public abstract Work Work { get; }

    /// <summary>What every version writes.</summary>
    public abstract Tensor Result { get; }

    /// <summary>Makes operands of the current parameters.</summary>
    protected abstract void Prepare(ref Rng rng);

    /// <summary>Before the first call.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var rng = new Rng(1);
        Prepare(ref rng);
    }

    /// <summary>After the last call, in the process that was measured.</summary>
    [GlobalCleanup]
    public void Report() => Console.WriteLine(CaseReport.Of(Work));

    internal static Tensor Uniform(ref Rng rng, params ReadOnlySpan<int> lengths)
    {
        var x = Tensor.Zeros(lengths);
        foreach (ref float value in x.Span)
        {
            value = rng.NextSingle(-1f, 1f);
        }
        return x;
    }

    private protected static Tensor Indices(ref Rng rng, int count, params ReadOnlySpan<int> lengths)
    {
        var index = Tensor.Zeros(lengths);
        foreach (ref float value in index.Span)
        {
            value = rng.NextInt(count);
        }
        return index;
    }

    /// <summary>1 for three actions of four, and for the first of every row, as environments promise.</summary>
    private protected static Tensor Available(ref Rng rng, int rows, int actions)
    {
        var mask = Tensor.Zeros(rows, actions);
        for (int i = 0; i < mask.Count; i++)
        {
            mask.Span[i] = i % actions == 0 || rng.NextInt(4) > 0 ? 1f : 0f;
        }
        return mask;
    }
}
