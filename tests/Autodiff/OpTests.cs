using System.Reflection;

namespace Marl.Native.Tests;

/// <summary>Drives <see cref="OpTable"/>: values, gradients, tangents and garbage of every op at lengths around the lane width.</summary>
public sealed class OpTests
{
    private static readonly int[] Lengths = [1, 2, 3, 5, 15, 16, 17, 33];

    public static TheoryData<string> Ops => [.. OpTable.Lines.Select(line => line.Name)];

    [Fact]
    public void EveryPublicOpHasALine()
    {
        var ops = typeof(Ops).GetMethods(BindingFlags.Public | BindingFlags.Static)
            .Concat(typeof(Var).GetMethods(BindingFlags.Public | BindingFlags.Static).Where(m => m.IsSpecialName))
            .Where(method => method.ReturnType == typeof(Var))
            .GroupBy(method => method.Name.Replace("op_", "", StringComparison.Ordinal));
        var missing = ops.Where(overloads => OpTable.Lines.Count(line => line.Op == overloads.Key) < overloads.Count()).Select(o => o.Key);
        Assert.Empty(missing);
    }

    [Theory]
    [MemberData(nameof(Ops))]
    public void ValueIsTheNaiveOne(string name) => ForAllLengths(name, run =>
    {
        if (run.Line.Naive is { } naive)
        {
            double[] expected = naive(run.Inputs, run.Shapes, run.Constants);
            float[] got = run.Value();
            Assert.Equal(expected.Length, got.Length);
            for (int i = 0; i < got.Length; i++)
            {
                Assert.True(Math.Abs(got[i] - expected[i]) <= 2e-6 * (1 + expected.Max(Math.Abs)), $"{run}: [{i}] is {got[i]}, not {expected[i]}");
            }
        }
    });

    [Theory]
    [MemberData(nameof(Ops))]
    public void GradientIsTheCentralDifference(string name) => ForAllLengths(name, run =>
    {
        const float H = 1f / 128;
        float[] gradient = run.Gradient(), difference = new float[gradient.Length];
        var values = run.Parameters.Values.Span;
        // Some of the elements of long inputs are enough.
        int stride = Math.Max(1, gradient.Length / 100);
        for (int i = 0; i < gradient.Length; i += stride)
        {
            float x = values[i];
            values[i] = x + H;
            double above = run.Loss();
            values[i] = x - H;
            difference[i] = (float)((above - run.Loss()) / (2 * H));
            values[i] = x;
        }
        double tolerance = 2e-3 * (1 + gradient.Max(Math.Abs));
        for (int i = 0; i < gradient.Length; i += stride)
        {
            Assert.True(Math.Abs(gradient[i] - difference[i]) <= tolerance, $"{run}: dL/dx[{i}] is {gradient[i]}, the difference {difference[i]}");
        }
    });

    [Theory]
    [MemberData(nameof(Ops))]
    public void TangentAndGradientAgree(string name) => ForAllLengths(name, run =>
    {
        // L = sum(cot y): along a direction d it changes by d . dL/dx, and by sum(cot dy).
        double backward = run.Gradient().Zip(run.Direction.ToArray(), (g, d) => (double)g * d).Sum();
        var (forward, size) = run.ForwardDerivative();
        Assert.True(Math.Abs(forward - backward) <= 2e-5 * (1 + size), $"{run}: forward {forward}, backward {backward}");
    });

    [Theory]
    [MemberData(nameof(Ops))]
    public void ALaterStepAllocatesNothing(string name)
    {
        var run = new OpRun(Line(name), 17);
        // The first step finds out how much memory it takes, the second gets it.
        run.Step();
        run.Step();
        long before = GC.GetAllocatedBytesForCurrentThread();
        run.Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void ForAllLengths(string name, Action<OpRun> check)
    {
        foreach (int n in Lengths)
        {
            check(new OpRun(Line(name), n));
        }
    }

    private static OpLine Line(string name) => OpTable.Lines.Single(line => line.Name == name);
}

/// <summary>One op at one length: its inputs are the parameters, and L = sum(cot y) with a random cotangent.</summary>
internal sealed class OpRun
{
    private readonly int n;
    private readonly Tape tape;
    private readonly Var[] inputs;
    private readonly Tensor[] constants;
    private readonly Tensor cotangent, direction;

