using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace Marl.Native.Bench.Kernels;

/// <summary>y = f(a, b), element by element: what fits the first-level cache, and what has to come from memory.</summary>
public abstract class Pointwise : KernelBenchmark
{
    /// <summary>Elements: 16 KiB and 64 MiB per operand.</summary>
    [Params(4096, 1 << 24)]
    public int Count { get; set; }

    /// <inheritdoc/>
    public override Tensor Result => Y;

    private protected Tensor A, B, Y;

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng) => (A, B, Y) = (Uniform(ref rng, Count), Uniform(ref rng, Count), Tensor.Zeros(Count));
}

/// <summary>y = a + b</summary>
public class PointwiseAdd : Pointwise
{
    /// <inheritdoc/>
    public override Work Work => new(Count, 12.0 * Count);

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> a = A.Span, b = B.Span, y = Y.Span;
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = a[i] + b[i];
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives() => TensorPrimitives.Add(A.Span, B.Span, Y.Span);

    [Benchmark]
    public void Engine() => Device.Cpu.Zip(default(Add), A, B, Y);
}

/// <summary>y += a b, rounded once: the gradient of a product.</summary>
public class PointwiseMultiplyAdd : Pointwise
{
    /// <inheritdoc/>
    public override Work Work => new(2.0 * Count, 16.0 * Count);

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> a = A.Span, b = B.Span, y = Y.Span;
        for (int i = 0; i < y.Length; i++)
        {
            y[i] += a[i] * b[i];
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives() => TensorPrimitives.FusedMultiplyAdd(A.Span, B.Span, Y.Span, Y.Span);

    [Benchmark]
    public void Engine() => Device.Cpu.ZipDerivative(default(Multiply), false, A, A, A, B, Y);
}

/// <summary>y = e^a</summary>
public class PointwiseExp : Pointwise
{
    /// <inheritdoc/>
    public override Work Work => new(Count, 8.0 * Count);

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> a = A.Span, y = Y.Span;
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = MathF.Exp(a[i]);
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives() => TensorPrimitives.Exp(A.Span, Y.Span);

    [Benchmark]
    public void Engine() => Device.Cpu.Map(default(Exp), A, Y);
}

/// <summary>y = tanh a</summary>
public class PointwiseTanh : Pointwise
{
    /// <inheritdoc/>
    public override Work Work => new(Count, 8.0 * Count);

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> a = A.Span, y = Y.Span;
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = MathF.Tanh(a[i]);
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives() => TensorPrimitives.Tanh(A.Span, Y.Span);

    [Benchmark]
    public void Engine() => Device.Cpu.Map(default(Tanh), A, Y);
}

/// <summary>y = 1 / (1 + e^-a)</summary>
public class PointwiseSigmoid : Pointwise
{
    /// <inheritdoc/>
    public override Work Work => new(3.0 * Count, 8.0 * Count);

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> a = A.Span, y = Y.Span;
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = 1f / (1f + MathF.Exp(-a[i]));
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives() => TensorPrimitives.Sigmoid(A.Span, Y.Span);

    [Benchmark]
    public void Engine() => Device.Cpu.Map(default(Sigmoid), A, Y);
}
