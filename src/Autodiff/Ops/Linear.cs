namespace Marl.Native;

public static partial class Ops
{
    /// <summary>
    /// y = x W^T + b over the last axis. Weights w [out, in], b [out] are shared by all rows of x [.., in]; weights w [N, out, in], b [N, out] belong
    /// to the N copies (agents) of x [.., N, in], in one batched product.
    /// </summary>
    /// <exception cref="ArgumentException">the shapes do not fit; names both.</exception>
    public static Var Linear(this Var x, Var w, Var b)
    {
        var (xs, ws, bs) = (x.Shape, w.Shape, b.Shape);
        bool copies = ws.Rank == 3;
        bool fits = ws.Rank is 2 or 3 && bs == ws.Without(-1) && xs.Rank >= ws.Rank - 1 && xs[-1] == ws[-1] && (!copies || xs[-2] == ws[0]);
        if (!fits)
        {
            throw new ArgumentException($"Linear: input {xs} does not fit weight {ws} and bias {bs}; " +
                (copies ? "[.., N, in], [N, out, in] and [N, out] are needed" : "[.., in], [out, in] and [out] are needed"));
        }
        var y = x.Tape.Allocate(xs.With(-1, ws[-2]));
        x.Tape.Device.Gemm(Rows(x.Value, copies), Weight(w.Value, copies).T, Rows(y, copies), bias: b.Value);
        return x.Tape.Record(default(LinearOp), y, [x, w, b]);
    }

    /// <summary>The rows of x as one matrix, or as one matrix per copy.</summary>
    private static Matrix Rows(Tensor x, bool copies) => copies ? Matrix.Interleaved(x) : Matrix.Of(x);

    private static Matrix Weight(Tensor w, bool copies) => copies ? Matrix.Batched(w) : Matrix.Of(w);

    /// <summary>db += the sum of dy over rows, per copy.</summary>
    private static void BiasGradient(Device device, Tensor dy, Tensor db)
        => device.Reduce(default(Sum), dy.Reshape(dy.Count / Math.Max(1, db.Count), db.Count), 0, db, accumulate: true);

    private readonly struct LinearOp : IOp
    {
        public void Backward(Pass p)
        {
            var (x, w, dy) = (p.X(0), p.X(1), p.DY);
            bool copies = w.Shape.Rank == 3;
            if (p.DX(0, out bool accumulate) is { IsNone: false } dx)
            {
                p.Device.Gemm(Rows(dy, copies), Weight(w, copies), Rows(dx, copies), accumulate);
            }
            if (!p.DX(1).IsNone)
            {
                p.Device.Gemm(Rows(dy, copies).T, Rows(x, copies), Weight(p.DX(1), copies), accumulate: true);
            }
            if (!p.DX(2).IsNone)
            {
                BiasGradient(p.Device, dy, p.DX(2));
            }
        }

        public void Tangent(Pass p)
        {
            var (x, w, dy) = (p.X(0), p.X(1), p.DY);
            bool copies = w.Shape.Rank == 3;
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
        public void Backward(Pass p)
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

        public void Tangent(Pass p)
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
