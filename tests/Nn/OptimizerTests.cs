using Marl.Native.Nn;

namespace Marl.Native.Tests;

public sealed class OptimizerTests
{
    private static readonly Dictionary<string, UpdateRule> Rules = new()
    {
        ["SGD"] = new Sgd { LearningRate = 0.01 },
        ["momentum"] = new Sgd { LearningRate = 0.01, Momentum = 0.9 },
        ["Nesterov"] = new Sgd { LearningRate = 0.01, Momentum = 0.9, Nesterov = true },
        ["RMSprop"] = new RmsProp { LearningRate = 0.01, Epsilon = 1e-5 },
        ["RMSprop, momentum"] = new RmsProp { LearningRate = 0.01, Momentum = 0.9 },
        ["RMSprop, centered"] = new RmsProp { LearningRate = 0.01, Alpha = 0.95, Centered = true },
        ["RMSprop, both"] = new RmsProp { LearningRate = 0.01, Alpha = 0.95, Epsilon = 1e-6, Centered = true, Momentum = 0.9 },
        ["Adam"] = new Adam { LearningRate = 0.01 },
        ["Adam, L2"] = new Adam { LearningRate = 0.01, Beta1 = 0.8, Beta2 = 0.99, WeightDecay = 0.01 },
        ["Adam, epsilon hat"] = new Adam { LearningRate = 0.01, Epsilon = 1e-3, EpsilonHat = true },
        ["AdamW"] = new AdamW { LearningRate = 0.01 },
    };

