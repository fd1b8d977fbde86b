namespace Marl.Native.Tests;

/// <summary>Every public op that makes a <see cref="Var"/>, one line each; <see cref="OpTests"/> drives them, and fails for an op without a line.</summary>
internal static class OpTable
{
    /// <summary>The lines. Kinks lie at 0 and 0.7, between the inputs.</summary>
    public static IReadOnlyList<OpLine> Lines { get; } =
    [
        // ---- pointwise ----
        OpLine.Unary("Map", x => x.Map(new Affine(2f, 0.5f)), x => 2 * x + 0.5),
        .. OpLine.Binary("Zip", (a, b) => a.Zip(b, default(Multiply)), (a, b) => a * b),
        OpLine.Unary("Abs", x => x.Abs(), Math.Abs),
        OpLine.Unary("Square", x => x.Square(), x => x * x),
        OpLine.Unary("Sqrt", x => x.Sqrt(), Math.Sqrt, positive: true),
        OpLine.Unary("Pow", x => x.Pow(3f), x => x * x * x, "of any sign"),
        OpLine.Unary("Pow", x => x.Pow(-2f), x => 1 / (x * x), "to a negative integer", positive: true),
        OpLine.Unary("Pow", x => x.Pow(1.7f), x => Math.Pow(x, 1.7f), "to a fraction", positive: true),
        .. OpLine.Binary("Pow", (a, b) => a.Pow(b), Math.Pow, positive: true),
        OpLine.Unary("Reciprocal", x => x.Reciprocal(), x => 1 / x, positive: true),
        OpLine.Unary("Exp", x => x.Exp(), Math.Exp),
        OpLine.Unary("Log", x => x.Log(), Math.Log, positive: true),
        OpLine.Unary("Relu", x => x.Relu(), x => Math.Max(x, 0)),
        OpLine.Pointwise("LeakyRelu", x => x.LeakyRelu(0.125f), new LeakyRelu(0.125f), x => x > 0 ? x : 0.125 * x, -4, 4, 0),
        OpLine.Pointwise("Elu", x => x.Elu(0.5f), new Elu(0.5f), x => x > 0 ? x : 0.5 * (Math.Exp(x) - 1), -4, 4, 0),
        OpLine.Unary("Tanh", x => x.Tanh(), Math.Tanh),
        OpLine.Unary("Sigmoid", x => x.Sigmoid(), x => 1 / (1 + Math.Exp(-x))),
        OpLine.Pointwise("Silu", x => x.Silu(), default(Silu), x => x / (1 + Math.Exp(-x)), -12, 12),
        OpLine.Pointwise("Softplus", x => x.Softplus(2f), new Softplus(2f), x => Math.Log(1 + Math.Exp(2 * x)) / 2, -8, 9.5f),
        OpLine.Unary("Softplus", x => x.Softplus(16f), x => 16 * x > 20 ? x : Math.Log(1 + Math.Exp(16 * x)) / 16, "where it is linear"),
        OpLine.Unary("Clamp", x => x.Clamp(-0.7f, 0.7f), x => Math.Clamp(x, -0.7, 0.7)),
        OpLine.Pointwise("Huber", x => x.Huber(0.7f), new Huber(0.7f), x => Math.Abs(x) > 0.7 ? 0.7 * (Math.Abs(x) - 0.35) : x * x / 2, -4, 4),
        .. OpLine.Binary("Minimum", (a, b) => a.Minimum(b), Math.Min),
        .. OpLine.Binary("Maximum", (a, b) => a.Maximum(b), Math.Max),
        new("MaskedFill", "", n => [[3, n]], (x, c) => x[0].MaskedFill(c[0], -9f))
        {
            Constants = n => [Mask(3, n)],
            Naive = (x, _, c) => [.. x[0].Select((v, i) => c[0].Span[i] == 0 ? -9 : v)],
        },

        // ---- operators ----
        .. OpLine.Binary("Addition", (a, b) => a + b, (a, b) => a + b),
        OpLine.Unary("Addition", x => x + 1.5f, x => x + 1.5, "with a number"),
        OpLine.Unary("Addition", x => 1.5f + x, x => x + 1.5, "to a number"),
        OpLine.WithConstant("Addition", (x, c) => x + c, (x, c) => x + c),
        .. OpLine.Binary("Subtraction", (a, b) => a - b, (a, b) => a - b),
        OpLine.Unary("Subtraction", x => x - 1.5f, x => x - 1.5, "of a number"),
        OpLine.Unary("Subtraction", x => 1.5f - x, x => 1.5 - x, "from a number"),
        OpLine.WithConstant("Subtraction", (x, c) => x - c, (x, c) => x - c),
        OpLine.WithConstant("Subtraction", (x, c) => c - x, (x, c) => c - x, "from a constant tensor"),
        .. OpLine.Binary("Multiply", (a, b) => a * b, (a, b) => a * b),
        OpLine.Unary("Multiply", x => x * 1.5f, x => x * 1.5, "by a number"),
        OpLine.Unary("Multiply", x => 1.5f * x, x => x * 1.5, "of a number"),
        OpLine.WithConstant("Multiply", (x, c) => x * c, (x, c) => x * c),
        .. OpLine.Binary("Division", (a, b) => a / b, (a, b) => a / b, positive: true),
        OpLine.Unary("Division", x => x / 1.5f, x => x / 1.5, "by a number"),
        OpLine.Unary("Division", x => 1.5f / x, x => 1.5 / x, "of a number", positive: true),
        OpLine.WithConstant("Division", (x, c) => x / c, (x, c) => x / c),
        OpLine.Unary("UnaryNegation", x => -x, x => -x),

        // ---- reductions ----
        new("Sum", "", n => [[3, n]], (x, _) => x[0].Sum()) { Naive = (x, _, _) => [x[0].Sum()] },
        new("Sum", "axis 0", n => [[3, n]], (x, _) => x[0].Sum(0)) { Naive = (x, s, _) => Fold(x[0], s[0], 0, v => v.Sum()) },
        new("Sum", "axis 1", n => [[2, 3, n]], (x, _) => x[0].Sum(1)) { Naive = (x, s, _) => Fold(x[0], s[0], 1, v => v.Sum()) },
        new("Sum", "last axis", n => [[2, 3, n]], (x, _) => x[0].Sum(-1)) { Naive = (x, s, _) => Fold(x[0], s[0], 2, v => v.Sum()) },
        new("WeightedSum", "", n => [[3, n]], (x, c) => x[0].WeightedSum(c[0]))
        {
            Constants = n => [Pattern(i => i % 4 - 1.5f, 3, n)],
            Naive = (x, _, c) => [x[0].Select((v, i) => v * c[0].Span[i]).Sum()],
        },
        new("WeightedSum", "a weight for each row", n => [[3, n]], (x, c) => x[0].WeightedSum(c[0]))
        {
            Constants = n => [Pattern(i => i % 4 - 1.5f, 3, 1)],
            Naive = (x, s, c) => [x[0].Select((v, i) => v * c[0].Span[i / s[0][1]]).Sum()],
        },
        new("Mean", "", n => [[3, n]], (x, _) => x[0].Mean()) { Naive = (x, _, _) => [x[0].Average()] },
        new("Mean", "axis 0", n => [[3, n]], (x, _) => x[0].Mean(0)) { Naive = (x, s, _) => Fold(x[0], s[0], 0, v => v.Average()) },
        new("Variance", "axis 0", n => [[3, n]], (x, _) => x[0].Variance(0, unbiased: true))
        {
            Naive = (x, s, _) => Fold(x[0], s[0], 0, v => v.Sum(k => (k - v.Average()) * (k - v.Average())) / (v.Length - 1)),
        },
        new("Max", "", n => [[3, n]], (x, _) => x[0].Max()) { Naive = (x, s, _) => Fold(x[0], s[0], 1, v => v.Max()) },

        // ---- softmax ----
        new("LogSoftmax", "", n => [[3, n]], (x, _) => x[0].LogSoftmax()) { Naive = (x, s, _) => LogSoftmax(x[0], null, s[0][1]) },
        new("LogSoftmax", "of the available", n => [[3, n]], (x, c) => x[0].LogSoftmax(c[0]))
        {
            Constants = n => [Mask(3, n)],
            Naive = (x, s, c) => LogSoftmax(x[0], c[0], s[0][1]),
        },
        new("Softmax", "of the available", n => [[3, n]], (x, c) => x[0].Softmax(c[0]))
        {
            Constants = n => [Mask(3, n)],
            Naive = (x, s, c) => [.. LogSoftmax(x[0], c[0], s[0][1]).Select((v, i) => c[0].Span[i] == 0 ? 0 : Math.Exp(v))],
        },
        new("Entropy", "", n => [[3, n]], (x, _) => x[0].Entropy()) { Naive = (x, s, _) => Fold(x[0], s[0], 1, v => -v.Sum(k => Math.Exp(k) * k)) },
        new("LogSumExp", "", n => [[3, n]], (x, _) => x[0].LogSumExp()) { Naive = (x, s, _) => Fold(x[0], s[0], 1, v => Math.Log(v.Sum(Math.Exp))) },

        // ---- layout and indexing ----
        new("Reshape", "to a shape", n => [[2, 3, n]], (x, _) => x[0].Reshape(new Shape(3, x[0].Shape[2], 2))) { Naive = (x, _, _) => x[0] },
        new("Reshape", "to lengths", n => [[2, 3, n]], (x, _) => x[0].Reshape(6, x[0].Shape[2])) { Naive = (x, _, _) => x[0] },
        new("Slice", "axis 0", n => [[4, n]], (x, _) => x[0].Slice(0, 1, 2)) { Naive = (x, s, _) => x[0][s[0][1]..(3 * s[0][1])] },
        new("Slice", "last axis", n => [[3, n + 2]], (x, _) => x[0].Slice(-1, 1, x[0].Shape[1] - 2))
        {
            Naive = (x, s, _) => [.. x[0].Where((_, i) => i % s[0][1] > 0 && i % s[0][1] < s[0][1] - 1)],
        },
        new("Concat", "axis 0", n => [[2, n], [1, n]], (x, _) => Ops.Concat(0, x[0], x[1])) { Naive = (x, _, _) => [.. x[0], .. x[1]] },
        new("Concat", "last axis", n => [[2, n], [2, 3]], (x, _) => Ops.Concat(-1, x[0], x[1]))
        {
            Naive = (x, s, _) => [.. x[0][..s[0][1]], .. x[1][..3], .. x[0][s[0][1]..], .. x[1][3..]],
        },
        new("Stack", "axis 1", n => [[2, n], [2, n]], (x, _) => Ops.Stack(1, x[0], x[1]))
        {
            Naive = (x, s, _) => [.. x[0][..s[0][1]], .. x[1][..s[0][1]], .. x[0][s[0][1]..], .. x[1][s[0][1]..]],
        },
        new("Permute", "", n => [[2, 3, n]], (x, _) => x[0].Permute(2, 0, 1))
        {
            Naive = (x, s, _) => [.. from k in Enumerable.Range(0, s[0][2]) from i in Enumerable.Range(0, 6) select x[0][i * s[0][2] + k]],
        },
        new("Gather", "", n => [[3, n]], (x, c) => x[0].Gather(c[0]))
        {
            Constants = n => [Pattern(i => i * 5 % n, 3, 4)],
            Naive = (x, s, c) => [.. c[0].ToArray().Select((index, i) => x[0][i / 4 * s[0][1] + (int)index])],
        },
        new("GatherRows", "", n => [[4, n]], (x, c) => x[0].GatherRows(c[0]))
        {
            Constants = _ => [Pattern(i => i * 3 % 4, 2, 3)],
            Naive = (x, s, c) => [.. c[0].ToArray().SelectMany(index => x[0].Skip((int)index * s[0][1]).Take(s[0][1]))],
        },

        // ---- contractions and recurrence ----
        new("Linear", "", n => [[2, 3, n], [5, n], [5]], (x, _) => x[0].Linear(x[1], x[2])) { Naive = (x, s, _) => Linear(x, 6, 5, s[0][2], 1) },
        new("Linear", "n outputs", n => [[4, 3], [n, 3], [n]], (x, _) => x[0].Linear(x[1], x[2])) { Naive = (x, s, _) => Linear(x, 4, s[2][0], 3, 1) },
        new("Linear", "own weights", n => [[4, 2, n], [2, 3, n], [2, 3]], (x, _) => x[0].Linear(x[1], x[2]))
        {
            Naive = (x, s, _) => Linear(x, 8, 3, s[0][2], 2),
        },
        new("LinearRelu", "", n => [[2, 3, n], [5, n], [5]], (x, _) => x[0].LinearRelu(x[1], x[2]))
        {
            Naive = (x, s, _) => [.. Linear(x, 6, 5, s[0][2], 1).Select(y => Math.Max(y, 0))],
        },
        new("LinearRelu", "own weights", n => [[4, 2, n], [2, 3, n], [2, 3]], (x, _) => x[0].LinearRelu(x[1], x[2]))
        {
            Naive = (x, s, _) => [.. Linear(x, 8, 3, s[0][2], 2).Select(y => Math.Max(y, 0))],
        },
        new("LinearRelu", "in groups", n => [[2, 3, n], [2, 4], [5, 4 + n], [5]], (x, _) => x[0].LinearRelu(x[1], x[2], x[3]))
        {
            Naive = (x, s, _) => OfGroups(x, s, 5, copies: 1),
        },
        new("LinearRelu", "in groups of nothing else", n => [[3, 2, 0], [3, n], [5, n], [5]], (x, _) => x[0].LinearRelu(x[1], x[2], x[3]))
        {
            Naive = (x, s, _) => OfGroups(x, s, 5, copies: 1),
        },
        new("LinearRelu", "in groups, own weights", n => [[3, 2, n], [3, 4], [2, 5, 4 + n], [2, 5]], (x, _) => x[0].LinearRelu(x[1], x[2], x[3]))
        {
            Naive = (x, s, _) => OfGroups(x, s, 5, copies: 2),
        },
        new("MatMul", "", n => [[2, 3, n], [2, n, 4]], (x, _) => x[0].MatMul(x[1]))
        {
            Naive = (x, s, _) => [.. from i in Enumerable.Range(0, 24)
                                     select Enumerable.Range(0, s[0][2]).Sum(k => x[0][i / 4 * s[0][2] + k] * x[1][(i / 12 * s[0][2] + k) * 4 + i % 4])],
        },
        new("Conv2d", "n wide", n => [[2, 2, 4, n + 2], [3, 2, 2, 3], [3]], (x, _) => x[0].Conv2d(x[1], x[2])) { Naive = (x, s, _) => Conv2d(x, s, 1, 0) },
        new("Conv2d", "n channels, with steps and padding", n => [[2, n, 5, 4], [2, n, 3, 2], [2]], (x, _) => x[0].Conv2d(x[1], x[2], stride: 2, padding: 1))
        {
            Naive = (x, s, _) => Conv2d(x, s, 2, 1),
        },
        new("Conv2d", "n images of a pixel in wide padding", n => [[n, 1, 1, 1], [2, 1, 2, 2], [2]], (x, _) => x[0].Conv2d(x[1], x[2], stride: 3, padding: 4))
        {
            Naive = (x, s, _) => Conv2d(x, s, 3, 4),
        },
        new("Gru", "", n => [[3, 2, n], [2, 3], [9, n], [9, 3], [9], [9]], (x, _) => x[0].Gru(x[1], x[2], x[3], x[4], x[5])),
        new("Gru", "n states, episodes begin", n => [[3, 2, 2], [2, n], [3 * n, 2], [3 * n, n], [3 * n], [3 * n]],
            (x, c) => x[0].Gru(x[1], x[2], x[3], x[4], x[5], c[0])) { Constants = _ => [Pattern(i => i % 5 == 2 ? 0 : 1, 3, 2)] },
        new("Gru", "own weights", n => [[2, 2, 2, n], [2, 2, 3], [2, 9, n], [2, 9, 3], [2, 9], [2, 9]],
            (x, _) => x[0].Gru(x[1], x[2], x[3], x[4], x[5])),
        new("MonotoneMix", "n agents", n => [[3, n], [3, n * 4], [3, 4]], (x, _) => x[0].MonotoneMix(x[1], x[2])) { Naive = (x, s, _) => Mix(x, s[0][1], 4) },
        new("MonotoneMix", "n wide", n => [[3, 2], [3, 2 * n], [3, n]], (x, _) => x[0].MonotoneMix(x[1], x[2])) { Naive = (x, s, _) => Mix(x, 2, s[2][1]) },

        // ---- losses ----
        new("MaskedMeanSquare", "", n => [[3, n]], (x, c) => x[0].MaskedMeanSquare(c[0], c[1]))
        {
            Constants = n => [Pattern(i => i % 3, 3, n), Mask(3, n)],
            Naive = (x, _, c) => [x[0].Select((v, i) => Math.Pow(v - c[0].Span[i], 2) * c[1].Span[i]).Sum() / c[1].ToArray().Sum()],
        },
        new("CrossEntropy", "", n => [[3, n]], (x, c) => x[0].CrossEntropy(c[0]))
        {
            Constants = n => [Pattern(i => i % n, 3)],
            Naive = (x, s, c) => [.. Enumerable.Range(0, 3).Select(row => -LogSoftmax(x[0], null, s[0][1])[row * s[0][1] + (int)c[0].Span[row]])],
        },
        new("GumbelSoftmax", "soft", n => [[3, n]], (x, c) => x[0].GumbelSoftmax(c[0], tau: 0.5f, hard: false)) { Constants = n => [Pattern(i => i % 3 * 0.25f, 3, n)] },
        new("LayerNorm", "", n => [[3, n], [n], [n]], (x, _) => x[0].LayerNorm(x[1], x[2], eps: 0.1f)),
    ];

