using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

public sealed class LayerTests
{
    private const int Copies = 3;

    /// <summary>Every layer that takes copies, with its inputs' last axis of length 4.</summary>
    public static TheoryData<string> Names => ["Linear", "Mlp", "Mlp of three", "LayerNorm", "RmsNorm", "Gru", "Gru with continue mask"];

    [Fact]
    public void NamesAndShapesArePyTorchs()
    {
        Assert.Equal("x.weight [2, 4], x.bias [2]", Slices(l => new Linear(l, 4, 2)));
        Assert.Equal("x.weight [3, 2, 4], x.bias [3, 2]", Slices(l => new Linear(l, 4, 2, Copies)));
        Assert.Equal("x.0.weight [5, 4], x.0.bias [5], x.2.weight [6, 5], x.2.bias [6], x.4.weight [2, 6], x.4.bias [2]",
            Slices(l => new Mlp(l, [4, 5, 6, 2])));
        Assert.Equal("x.0.weight [3, 2, 4], x.0.bias [3, 2]", Slices(l => new Mlp(l, [4, 2], groups: Copies)));
        Assert.Equal("x.weight_ih [15, 4], x.weight_hh [15, 5], x.bias_ih [15], x.bias_hh [15]", Slices(l => new Gru(l, 4, 5)));
        Assert.Equal("x.weight_ih [3, 15, 4], x.weight_hh [3, 15, 5], x.bias_ih [3, 15], x.bias_hh [3, 15]",
            Slices(l => new Gru(l, 4, 5, Copies)));
        Assert.Equal("x.weight [4], x.bias [4]", Slices(l => new LayerNorm(l, 4)));
        Assert.Equal("x.weight [3, 4], x.bias [3, 4]", Slices(l => new LayerNorm(l, 4, Copies)));
        Assert.Equal("x.weight [4]", Slices(l => new RmsNorm(l, 4)));
        Assert.Equal("x.weight [3, 4]", Slices(l => new RmsNorm(l, 4, Copies)));
        Assert.Equal("x.weight [9, 5]", Slices(l => new Embedding(l, 9, 5)));
        Assert.Equal("x.weight [6, 3, 5, 5], x.bias [6]", Slices(l => new Conv2d(l, 3, 6, kernel: 5)));
        Assert.Equal("x.weight [6, 9], x.bias [6]", Slices(l => new JoinedLinear(l, [4, 2, 3], 6)));
        Assert.Equal("x.weight [6, 4], x.bias [6]", Slices(l => new HyperNetwork(l, 4, 6)));
        Assert.Equal("x.0.weight [5, 4], x.0.bias [5], x.2.weight [6, 5], x.2.bias [6]", Slices(l => new HyperNetwork(l, 4, 6, embed: 5)));
    }

