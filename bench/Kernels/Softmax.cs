using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace Marl.Native.Bench.Kernels;

/// <summary>Rows of logits or values of actions, a batch of whole episodes: [9760, actions].</summary>
public abstract class ActionRows : KernelBenchmark
{
    private protected const int Rows = 9760;

    /// <summary>Length of a row.</summary>
    [Params(6, 11, 20)]
    public int Actions { get; set; }

    /// <inheritdoc/>
    public override Tensor Result => Y;

    private protected Tensor X, Mask, Y;

    private protected double Count => (double)Rows * Actions;

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng)
        => (X, Mask, Y) = (Uniform(ref rng, Rows, Actions), Available(ref rng, Rows, Actions), Tensor.Zeros(Rows, Actions));
}

/// <summary>y = log softmax(x) over all actions.</summary>
public class LogSoftmax : ActionRows
{
    /// <inheritdoc/>
    public override Work Work => new(5 * Count, 8 * Count);

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> x = X.Span, y = Y.Span;
        for (int row = 0; row < Rows; row++)
        {
            var logits = x.Slice(row * Actions, Actions);
            float greatest = float.NegativeInfinity, sum = 0f;
            foreach (float logit in logits)
            {
                greatest = Math.Max(greatest, logit);
            }
            foreach (float logit in logits)
            {
                sum += MathF.Exp(logit - greatest);
            }
            float shift = greatest + MathF.Log(sum);
            for (int k = 0; k < Actions; k++)
            {
                y[row * Actions + k] = logits[k] - shift;
            }
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives()
    {
        Span<float> x = X.Span, y = Y.Span;
        for (int at = 0; at < x.Length; at += Actions)
        {
            TensorPrimitives.SoftMax<float>(x.Slice(at, Actions), y.Slice(at, Actions));
        }
        TensorPrimitives.Log<float>(y, y);
    }

    [Benchmark]
    public void Engine() => Device.Cpu.LogSoftmax(X, default, Y);
}

/// <summary>y = log softmax(x) over the available actions, 0 at the others.</summary>
public class MaskedLogSoftmax : ActionRows
{
    /// <inheritdoc/>
    public override Work Work => new(5 * Count, 12 * Count);

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> x = X.Span, mask = Mask.Span, y = Y.Span;
        for (int first = 0; first < x.Length; first += Actions)
        {
            float greatest = float.NegativeInfinity, sum = 0f;
            for (int i = first; i < first + Actions; i++)
            {
                greatest = mask[i] != 0 ? Math.Max(greatest, x[i]) : greatest;
            }
            for (int i = first; i < first + Actions; i++)
            {
                sum += mask[i] != 0 ? MathF.Exp(x[i] - greatest) : 0f;
            }
            float shift = greatest + MathF.Log(sum);
            for (int i = first; i < first + Actions; i++)
            {
                y[i] = mask[i] != 0 ? x[i] - shift : 0f;
            }
        }
    }

    [Benchmark]
    public void Engine() => Device.Cpu.LogSoftmax(X, Mask, Y);
}

/// <summary>The greedy action of every row among those available.</summary>
public class MaskedArgMax : ActionRows
{
    /// <inheritdoc/>
    public override Work Work => new(Count, 8 * Count + 4 * Rows);

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng)
        => (X, Mask, Y) = (Uniform(ref rng, Rows, Actions), Available(ref rng, Rows, Actions), Tensor.Zeros(Rows));

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> x = X.Span, mask = Mask.Span, y = Y.Span;
        for (int row = 0; row < Rows; row++)
        {
            int best = 0;
            float greatest = float.NegativeInfinity;
            for (int k = 0; k < Actions; k++)
            {
                int i = row * Actions + k;
                if (mask[i] != 0 && x[i] > greatest)
                {
                    (best, greatest) = (k, x[i]);
                }
            }
            y[row] = best;
        }
    }

    [Benchmark]
    public void Engine() => Device.Cpu.ArgMax(X, Mask, Y);
}
