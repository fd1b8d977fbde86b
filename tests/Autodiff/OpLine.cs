namespace Marl.Native.Tests;

/// <summary>One line of the op-case table: how an op is applied to inputs whose last axis has a length n.</summary>
/// <param name="Op">name of the method, or of the operator, that it stands for.</param>
/// <param name="Detail">which use of it.</param>
/// <param name="Shapes">of the inputs, for a length n.</param>
/// <param name="Apply">the op on inputs and constants.</param>
internal sealed record OpLine(string Op, string Detail, Func<int, int[][]> Shapes, Func<Var[], Tensor[], Var> Apply)
{
    /// <summary>Masks, indices and targets, for a length n.</summary>
    public Func<int, Tensor[]> Constants { get; init; } = _ => [];

    /// <summary>Whether the op is for positive numbers only.</summary>
    public bool Positive { get; init; }

    /// <summary>The op in double precision, as naive as can be: from inputs, their shapes and constants to the output. None: it consists of
    /// ops that have their own.</summary>
    public Func<double[][], Shape[], Tensor[], double[]>? Naive { get; init; }

    /// <summary>The function in lanes, if the op is nothing but a pointwise function: the tests of <see cref="PointwiseOps"/> try it too.</summary>
    public UnaryCase? Function { get; init; }

    /// <summary>For people.</summary>
    public string Name => Detail == "" ? Op : $"{Op}, {Detail}";

    /// <summary>y = f(x).</summary>
    public static OpLine Unary(string op, Func<Var, Var> apply, Func<double, double> naive, string detail = "", bool positive = false)
        => new(op, detail, n => [[3, n]], (x, _) => apply(x[0])) { Positive = positive, Naive = (x, _, _) => [.. x[0].Select(naive)] };

    /// <summary>y = f(x) of a pointwise function of its own, which is tried in low .. high.</summary>
    public static OpLine Pointwise<TOp>(string op, Func<Var, Var> apply, TOp function, Func<double, double> naive, float low, float high, params float[] kinks)
        where TOp : unmanaged, IUnary => Unary(op, apply, naive) with { Function = new UnaryCase<TOp>(function, low, high, kinks) };

    /// <summary>y = f(a, b) with equal shapes, with a row, and with shapes that both broadcast.</summary>
    public static OpLine[] Binary(string op, Func<Var, Var, Var> apply, Func<double, double, double> naive, bool positive = false)
    {
        return [Of("equal shapes", n => [[3, n], [3, n]]), Of("with a row", n => [[2, 3, n], [n]]), Of("both broadcast", n => [[2, 1, n], [3, 1]])];

        OpLine Of(string detail, Func<int, int[][]> shapes) => new(op, detail, shapes, (x, _) => apply(x[0], x[1]))
        {
            Positive = positive,
            Naive = (x, shapes, _) => Broadcast(x[0], shapes[0], x[1], shapes[1], naive),
        };
    }

    /// <summary>y = f(x, c) with a constant tensor c of ones and twos.</summary>
    public static OpLine WithConstant(string op, Func<Var, Tensor, Var> apply, Func<double, double, double> naive,
        string detail = "with a constant tensor") => new(op, detail, n => [[2, 3, n]], (x, c) => apply(x[0], c[0]))
        {
            Constants = n => [OpTable.Pattern(i => 1 + i % 2, n)],
            Naive = (x, shapes, c) => Broadcast(x[0], shapes[0], [.. c[0].ToArray().Select(v => (double)v)], c[0].Shape, naive),
        };

    /// <summary>f over all elements of the broadcast shape, found by their indices along each axis.</summary>
    public static double[] Broadcast(double[] a, Shape aShape, double[] b, Shape bShape, Func<double, double, double> f)
    {
        var shape = Shape.Broadcast(aShape, bShape);
        return [.. Enumerable.Range(0, shape.Count).Select(i => f(a[Place(i, aShape)], b[Place(i, bShape)]))];

        int Place(int element, Shape own)
        {
            int place = 0, step = 1;
            for (int back = 1; back <= own.Rank; back++)
            {
                place += element % shape[-back] % own[-back] * step;
                element /= shape[-back];
                step *= own[-back];
            }
            return place;
        }
    }
}
