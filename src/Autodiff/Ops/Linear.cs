namespace Marl.Native;

public static partial class Ops
{
    /// <summary>
    /// y = x W^T + b over the last axis. Weights w [out, in] and b [out] are shared by all rows of x [.., in]. Grouped weights w [N, out, in] and b [N, out]
    /// belong to the N groups of x [.., N, in] and are applied in one batched product.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    public static Var Linear(this Var x, Var w, Var b) => Linear(x, w, b, relu: false);

    /// <summary>y = max(x W^T + b, 0): <see cref="Linear(Var, Var, Var)"/> and <see cref="Relu"/> in one pass over memory.</summary>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    public static Var LinearRelu(this Var x, Var w, Var b) => Linear(x, w, b, relu: true);

    private static Var Linear(Var x, Var w, Var b, bool relu)
    {
        var (xs, ws, bs) = (x.Shape, w.Shape, b.Shape);
        bool grouped = ws.Rank == 3;
        bool fits = ws.Rank is 2 or 3 && bs == ws.Without(-1) && xs.Rank >= ws.Rank - 1 && xs[-1] == ws[-1] && (!grouped || xs[-2] == ws[0]);
        if (!fits)
        {
            throw new ArgumentException($"Linear: input {xs} does not match weight {ws} and bias {bs}; " +
                (grouped ? "expected [.., N, in], [N, out, in] and [N, out]" : "expected [.., in], [out, in] and [out]"));
        }
        var (device, y) = (x.Tape.Device, x.Tape.Allocate(xs.With(-1, ws[-2])));
        foreach (var (first, count) in new RowBlocks(device, y, ws))
        {
            var (xBlock, yBlock) = (RowBlock(x.Value, ws, first, count), RowBlock(y, ws, first, count));
            if (relu)
            {
                device.GemmRelu(Rows(xBlock, grouped), WeightT(w, grouped), Rows(yBlock, grouped), bias: b.Value);
            }
            else
            {
                device.Gemm(Rows(xBlock, grouped), WeightT(w, grouped), Rows(yBlock, grouped), bias: b.Value);
            }
        }
        return x.Tape.Record(new LinearOp(relu), y, [x, w, b]);
    }

    /// <summary>Cuts the rows of a layer into blocks that fit in the cache of the device.</summary>
    private ref struct RowBlocks
    {
        private readonly int rows;
        private int first;

        /// <param name="device">The device.</param>
        /// <param name="rows">The number of rows.</param>
        /// <param name="elementsPerRow">The elements of input and output per row.</param>
        /// <param name="minRows">The smallest block.</param>
        public RowBlocks(Device device, int rows, int elementsPerRow, int minRows = 64)
        {
            this.rows = rows;
            Size = Math.Min(Math.Max(minRows, device.CacheBlock / Math.Max(1, elementsPerRow)), rows);
            first = -Size;
        }

        /// <summary>Cuts the rows of a linear layer. With grouped weights, a row of all groups counts as one.</summary>
        public RowBlocks(Device device, Tensor y, Shape weight)
            : this(device, weight.Count == 0 ? 0 : y.Count / Math.Max(1, weight.Product(0, weight.Rank - 1)),
                weight.Product(0, weight.Rank - 2) * (weight[-1] + weight[-2]))
        {
        }

        /// <summary>The number of rows of a full block.</summary>
        public int Size { get; }

        public readonly (int First, int Count) Current => (first, Math.Min(Size, rows - first));

        public readonly RowBlocks GetEnumerator() => this;

        public bool MoveNext() => Size > 0 && (first += Size) < rows;
    }

    /// <summary>Some rows of x [.., in], or of x [.., N, in] for grouped weights.</summary>
    private static Tensor RowBlock(Tensor x, Shape weight, int first, int count)
    {
        int width = x.Shape[-1], groups = weight.Rank == 3 ? weight[0] : 1, rows = x.Count / Math.Max(1, groups * width);
        return weight.Rank == 3 ? x.Reshape(rows, groups, width).Slice(first, count) : x.Reshape(rows, width).Slice(first, count);
    }

    /// <summary>The rows of x as one matrix, or as one matrix per group.</summary>
    private static Matrix Rows(Tensor x, bool grouped) => grouped ? Matrix.Interleaved(x) : Matrix.Of(x);

    private static Matrix Weight(Tensor w, bool grouped) => grouped ? Matrix.Batched(w) : Matrix.Of(w);

    /// <summary>W^T, as a view or from the stored transpose.</summary>
    private static Matrix WeightT(Var w, bool grouped)
        => w.Tape.Node(w).Transpose is { IsNone: false } transpose ? Weight(transpose, grouped) : Weight(w.Value, grouped).T;

    /// <summary>y = x with its last two axes swapped.</summary>
    internal static void Transpose(Device device, Tensor x, Tensor y)
    {
        int rows = x.Shape[-2], columns = x.Shape[-1], count = x.Shape.Product(0, x.Shape.Rank - 2);
        device.CopyStrided(x, [0, rows * columns, columns, 1], y, [0, rows * columns, 1, rows], [1, count, rows, columns], accumulate: false);
    }