    /// <summary>All rules.</summary>
    public static TheoryData<string> Names => [.. Rules.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void FollowsTheFormula(string name)
    {
        var (parameters, optimizer) = Build(name);
        double[] p = [.. parameters.Values.ToArray().Select(x => (double)x)];
        var formulas = p.Select(_ => new Formula()).ToArray();
        for (int step = 1; step <= 20; step++)
        {
            Draw(parameters.Gradient, (ulong)step);
            for (int i = 0; i < p.Length; i++)
            {
                p[i] = formulas[i].Step(Rules[name], p[i], parameters.Gradient.Span[i], step);
            }
            optimizer.Step();
            Assert.All(Enumerable.Range(0, p.Length), i => Assert.Equal(p[i], parameters.Values.Span[i], 1e-5));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AStepAllocatesNothing(string name)
    {
        var (parameters, optimizer) = Build(name);
        var clip = new GradientClip(parameters);
        var schedule = Schedule.Exponential(1e-2f, 1e-3f, 100);
        Draw(parameters.Gradient, 1);
        long least = long.MaxValue;
        // The first round compiles, and so may a later one.
        for (int round = 0; round < 4; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int step = 0; step < 3; step++)
            {
                var scale = clip.ByGlobalNorm(1f);
                clip.ByTensorNorm(1f);
                clip.ByValue(1f);
                clip.FirstNonFinite(parameters.Values);
                optimizer.Step(scale: scale);
                optimizer.Step(schedule.At(step));
            }
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void GoesOnExactlyFromASavedState(string name)
    {
        var (parameters, optimizer) = Build(name);
        Steps(parameters, optimizer, 1, 5);
        float[] values = parameters.Values.ToArray();
        var state = optimizer.State.Select(s => (s.Name, Value: s.Value.ToArray())).ToArray();
        long steps = optimizer.Steps;
        Steps(parameters, optimizer, 6, 10);

        var (parameters2, optimizer2) = Build(name);
        parameters2.Values.CopyFrom(values);
        optimizer2.Steps = steps;
        foreach (var ((savedName, value), (ownName, own)) in state.Zip(optimizer2.State))
        {
            Assert.Equal(savedName, ownName);
            own.CopyFrom(value);
        }
        Steps(parameters2, optimizer2, 6, 10);

        Assert.Equal(10, optimizer2.Steps);
        Assert.Equal(parameters.Values.ToArray(), parameters2.Values.ToArray());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheLearningRateOfAStepIsTheRulesUnlessAnotherIsGiven(string name)
    {
        var (a, first) = Build(name);
        var (b, _) = Build(name);
        var second = new Optimizer(b, Rules[name] with { LearningRate = 1 });
        foreach (var (parameters, step) in new (Parameters, Action)[] { (a, () => first.Step()), (b, () => second.Step(0.01)) })
        {
            Draw(parameters.Gradient, 1);
            step();
        }
        Assert.Equal(a.Values.ToArray(), b.Values.ToArray());
    }

    [Fact]
    public void TheVarianceOfEqualGradientsIsNotNegative()
    {
        var layout = new ParameterLayout();
        layout.Add("p", new Shape(100), Initializers.Constant(0f));
        var parameters = new Parameters(layout);
        var optimizer = new Optimizer(parameters, new RmsProp { LearningRate = 1e-9, Alpha = 0.9, Centered = true });
        Draw(parameters.Gradient, 1);
        for (int step = 0; step < 500; step++)
        {
            optimizer.Step();
        }
        Assert.All(parameters.Values.ToArray(), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void StateHasPyTorchsNames()
    {
        Assert.Equal("", StateOf(new Sgd()));
        Assert.Equal("momentum_buffer", StateOf(new Sgd { Momentum = 0.9 }));
        Assert.Equal("square_avg", StateOf(new RmsProp()));
        Assert.Equal("square_avg momentum_buffer", StateOf(new RmsProp { Momentum = 0.9 }));
        Assert.Equal("square_avg grad_avg", StateOf(new RmsProp { Centered = true }));
        Assert.Equal("square_avg grad_avg momentum_buffer", StateOf(new RmsProp { Centered = true, Momentum = 0.9 }));
        Assert.Equal("exp_avg exp_avg_sq", StateOf(new AdamW()));

        static string StateOf(UpdateRule rule)
            => string.Join(" ", new Optimizer(new Parameters(new ParameterLayout()), rule).State.Select(s => s.Name));
    }

    [Fact]
    public void HyperParametersOutOfRangeAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd { LearningRate = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd { Momentum = 1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new RmsProp { Alpha = -0.1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new RmsProp { Epsilon = double.NaN });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam { Beta2 = 1 });
        Assert.Contains("Beta1 must be in [0, 1)", Assert.Throws<ArgumentOutOfRangeException>(() => new Adam { Beta1 = double.NaN }).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamW { WeightDecay = double.PositiveInfinity });
    }

    private static void Steps(Parameters parameters, Optimizer optimizer, int first, int last)
    {
        for (int step = first; step <= last; step++)
        {
            Draw(parameters.Gradient, (ulong)step);
            optimizer.Step();
        }
    }

    private static (Parameters, Optimizer) Build(string name)
    {
        var layout = new ParameterLayout();
        layout.Add("a", new Shape(5, 7), Initializers.Xavier());
        layout.Add("b", new Shape(3), Initializers.Constant(0.1f));
        var parameters = new Parameters(layout).Initialize(new Rng(1));
        return (parameters, new Optimizer(parameters, Rules[name]));
    }

    private static void Draw(Tensor x, ulong seed)
    {
        var rng = new Rng(seed);
        foreach (ref float value in x.Span)
        {
            value = (float)rng.NextNormal();
        }
    }

    /// <summary>The rules once more, for one number and in double, as PyTorch's documentation writes them.</summary>
    private sealed class Formula
    {
        private double m, v, b;

        public double Step(UpdateRule rule, double p, double g, int t)
        {
            double lr = rule.LearningRate;
            switch (rule)
            {
                case Sgd s:
                    b = t == 1 ? g : s.Momentum * b + g;
                    return p - lr * (s.Nesterov ? g + s.Momentum * b : b);
                case RmsProp r:
                    v = r.Alpha * v + (1 - r.Alpha) * g * g;
                    m = r.Centered ? r.Alpha * m + (1 - r.Alpha) * g : 0;
                    b = r.Momentum * b + g / (Math.Sqrt(v - m * m) + r.Epsilon);
                    return p - lr * b;
                case Adam a:
                    p = a is AdamW ? p * (1 - lr * a.WeightDecay) : p;
                    g = a is AdamW ? g : g + a.WeightDecay * p;
                    m = a.Beta1 * m + (1 - a.Beta1) * g;
                    v = a.Beta2 * v + (1 - a.Beta2) * g * g;
                    double c1 = 1 - Math.Pow(a.Beta1, t), c2 = Math.Sqrt(1 - Math.Pow(a.Beta2, t));
                    return a.EpsilonHat ? p - lr * c2 / c1 * m / (Math.Sqrt(v) + a.Epsilon) : p - lr / c1 * m / (Math.Sqrt(v) / c2 + a.Epsilon);
                default:
                    throw new ArgumentException($"{rule}");
            }
        }
    }
}