    /// <summary>A constant of whole numbers that repeat.</summary>
    public static Tensor Pattern(Func<int, float> value, params int[] lengths)
        => Tensor.Of([.. Enumerable.Range(0, new Shape(lengths).Count).Select(value)], lengths);

    /// <summary>A mask with zeros, but not at the beginning of a row.</summary>
    private static Tensor Mask(int rows, int n) => Pattern(i => i % n % 3 == 1 ? 0 : 1, rows, n);

    private static double[] Fold(double[] x, Shape shape, int axis, Func<double[], double> fold)
    {
        int length = shape[axis], inner = shape.Product(axis + 1, shape.Rank), outer = shape.Product(0, axis);
        return [.. from o in Enumerable.Range(0, outer) from i in Enumerable.Range(0, inner)
                   select fold([.. Enumerable.Range(0, length).Select(k => x[(o * length + k) * inner + i])])];
    }

    private static double[] LogSoftmax(double[] x, Tensor? mask, int n)
    {
        bool Available(int i) => mask is not { } m || m.Span[i] != 0;
        double[] sums = Enumerable.Range(0, x.Length / n).Select(row => Enumerable.Range(row * n, n).Where(Available).Sum(i => Math.Exp(x[i]))).ToArray();
        return [.. x.Select((v, i) => Available(i) ? v - Math.Log(sums[i / n]) : 0)];
    }