    [Fact]
    public void InitialValues()
    {
        var layout = new ParameterLayout();
        _ = new Linear(layout.Scope("default"), 25, 400);
        _ = new Gru(layout.Scope("gru"), 25, 100);
        _ = new LayerNorm(layout.Scope("norm"), 4);
        _ = new RmsNorm(layout.Scope("rms"), 3);
        _ = new Conv2d(layout.Scope("conv"), 4, 20, kernel: 5);
        _ = new Embedding(layout.Scope("embedding"), 200, 50);
        _ = new Mlp(layout.Scope("mlp"), [25, 9, 9], hidden: Initializers.Constant(1f), output: Initializers.Constant(2f));
        var values = Values(layout);
        Near(0.2, values["default.weight"]);
        Near(0.1, values["conv.weight"]);
        Assert.Equal(0, values["embedding.weight"].Average(), 0.05);
        Assert.Equal(1, values["embedding.weight"].Average(v => v * v), 0.05);
        Near(0.2, values["default.bias"]);
        Assert.All(["gru.weight_ih", "gru.weight_hh", "gru.bias_ih", "gru.bias_hh"], name => Near(0.1, values[name]));
        Assert.Equal([1f, 1f, 1f, 1f], values["norm.weight"]);
        Assert.Equal([0f, 0f, 0f, 0f], values["norm.bias"]);
        Assert.Equal([1f, 1f, 1f], values["rms.weight"]);
        // A layer whose weights are given an initializer has bias 0.
        Assert.All(values["mlp.0.weight"], value => Assert.Equal(1f, value));
        Assert.All(values["mlp.2.weight"], value => Assert.Equal(2f, value));
        Assert.All([.. values["mlp.0.bias"], .. values["mlp.2.bias"]], value => Assert.Equal(0f, value));

        static void Near(double bound, float[] drawn) => Assert.InRange(drawn.Max(Math.Abs), 0.9 * bound, bound);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void GradientIsThatOfFiniteDifferences(string name)
    {
        CheckGradient(name, 0);
        CheckGradient(name, Copies);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void CopiesAreAsManyNetworks(string name)
    {
        // Copy i with its own weights computes, bit for bit, what a single network with those weights does on the rows of copy i.
        var (parameters, forward) = Build(name, Copies);
        float[] together = Run(parameters, forward, Input(Copies));
        var (single, forwardSingle) = Build(name, 0);
        for (int copy = 0; copy < Copies; copy++)
        {
            for (int i = 0; i < single.Layout.Slices.Count; i++)
            {
                parameters[parameters.Layout.Slices[i]][copy].CopyTo(single[single.Layout.Slices[i]]);
            }
            float[] alone = Run(single, forwardSingle, Rows(Input(Copies), copy));
            int width = together.Length / (2 * 5 * Copies);
            for (int row = 0; row < 2 * 5; row++)
            {
                Assert.Equal(alone.AsSpan(row * width, width), together.AsSpan((row * Copies + copy) * width, width));
            }
        }
    }

    [Fact]
    public void ShapesThatDoNotFitAreNamed()
    {
        Throws("Linear: input [2, 3] does not match weight [2, 4] and bias [2]", l => new Linear(l, 4, 2).Forward, 2, 3);
        Throws("LayerNorm: input [2, 3] does not match weight [4]", l => new LayerNorm(l, 4).Forward, 2, 3);
        Throws("LayerNorm: input [2, 4] does not match weight [3, 4]", l => new LayerNorm(l, 4, Copies).Forward, 2, 4);
        Throws("RmsNorm: input [2, 4] does not match weight [3, 4]", l => new RmsNorm(l, 4, Copies).Forward, 2, 4);
        Throws("Linear: input [2, 3] does not match weight [6, 4]", l => new HyperNetwork(l, 4, 6).Forward, 2, 3);
        Assert.Throws<ArgumentException>(() => new Mlp(new ParameterLayout(), [4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Linear(new ParameterLayout(), 4, 2, groups: -1));

        static void Throws(string message, Func<ParameterLayout, Func<Weights, Var, Var>> build, params int[] input)
        {
            var layout = new ParameterLayout();
            var forward = build(layout);
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => Run(new Parameters(layout), forward, Tensor.Zeros(input))).Message);
        }
    }

    [Fact]
    public void RmsNormIsItsFormula()
    {
        var layout = new ParameterLayout();
        var norm = new RmsNorm(layout, 4, epsilon: 0.25f);
        var parameters = new Parameters(layout);
        float[] weight = [1f, -2f, 0.5f, 3f], x = [1f, 2f, -3f, 4f];
        parameters.Values.CopyFrom(weight);
        double root = Math.Sqrt((1 + 4 + 9 + 16) / 4.0 + 0.25);
        float[] y = Run(parameters, norm.Forward, Tensor.Of(x).Reshape(1, 4));
        Assert.All(y.Zip(x, weight), row => Assert.Equal(row.Second / root * row.Third, row.First, 1e-6));
    }

    [Fact]
    public void DropoutKeepsTheMeanDropsByItsRngAndDoesNothingInEvaluation()
    {
        var (tape, dropout, x) = (new Tape(), new Dropout(0.3f), Tensor.Of(Normals(20_000, seed: 1)).Reshape(100, 200));
        using (tape.Step())
        {
            Rng rng = new(5), again = new(5), other = new(6);
            var input = tape.Variable(x);
            var y = dropout.Forward(input, ref rng, training: true);
            float[] kept = [.. y.Value.ToArray().Zip(x.ToArray(), (a, b) => a / b)];
            Assert.All(kept, factor => Assert.True(factor == 0f || Math.Abs(factor - 1 / 0.7f) < 1e-5f));
            Assert.Equal(0.3, kept.Count(factor => factor == 0f) / 20_000.0, 0.015);
            Assert.Equal(20_000UL, rng.Counter);
            Assert.Equal(y.Value.ToArray(), dropout.Forward(input, ref again, training: true).Value.ToArray());
            Assert.NotEqual(y.Value.ToArray(), dropout.Forward(input, ref other, training: true).Value.ToArray());
            Assert.Equal(x.ToArray(), dropout.Forward(input, ref rng, training: false).Value.ToArray());
            Assert.Equal(20_000UL, rng.Counter);
            tape.Backward(y.Sum());
            Assert.All(input.Gradient.ToArray().Zip(kept), pair => Assert.Equal(pair.Second, pair.First, 1e-5f));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => new Dropout(1f));
    }

    [Fact]
    public void LayersOfTableAndImage()
    {
        var layout = new ParameterLayout();
        var (embedding, convolution) = (new Embedding(layout.Scope("e"), 5, 4), new Conv2d(layout.Scope("c"), 2, 3, kernel: 2, stride: 2, padding: 1));
        var (parameters, tape) = (new Parameters(layout).Initialize(new Rng(1)), new Tape());
        using (tape.Step())
        {
            var w = tape.Bind(parameters);
            var y = embedding.Forward(w, Tensor.Of([4f, 0f, 4f], 3, 1));
            Assert.Equal(new Shape(3, 1, 4), y.Shape);
            Assert.Equal(parameters[layout.Slices[0]][4].ToArray(), y.Value[0].ToArray());
            Assert.Equal(new Shape(7, 3, 4, 3), convolution.Forward(w, tape.Constant(Tensor.Zeros(7, 2, 6, 5))).Shape);
            Assert.Throws<ArgumentOutOfRangeException>(() => embedding.Forward(tape.Bind(parameters), Tensor.Of([5f])));
        }
    }

    /// <summary>dL/dw and dL/dx against (L(w + h) - L(w - h)) / 2h, L = sum cotangent y summed in double.</summary>
    private static void CheckGradient(string name, int copies)
    {
        var (parameters, forward) = Build(name, copies);
        var x = Input(copies);
        float[] cotangent = Normals(Run(parameters, forward, x).Length, seed: 9), dx;
        var tape = new Tape();
        using (tape.Step())
        {
            var input = tape.Variable(x);
            var y = forward(tape.Bind(parameters), input);
            tape.Backward(y, Tensor.Of(cotangent).Reshape(y.Shape));
            dx = input.Gradient.ToArray();
        }
        Compare(parameters.Values, parameters.Gradient.ToArray());
        Compare(x, dx);

        void Compare(Tensor at, float[] gradient)
        {
            const float H = 1e-2f;
            for (int i = 0; i < gradient.Length; i++)
            {
                float before = at.Span[i];
                at.Span[i] = before + H;
                double above = Loss();
                at.Span[i] = before - H;
                double below = Loss();
                at.Span[i] = before;
                Assert.Equal((above - below) / (2 * H), gradient[i], 2e-3 * Math.Max(1, Math.Abs(gradient[i])));
            }
        }

        double Loss() => Run(parameters, forward, x).Zip(cotangent, (y, c) => (double)y * c).Sum();
    }

    private static (Parameters, Func<Weights, Var, Var>) Build(string name, int copies)
    {
        var layout = new ParameterLayout();
        var forward = name switch
        {
            "Linear" => new Linear(layout, 4, 2, copies).Forward,
            "Mlp" => new Mlp(layout, [4, 5, 2], Ops.Tanh, copies).Forward,
            "Mlp of three" => new Mlp(layout, [4, 5, 3, 2], x => x.Elu(), copies).Forward,
            "LayerNorm" => new LayerNorm(layout, 4, copies).Forward,
            "RmsNorm" => new RmsNorm(layout, 4, copies).Forward,
            _ => Recurrent(new Gru(layout, 4, 3, copies), keep: name == "Gru with continue mask"),
        };
        var parameters = new Parameters(layout).Initialize(new Rng(5));
        if (name is "LayerNorm" or "RmsNorm")
        {
            parameters.Values.CopyFrom(Normals(layout.Count, seed: 3));
        }
        return (parameters, forward);
    }

    /// <summary>From a state that depends on the input, so that the gradient of h0 is checked as well.</summary>
    private static Func<Weights, Var, Var> Recurrent(Gru gru, bool keep) => (w, x) =>
    {
        var h0 = x.Slice(0, 0, 1).Reshape(x.Shape.Without(0)).Slice(-1, 0, gru.Hidden);
        var kept = Tensor.Zeros(x.Shape.Rows);
        int copies = x.Shape.Product(2, x.Shape.Rank - 1);
        for (int row = 0; row < kept.Count; row++)
        {
            kept.Span[row] = row / copies % 4 == 0 ? 0f : 1f;
        }
        return gru.Forward(w, x, h0, keep ? kept.Reshape(x.Shape.Without(-1)) : default);
    };

    private static Tensor Input(int copies)
    {
        var shape = copies == 0 ? new Shape(2, 5, 4) : new Shape(2, 5, copies, 4);
        return Tensor.Of(Normals(shape.Count, seed: 7)).Reshape(shape);
    }

    /// <summary>The rows [T, B, F] of one copy in [T, B, N, F].</summary>
    private static Tensor Rows(Tensor x, int copy)
    {
        var rows = Tensor.Zeros(2, 5, 4);
        for (int row = 0; row < 2 * 5; row++)
        {
            x.Span.Slice((row * Copies + copy) * 4, 4).CopyTo(rows.Span[(row * 4)..]);
        }
        return rows;
    }

    private static float[] Run(Parameters parameters, Func<Weights, Var, Var> forward, Tensor x)
    {
        var tape = new Tape();
        using (tape.NoGrad())
        {
            return forward(tape.Detached(parameters), tape.Constant(x)).Value.ToArray();
        }
    }

    internal static float[] Normals(int count, ulong seed)
    {
        var rng = new Rng(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (float)rng.NextNormal();
        }
        return values;
    }

    private static string Slices(Action<ParameterLayout> build)
    {
        var layout = new ParameterLayout();
        build(layout.Scope("x"));
        return string.Join(", ", layout.Slices.Select(s => $"{s.Name} {s.Shape}"));
    }

    private static Dictionary<string, float[]> Values(ParameterLayout layout)
    {
        var parameters = new Parameters(layout).Initialize(new Rng(1));
        return layout.Slices.ToDictionary(s => s.Name, s => parameters[s].ToArray());
    }
}
