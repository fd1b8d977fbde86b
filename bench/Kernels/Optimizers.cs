using BenchmarkDotNet.Attributes;
using Marl.Native.Nn;

namespace Marl.Native.Bench.Kernels;

/// <summary>One step on a flat block of parameters: a small agent's, and a million.</summary>
public abstract class OptimizerStep : KernelBenchmark
{
    /// <summary>Number of parameters.</summary>
    [Params(30_000, 1_000_000)]
    public int Count { get; set; }

    /// <inheritdoc/>
    public override Tensor Result => Parameters.Values;

    private protected Parameters Parameters = null!;
    private protected Optimizer Optimizer = null!;
    private protected Tensor[] State = [];

    private protected void Prepare(ref Rng rng, UpdateRule rule)
    {
        var layout = new ParameterLayout();
        layout.Add("all", new Shape(Count), Initializers.Constant(0f));
        Parameters = new Parameters(layout);
        Uniform(ref rng, Count).CopyTo(Parameters.Values);
        Uniform(ref rng, Count).CopyTo(Parameters.Gradient);
        Optimizer = new Optimizer(Parameters, rule);
        State = [.. Optimizer.State.Select(memory => memory.Value)];
    }
}

/// <summary>Adam.</summary>
public class OptimizerAdam : OptimizerStep
{
    private static readonly Adam Rule = new();

    /// <summary>m: 3; v: 4; p: the root, two divisions, epsilon, the rate and the difference. Three blocks are read and written,
    /// one is read.</summary>
    public override Work Work => new(13.0 * Count, 28.0 * Count);

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng) => Prepare(ref rng, Rule);

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> p = Parameters.Values.Span, g = Parameters.Gradient.Span, m = State[0].Span, v = State[1].Span;
        long step = ++Optimizer.Steps;
        float beta1 = (float)Rule.Beta1, beta2 = (float)Rule.Beta2, epsilon = (float)Rule.Epsilon;
        float rest1 = (float)(1 - Rule.Beta1), rest2 = (float)(1 - Rule.Beta2);
        float rate = (float)(Rule.LearningRate / (1 - Math.Pow(Rule.Beta1, step)));
        float correction = (float)Math.Sqrt(1 - Math.Pow(Rule.Beta2, step));
        for (int i = 0; i < p.Length; i++)
        {
            m[i] = beta1 * m[i] + rest1 * g[i];
            v[i] = beta2 * v[i] + rest2 * g[i] * g[i];
            p[i] -= rate * m[i] / (MathF.Sqrt(v[i]) / correction + epsilon);
        }
    }

    [Benchmark]
    public void Engine() => Optimizer.Step();
}

/// <summary>RMSprop.</summary>
public class OptimizerRmsProp : OptimizerStep
{
    private static readonly RmsProp Rule = new() { LearningRate = 1e-3 };

    /// <summary>v: 4; p: the root, epsilon, a division, the rate and the difference. Two blocks are read and written, one is
    /// read.</summary>
    public override Work Work => new(9.0 * Count, 20.0 * Count);

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng) => Prepare(ref rng, Rule);

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> p = Parameters.Values.Span, g = Parameters.Gradient.Span, v = State[0].Span;
        float alpha = (float)Rule.Alpha, rest = (float)(1 - Rule.Alpha), rate = (float)Rule.LearningRate, epsilon = (float)Rule.Epsilon;
        for (int i = 0; i < p.Length; i++)
        {
            v[i] = alpha * v[i] + rest * g[i] * g[i];
            p[i] -= rate * g[i] / (MathF.Sqrt(v[i]) + epsilon);
        }
    }

    [Benchmark]
    public void Engine() => Optimizer.Step();
}