    public OpRun(OpLine line, int n, Device? device = null)
    {
        (Line, this.n, tape) = (line, n, new Tape(device));
        Shapes = [.. line.Shapes(n).Select(lengths => new Shape(lengths))];
        Constants = line.Constants(n);
        var layout = new ParameterLayout();
        for (int i = 0; i < Shapes.Length; i++)
        {
            int input = i;
            layout.Add($"x{i}", Shapes[i], (Span<float> values, Shape shape, ref Rng rng) => Draw(values, shape, input, line.Positive, ref rng));
        }
        Parameters = new Parameters(layout, device).Initialize(new Rng((ulong)n));
        Inputs = [.. layout.Slices.Select(slice => Parameters[slice].ToArray().Select(v => (double)v).ToArray())];
        Direction = Random(Parameters.Values.Shape, 1);
        (direction, constants) = (Moved(Direction), [.. Constants.Select(Moved)]);
        inputs = new Var[Shapes.Length];
        using (tape.NoGrad())
        {
            cotangent = Moved(Random(Apply().Shape, 2));
        }
    }

    public OpLine Line { get; }

    public Shape[] Shapes { get; }

    public Tensor[] Constants { get; }

    public Parameters Parameters { get; }

    public double[][] Inputs { get; }

    /// <summary>[P] where the parameters move in forward mode.</summary>
    public Tensor Direction { get; }

    public float[] Value()
    {
        using (tape.NoGrad())
        {
            return Apply().Value.ToArray();
        }
    }

    /// <summary>sum(cot y), summed in double.</summary>
    public double Loss()
    {
        using (tape.NoGrad())
        {
            return Dot(Apply().Value);
        }
    }

    public float[] Gradient()
    {
        tape.Device.Fill(Parameters.Gradient, 0f);
        using (tape.Step())
        {
            tape.Backward(Apply(), cotangent);
        }
        return Parameters.Gradient.ToArray();
    }

    public float[] Tangent()
    {
        using (tape.Step())
        {
            var y = Apply();
            tape.PushForward(Parameters, direction);
            return y.Tangent.ToArray();
        }
    }

    /// <summary>sum(cot dy) for the tangent dy, and the sum of its summands' sizes.</summary>
    public (double Derivative, double Size) ForwardDerivative()
    {
        double[] summands = [.. Tangent().Zip(cotangent.ToArray(), (a, b) => (double)a * b)];
        return (summands.Sum(), summands.Sum(Math.Abs));
    }

    /// <summary>All that a training step does.</summary>
    public void Step()
    {
        using (tape.Step())
        {
            var y = Apply();
            tape.Backward(y, cotangent);
            tape.PushForward(Parameters, direction);
        }
    }

    public override string ToString() => $"{Line.Name} at length {n}";

    private Var Apply()
    {
        var weights = tape.Bind(Parameters);
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i] = weights[Parameters.Layout.Slices[i]];
        }
        return Line.Apply(inputs, constants);
    }

    private double Dot(Tensor y)
    {
        double sum = 0;
        for (int i = 0; i < y.Count; i++)
        {
            sum += (double)y.Span[i] * cotangent.Span[i];
        }
        return sum;
    }

    private Tensor Moved(Tensor x)
    {
        if (x.IsNone || tape.Device == Device.Cpu)
        {
            return x;
        }
        var moved = tape.Device.Zeros(x.Shape);
        x.CopyTo(moved);
        return moved;
    }

    /// <summary>Numbers on a grid of 0.1 that is another one for every input and avoids 0 and 0.7; in each row all are different, up to 40.
    /// So no two numbers that are compared, and no number and a kink, are closer than the steps of the differences.</summary>
    private static void Draw(Span<float> values, Shape shape, int input, bool positive, ref Rng rng)
    {
        Span<int> grid = stackalloc int[40];
        for (int i = 0; i < values.Length; i++)
        {
            int k = i % shape.Columns % grid.Length;
            if (k == 0)
            {
                for (int j = 0; j < grid.Length; j++)
                {
                    grid[j] = j - grid.Length / 2;
                }
            }
            int pick = k + rng.NextInt(grid.Length - k);
            (grid[k], grid[pick]) = (grid[pick], grid[k]);
            float value = 0.1f * grid[k] + 0.05f + 0.03f * (input % 2);
            values[i] = positive ? 0.5f + Math.Abs(value) : value;
        }
    }

    private static Tensor Random(Shape shape, ulong key)
    {
        var rng = new Rng(key);
        var tensor = Device.Cpu.Zeros(shape);
        foreach (ref float value in tensor.Span)
        {
            value = rng.NextSingle(-1f, 1f);
        }
        return tensor;
    }
}
