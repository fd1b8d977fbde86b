using BenchmarkDotNet.Attributes;

namespace Marl.Native.Bench.Kernels;

/// <summary>y[row] = x[row, index[row]]: the values of the actions taken.</summary>
public class GatherActions : ActionRows
{
    private Tensor index;

    /// <inheritdoc/>
    public override Work Work => new(0, 12.0 * Rows);

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng)
        => (X, index, Y) = (Uniform(ref rng, Rows, Actions), Indices(ref rng, Actions, Rows, 1), Tensor.Zeros(Rows, 1));

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> x = X.Span, at = index.Span, y = Y.Span;
        for (int row = 0; row < y.Length; row++)
        {
            y[row] = x[row * Actions + (int)at[row]];
        }
    }

    [Benchmark]
    public void Engine() => Device.Cpu.Gather(X, index, Y);
}

/// <summary>x[row, index[row]] += y[row]: its gradient.</summary>
public class ScatterActions : ActionRows
{
    private Tensor index;

    /// <inheritdoc/>
    public override Work Work => new(Rows, 16.0 * Rows);

    /// <inheritdoc/>
    public override Tensor Result => X;

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng)
        => (X, index, Y) = (Uniform(ref rng, Rows, Actions), Indices(ref rng, Actions, Rows, 1), Uniform(ref rng, Rows, 1));

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> x = X.Span, at = index.Span, y = Y.Span;
        for (int row = 0; row < y.Length; row++)
        {
            x[row * Actions + (int)at[row]] += y[row];
        }
    }

    [Benchmark]
    public void Engine() => Device.Cpu.ScatterAdd(Y, index, X);
}

/// <summary>y[i, ..] = w[index[i], ..]: rows of a replay or an embedding.</summary>
public class GatherRows : KernelBenchmark
{
    private const int Picks = 1920, Table = 5000;
    private Tensor w, index, y;

    /// <summary>Length of a row.</summary>
    [Params(11, 64)]
    public int Columns { get; set; }

    /// <inheritdoc/>
    public override Work Work => new(0, 4.0 * Picks * (2 * Columns + 1));

    /// <inheritdoc/>
    public override Tensor Result => y;

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng)
        => (w, index, y) = (Uniform(ref rng, Table, Columns), Indices(ref rng, Table, Picks), Tensor.Zeros(Picks, Columns));

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> from = w.Span, at = index.Span, to = y.Span;
        for (int i = 0; i < Picks; i++)
        {
            for (int j = 0; j < Columns; j++)
            {
                to[i * Columns + j] = from[(int)at[i] * Columns + j];
            }
        }
    }

    [Benchmark]
    public void Engine() => Device.Cpu.GatherRows(w, index, y);
}
