using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace Marl.Native.Bench.Kernels;

/// <summary>A matrix of 9,760 rows (61 steps of 32 episodes of 5 agents), folded along an axis.</summary>
public abstract class Reduction : KernelBenchmark
{
    private protected const int Rows = 9760;

    /// <summary>Length of a row: actions, and hidden units.</summary>
    [Params(11, 64)]
    public int Columns { get; set; }

    /// <inheritdoc/>
    public override Work Work => new((double)Rows * Columns, 4.0 * (Rows * Columns + Y.Count));

    /// <inheritdoc/>
    public override Tensor Result => Y;

    private protected Tensor X, Y;

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng) => (X, Y) = (Uniform(ref rng, Rows, Columns), Tensor.Zeros(Rows));
}

/// <summary>y[i] = sum_j x[i, j]</summary>
public class ReductionRowSum : Reduction
{
    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> x = X.Span, y = Y.Span;
        for (int i = 0; i < y.Length; i++)
        {
            float sum = 0f;
            for (int j = 0; j < Columns; j++)
            {
                sum += x[i * Columns + j];
            }
            y[i] = sum;
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives()
    {
        Span<float> x = X.Span, y = Y.Span;
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = TensorPrimitives.Sum<float>(x.Slice(i * Columns, Columns));
        }
    }

    [Benchmark]
    public void Engine() => Device.Cpu.Reduce(default(Sum), X, 1, Y);
}

/// <summary>y[i] = max_j x[i, j]</summary>
public class ReductionRowMax : Reduction
{
    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> x = X.Span, y = Y.Span;
        for (int i = 0; i < y.Length; i++)
        {
            float greatest = float.NegativeInfinity;
            for (int j = 0; j < Columns; j++)
            {
                greatest = Math.Max(greatest, x[i * Columns + j]);
            }
            y[i] = greatest;
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives()
    {
        Span<float> x = X.Span, y = Y.Span;
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = TensorPrimitives.Max<float>(x.Slice(i * Columns, Columns));
        }
    }

    [Benchmark]
    public void Engine() => Device.Cpu.Reduce(default(Max), X, 1, Y);
}

/// <summary>y[j] = sum_i x[i, j]: the gradient of a bias.</summary>
public class ReductionColumnSum : Reduction
{
    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng) => (X, Y) = (Uniform(ref rng, Rows, Columns), Tensor.Zeros(Columns));

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> x = X.Span, y = Y.Span;
        y.Clear();
        for (int i = 0; i < Rows; i++)
        {
            for (int j = 0; j < Columns; j++)
            {
                y[j] += x[i * Columns + j];
            }
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives()
    {
        Span<float> x = X.Span, y = Y.Span;
        y.Clear();
        for (int i = 0; i < Rows; i++)
        {
            TensorPrimitives.Add(y, x.Slice(i * Columns, Columns), y);
        }
    }

    [Benchmark]
    public void Engine() => Device.Cpu.Reduce(default(Sum), X, 0, Y);
}