    /// <summary>db += the sum of dy over rows, per group.</summary>
    private static void BiasGradient(Device device, Tensor dy, Tensor db)
        => device.Reduce(default(Sum), dy.Reshape(dy.Count / Math.Max(1, db.Count), db.Count), 0, db, accumulate: true);

    private readonly struct LinearOp(bool relu) : IOp
    {
        public void Backward(GradContext context)
        {
            var (device, x, w) = (context.Device, context.X(0), context.X(1));
            var (dx, dw, db) = (context.DX(0, out bool accumulate), context.DX(1), context.DX(2));
            bool grouped = w.Shape.Rank == 3;
            Tensor buffer = default;
            foreach (var (first, count) in new RowBlocks(device, context.Y, w.Shape))
            {
                var dy = RowBlock(context.DY, w.Shape, first, count);
                if (relu)
                {
                    // The gradient of the pre-activation, which is positive where y is.
                    var y = RowBlock(context.Y, w.Shape, first, count);
                    buffer = buffer.IsNone ? context.Scratch(dy.Shape) : buffer;
                    var dSum = buffer.Slice(0, count);
                    device.MapDerivative(default(Relu), y, y, dy, dSum, accumulate: false);
                    dy = dSum;
                }
                if (!dx.IsNone)
                {
                    device.Gemm(Rows(dy, grouped), Weight(w, grouped), Rows(RowBlock(dx, w.Shape, first, count), grouped), accumulate);
                }
                if (!dw.IsNone)
                {
                    device.Gemm(Rows(dy, grouped).T, Rows(RowBlock(x, w.Shape, first, count), grouped), Weight(dw, grouped), accumulate: true);
                }
                if (!db.IsNone)
                {
                    BiasGradient(device, dy, db);
                }
            }
        }

        public void Tangent(GradContext context)
        {
            var (x, w) = (context.X(0), context.X(1));
            bool grouped = w.Shape.Rank == 3;
            var dy = relu ? context.Zeros(context.DY.Shape) : context.DY;
            if (!context.DX(0).IsNone)
            {
                context.Device.Gemm(Rows(context.DX(0), grouped), Weight(w, grouped).T, Rows(dy, grouped), accumulate: true);
            }
            if (!context.DX(1).IsNone)
            {
                context.Device.Gemm(Rows(x, grouped), Weight(context.DX(1), grouped).T, Rows(dy, grouped), accumulate: true);
            }
            if (!context.DX(2).IsNone)
            {
                var db = context.DX(2);
                var rows = dy.Reshape(dy.Count / Math.Max(1, db.Count), db.Count);
                context.Device.Zip(default(Add), rows, db.Reshape(1, db.Count), rows);
            }
            if (relu)
            {
                context.Device.MapDerivative(default(Relu), context.Y, context.Y, dy, context.DY);
            }
        }
    }

    /// <summary>The batched matrix product y[i] = a[i] b[i], for a [.., M, K] and b [.., K, N] with equal leading axes.</summary>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    public static Var MatMul(this Var a, Var b)
    {
        var (sa, sb) = (a.Shape, b.Shape);
        if (sa.Rank < 2 || sa.Rank != sb.Rank || sa[-1] != sb[-2] || sa.With(-1, sb[-1]).With(-2, sb[-2]) != sb)
        {
            throw new ArgumentException($"MatMul: {sa} and {sb}; expected [.., M, K] and [.., K, N]");
        }
        var y = a.Tape.Allocate(sa.With(-1, sb[-1]));
        a.Tape.Device.Gemm(Matrix.Batched(a.Value), Matrix.Batched(b.Value), Matrix.Batched(y));
        return a.Tape.Record(default(MatMulOp), y, [a, b]);
    }

    private readonly struct MatMulOp : IOp
    {
        public void Backward(GradContext context)
        {
            var dy = Matrix.Batched(context.DY);
            if (!context.DX(0).IsNone)
            {
                context.Device.Gemm(dy, Matrix.Batched(context.X(1)).T, Matrix.Batched(context.DX(0)), accumulate: true);
            }
            if (!context.DX(1).IsNone)
            {
                context.Device.Gemm(Matrix.Batched(context.X(0)).T, dy, Matrix.Batched(context.DX(1)), accumulate: true);
            }
        }

        public void Tangent(GradContext context)
        {
            var dy = Matrix.Batched(context.DY);
            if (!context.DX(0).IsNone)
            {
                context.Device.Gemm(Matrix.Batched(context.DX(0)), Matrix.Batched(context.X(1)), dy, accumulate: true);
            }
            if (!context.DX(1).IsNone)
            {
                context.Device.Gemm(Matrix.Batched(context.X(0)), Matrix.Batched(context.DX(1)), dy, accumulate: true);
            }
        }
    }
}
