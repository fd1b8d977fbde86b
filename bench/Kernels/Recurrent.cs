using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace Marl.Native.Bench.Kernels;

/// <summary>A GRU over 61 steps of a shard of 32 agents, or of a batch of 160, with as many inputs as units.</summary>
public abstract class Recurrent : KernelBenchmark
{
    private protected const int Steps = 61;

    /// <summary>Agents side by side.</summary>
    [Params(32, 160)]
    public int Rows { get; set; }

    /// <summary>Units of the state.</summary>
    [Params(64, 128)]
    public int Hidden { get; set; }

    private protected readonly Tape Tape = new();
    private protected GruSequence Sequence = null!;

    private protected double WeightBytes => 4.0 * Sequence.Parameters.Values.Count;

    private protected double StateBytes => 4.0 * Sequence.Y.Count;

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng) => Sequence = new GruSequence(Steps, Rows, Hidden, Hidden, ref rng);
}

/// <summary>The states of a whole sequence.</summary>
public class GruForward : Recurrent
{
    private float[] gi = [], gh = [];

    /// <inheritdoc/>
    public override Work Work => new(Sequence.Operations, WeightBytes + 2 * StateBytes);

    /// <inheritdoc/>
    public override Tensor Result => Sequence.Y;

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng)
    {
        base.Prepare(ref rng);
        (gi, gh) = (new float[3 * Hidden], new float[3 * Hidden]);
    }

    [Benchmark(Baseline = true)]
    public void Naive() => Sequence.Forward();

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives()
    {
        Span<float> both = gi.AsSpan(0, 2 * Hidden), r = both[..Hidden], z = both[Hidden..], n = gi.AsSpan(2 * Hidden);
        for (int t = 0; t < Steps; t++)
        {
            for (int row = 0; row < Rows; row++)
            {
                Span<float> h = Sequence.Before(t).Slice(row * Hidden, Hidden), y = Sequence.Y[t][row].Span;
                Products(Sequence.WIh, Sequence.BIh, Sequence.X[t][row].Span, gi);
                Products(Sequence.WHh, Sequence.BHh, h, gh);
                TensorPrimitives.Add(both, gh.AsSpan(0, 2 * Hidden), both);
                TensorPrimitives.Sigmoid<float>(both, both);
                TensorPrimitives.MultiplyAdd(r, gh.AsSpan(2 * Hidden), n, n);
                TensorPrimitives.Tanh<float>(n, n);
                TensorPrimitives.Subtract(h, n, y);
                TensorPrimitives.MultiplyAdd(z, y, n, y);
            }
        }

        static void Products(Span<float> w, Span<float> b, Span<float> x, Span<float> y)
        {
            for (int gate = 0; gate < y.Length; gate++)
            {
                y[gate] = b[gate] + TensorPrimitives.Dot<float>(w.Slice(gate * x.Length, x.Length), x);
            }
        }
    }

    [Benchmark]
    public void Engine()
    {
        using (Tape.NoGrad())
        {
            Sequence.Forward(Tape, Tape.Constant(Sequence.X), Tape.Detached(Sequence.Parameters)).Value.CopyTo(Sequence.Y);
        }
    }
}

/// <summary>Forward and backward: the gradients of the weights and of the inputs, from that of every state.</summary>
public class GruForwardBackward : Recurrent
{
    /// <summary>Backward has twice the products of forward: into the inputs and into the weights.</summary>
    public override Work Work => new(3 * Sequence.Operations, 2 * WeightBytes + 5 * StateBytes);

    /// <inheritdoc/>
    public override Tensor Result => Sequence.Parameters.Gradient;

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Sequence.Forward();
        Sequence.Backward();
    }

    [Benchmark]
    public void Engine()
    {
        Device.Cpu.Fill(Sequence.Parameters.Gradient, 0f);
        using (Tape.Step())
        {
            var x = Tape.Variable(Sequence.X);
            Tape.Backward(Sequence.Forward(Tape, x, Tape.Bind(Sequence.Parameters)), Sequence.DY);
            x.Gradient.CopyTo(Sequence.DX);
        }
    }
}
