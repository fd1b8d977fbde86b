namespace Marl.Native;

public static partial class Ops
{
    /// <summary>
    /// y = x W^T + b over the last axis. Weights w [out, in], b [out] are shared by all rows of x [.., in]; weights w [N, out, in], b [N, out] belong
    /// to the N groups of x [.., N, in], in one batched product.
    /// </summary>
    /// <exception cref="ArgumentException">the shapes do not fit; names both.</exception>
    public static Var Linear(this Var x, Var w, Var b) => Linear(x, w, b, relu: false);

    /// <summary>y = max(x W^T + b, 0), as <see cref="Linear(Var, Var, Var)"/> and <see cref="Relu"/> but in one pass over memory.</summary>
    /// <exception cref="ArgumentException">the shapes do not fit; names both.</exception>
    public static Var LinearRelu(this Var x, Var w, Var b) => Linear(x, w, b, relu: true);

    private static Var Linear(Var x, Var w, Var b, bool relu)
    {
        var (xs, ws, bs) = (x.Shape, w.Shape, b.Shape);
        bool copies = ws.Rank == 3;
        bool fits = ws.Rank is 2 or 3 && bs == ws.Without(-1) && xs.Rank >= ws.Rank - 1 && xs[-1] == ws[-1] && (!copies || xs[-2] == ws[0]);
        if (!fits)
        {
            throw new ArgumentException($"Linear: input {xs} does not fit weight {ws} and bias {bs}; " +
                (copies ? "[.., N, in], [N, out, in] and [N, out] are needed" : "[.., in], [out, in] and [out] are needed"));
        }
        var (device, y) = (x.Tape.Device, x.Tape.Allocate(xs.With(-1, ws[-2])));
        foreach (var (first, count) in new RowBlocks(device, y, ws))
        {
            var (xBlock, yBlock) = (RowBlock(x.Value, ws, first, count), RowBlock(y, ws, first, count));
            device.Gemm(Rows(xBlock, copies), WeightT(w, copies), Rows(yBlock, copies), bias: b.Value);
            if (relu)
            {
                device.Map(default(Relu), yBlock, yBlock);
            }
        }
        return x.Tape.Record(new LinearOp(relu), y, [x, w, b]);
    }

    /// <summary>The rows of a layer in blocks of so many as stay close while all that is to be done with them is done.</summary>
    private ref struct RowBlocks
    {
        private readonly int rows;
        private int first;

        /// <param name="device">what is close to it.</param>
        /// <param name="rows">all.</param>
        /// <param name="numbers">of input and output in a row.</param>
        /// <param name="least">rows of a block, however long they are.</param>
        public RowBlocks(Device device, int rows, int numbers, int least = 64)
        {
            this.rows = rows;
            Size = Math.Min(Math.Max(least, device.CacheBlock / Math.Max(1, numbers)), rows);
            first = -Size;
        }

        /// <summary>Of a layer: a row of copies is one row of each.</summary>
        public RowBlocks(Device device, Tensor y, Shape weight)
            : this(device, weight.Count == 0 ? 0 : y.Count / Math.Max(1, weight.Product(0, weight.Rank - 1)), weight.Product(0, weight.Rank - 2) * (weight[-1] + weight[-2]))
        {
        }

        /// <summary>Most rows of a block.</summary>
        public int Size { get; }

        public readonly (int First, int Count) Current => (first, Math.Min(Size, rows - first));

        public readonly RowBlocks GetEnumerator() => this;

        public bool MoveNext() => Size > 0 && (first += Size) < rows;
    }

    /// <summary>Some rows of x [.., in], or of x [.., N, in] where the weights are copies.</summary>
    private static Tensor RowBlock(Tensor x, Shape weight, int first, int count)
    {
        int width = x.Shape[-1], copies = weight.Rank == 3 ? weight[0] : 1, rows = x.Count / Math.Max(1, copies * width);
        return weight.Rank == 3 ? x.Reshape(rows, copies, width).Slice(first, count) : x.Reshape(rows, width).Slice(first, count);
    }

    /// <summary>The rows of x as one matrix, or as one matrix per copy.</summary>
    private static Matrix Rows(Tensor x, bool copies) => copies ? Matrix.Interleaved(x) : Matrix.Of(x);

    private static Matrix Weight(Tensor w, bool copies) => copies ? Matrix.Batched(w) : Matrix.Of(w);

    /// <summary>W^T, in place or from where it is at hand.</summary>
    private static Matrix WeightT(Var w, bool copies)
        => w.Tape.Node(w).Transpose is { IsNone: false } transpose ? Weight(transpose, copies) : Weight(w.Value, copies).T;

    /// <summary>y = x with the last two axes exchanged; the others are one axis of copies.</summary>
    internal static void Transpose(Device device, Tensor x, Tensor y)
    {
        int rows = x.Shape[-2], columns = x.Shape[-1], copies = x.Shape.Product(0, x.Shape.Rank - 2);
        device.CopyStrided(x, [0, rows * columns, columns, 1], y, [0, rows * columns, 1, rows], [1, copies, rows, columns], accumulate: false);
    }