    private static double[] Linear(double[][] x, int rows, int outputs, int inputs, int copies)
        => [.. from r in Enumerable.Range(0, rows) from o in Enumerable.Range(0, outputs)
               let w = r % copies * outputs + o
               select x[2][w] + Enumerable.Range(0, inputs).Sum(k => x[0][r * inputs + k] * x[1][w * inputs + k])];

    /// <summary>max(0, .) of the layer, by rows that have what is in common and then what is their own.</summary>
    private static double[] OfGroups(double[][] x, Shape[] shapes, int outputs, int copies)
    {
        var (own, common, members) = (shapes[0][-1], shapes[1][-1], shapes[0][-2]);
        int rows = shapes[1].Rows * members;
        double[] together = [.. Enumerable.Range(0, rows).SelectMany(r => x[1].Skip(r / members * common).Take(common).Concat(x[0].Skip(r * own).Take(own)))];
        return [.. Linear([together, x[2], x[3]], rows, outputs, common + own, copies).Select(y => Math.Max(y, 0))];
    }

    private static double[] Conv2d(double[][] x, Shape[] s, int stride, int padding)
    {
        var (images, w) = (s[0], s[1]);
        int height = (images[2] + 2 * padding - w[2]) / stride + 1, width = (images[3] + 2 * padding - w[3]) / stride + 1;
        return [.. from n in Enumerable.Range(0, images[0]) from o in Enumerable.Range(0, w[0])
                   from i in Enumerable.Range(0, height) from j in Enumerable.Range(0, width)
                   select x[2][o] + (from c in Enumerable.Range(0, w[1]) from p in Enumerable.Range(0, w[2]) from q in Enumerable.Range(0, w[3])
                                     let row = i * stride + p - padding
                                     let column = j * stride + q - padding
                                     where row >= 0 && row < images[2] && column >= 0 && column < images[3]
                                     select x[1][((o * w[1] + c) * w[2] + p) * w[3] + q] * x[0][((n * w[1] + c) * images[2] + row) * images[3] + column]).Sum()];
    }

    private static double[] Mix(double[][] x, int agents, int width)
        => [.. from r in Enumerable.Range(0, 3) from e in Enumerable.Range(0, width)
               select x[2][r * width + e] + Enumerable.Range(0, agents).Sum(n => Math.Abs(x[1][(r * agents + n) * width + e]) * x[0][r * agents + n])];
}