    /// <summary>db += the sum of dy over rows, per copy.</summary>
    private static void BiasGradient(Device device, Tensor dy, Tensor db)
        => device.Reduce(default(Sum), dy.Reshape(dy.Count / Math.Max(1, db.Count), db.Count), 0, db, accumulate: true);

    private readonly struct LinearOp(bool relu) : IOp
    {
        public void Backward(GradContext p)
        {
            var (device, x, w) = (p.Device, p.X(0), p.X(1));
            var (dx, dw, db) = (p.DX(0, out bool accumulate), p.DX(1), p.DX(2));
            bool copies = w.Shape.Rank == 3;
            Tensor space = default;
            foreach (var (first, count) in new RowBlocks(device, p.Y, w.Shape))
            {
                var dy = RowBlock(p.DY, w.Shape, first, count);
                if (relu)
                {
                    // By the sum before the maximum; where that is positive can be seen from y as well.
                    var y = RowBlock(p.Y, w.Shape, first, count);
                    space = space.IsNone ? p.Scratch(dy.Shape) : space;
                    var dSum = space.Slice(0, count);
                    device.MapDerivative(default(Relu), y, y, dy, dSum, accumulate: false);
                    dy = dSum;
                }
                if (!dx.IsNone)
                {
                    device.Gemm(Rows(dy, copies), Weight(w, copies), Rows(RowBlock(dx, w.Shape, first, count), copies), accumulate);
                }
                if (!dw.IsNone)
                {
                    device.Gemm(Rows(dy, copies).T, Rows(RowBlock(x, w.Shape, first, count), copies), Weight(dw, copies), accumulate: true);
                }
                if (!db.IsNone)
                {
                    BiasGradient(device, dy, db);
                }
            }
        }

        public void Tangent(GradContext p)
        {
            var (x, w) = (p.X(0), p.X(1));
            bool copies = w.Shape.Rank == 3;
            var dy = relu ? p.Zeros(p.DY.Shape) : p.DY;
            if (!p.DX(0).IsNone)
            {
                p.Device.Gemm(Rows(p.DX(0), copies), Weight(w, copies).T, Rows(dy, copies), accumulate: true);
            }
            if (!p.DX(1).IsNone)
            {
                p.Device.Gemm(Rows(x, copies), Weight(p.DX(1), copies).T, Rows(dy, copies), accumulate: true);
            }
            if (!p.DX(2).IsNone)
            {
                var db = p.DX(2);
                var rows = dy.Reshape(dy.Count / Math.Max(1, db.Count), db.Count);
                p.Device.Zip(default(Add), rows, db.Reshape(1, db.Count), rows);
            }
            if (relu)
            {
                p.Device.MapDerivative(default(Relu), p.Y, p.Y, dy, p.DY);
            }
        }
    }

    /// <summary>Batched product y[i] = a[i] b[i], a [.., M, K], b [.., K, N] with equal leading axes.</summary>
    /// <exception cref="ArgumentException">the shapes do not fit; names both.</exception>
    public static Var MatMul(this Var a, Var b)
    {
        var (sa, sb) = (a.Shape, b.Shape);
        if (sa.Rank < 2 || sa.Rank != sb.Rank || sa[-1] != sb[-2] || sa.With(-1, sb[-1]).With(-2, sb[-2]) != sb)
        {
            throw new ArgumentException($"MatMul: {sa} and {sb}; [.., M, K] and [.., K, N] are needed");
        }
        var y = a.Tape.Allocate(sa.With(-1, sb[-1]));
        a.Tape.Device.Gemm(Matrix.Batched(a.Value), Matrix.Batched(b.Value), Matrix.Batched(y));
        return a.Tape.Record(default(MatMulOp), y, [a, b]);
    }

    private readonly struct MatMulOp : IOp
    {
        public void Backward(GradContext p)
        {
            var dy = Matrix.Batched(p.DY);
            if (!p.DX(0).IsNone)
            {
                p.Device.Gemm(dy, Matrix.Batched(p.X(1)).T, Matrix.Batched(p.DX(0)), accumulate: true);
            }
            if (!p.DX(1).IsNone)
            {
                p.Device.Gemm(Matrix.Batched(p.X(0)).T, dy, Matrix.Batched(p.DX(1)), accumulate: true);
            }
        }

        public void Tangent(GradContext p)
        {
            var dy = Matrix.Batched(p.DY);
            if (!p.DX(0).IsNone)
            {
                p.Device.Gemm(Matrix.Batched(p.DX(0)), Matrix.Batched(p.X(1)), dy, accumulate: true);
            }
            if (!p.DX(1).IsNone)
            {
                p.Device.Gemm(Matrix.Batched(p.X(0)), Matrix.Batched(p.DX(1)), dy, accumulate: true);
            }
        }
    }
}
