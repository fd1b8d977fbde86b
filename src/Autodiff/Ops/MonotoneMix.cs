namespace Marl.Native;

public static partial class Ops
{
    /// <summary>
    /// y[r, e] = sum_n |w[r, n, e]| x[r, n] + b[r, e]: a layer that is monotone in x and whose weights another network computes for each row (Rashid et al.
    /// 2018, section 4; hypernetworks: Ha et al. 2017).
    /// </summary>
    /// <param name="x">[.., N] the inputs.</param>
    /// <param name="w">[.., N E] or [.., N, E] the weights.</param>
    /// <param name="b">[.., E] the biases.</param>
    /// <returns>y [.., E].</returns>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    public static Var MonotoneMix(this Var x, Var w, Var b)
    {
        int rows = x.Shape.Rows, n = x.Shape[-1], e = b.Shape[-1];
        if (b.Shape.Rows != rows || w.Value.Count != rows * n * e)
        {
            throw new ArgumentException($"MonotoneMix: x {x.Shape}, w {w.Shape}, b {b.Shape}; expected [.., N], [.., N E] and [.., E]");
        }
        var y = x.Tape.Allocate(b.Shape);
        x.Tape.Device.MonotoneMix(w.Value.Reshape(rows, n, e), x.Value.Reshape(rows, n), b.Value.Reshape(rows, e), y.Reshape(rows, e));
        return x.Tape.Record(default(MonotoneMixOp), y, [x, w, b]);
    }

    private readonly struct MonotoneMixOp : IOp
    {
        public void Backward(GradContext context)
        {
            var (x, w, dx, dw, db) = (context.X(0), context.X(1), context.DX(0), context.DX(1, out bool accumulate), context.DX(2));
            int rows = x.Shape.Rows, n = x.Shape[-1], e = context.Y.Shape[-1];
            var wide = new Shape(rows, n, e);
            context.Device.MonotoneMixBackward(w.Reshape(wide), x.Reshape(rows, n), context.DY.Reshape(rows, e),
                dw.IsNone ? dw : dw.Reshape(wide), dx.IsNone ? dx : dx.Reshape(rows, n), accumulate);
            if (!db.IsNone)
            {
                context.Device.Zip(default(Add), db, context.DY, db);
            }
        }

        public void Tangent(GradContext context)
        {
            var (x, w, dx, dw, db) = (context.X(0), context.X(1), context.DX(0), context.DX(1), context.DX(2));
            int rows = x.Shape.Rows, n = x.Shape[-1], e = context.Y.Shape[-1];
            var dy = context.DY.Reshape(rows, e);
            var part = context.Scratch(dy.Shape);
            if (!dx.IsNone)
            {
                // dy += |w| dx
                context.Device.MonotoneMix(w.Reshape(rows, n, e), dx.Reshape(rows, n), dy, part);
                context.Device.Copy(part, dy);
            }
            if (!dw.IsNone)
            {
                // dy += (sign(w) dw)^T x
                var dabs = context.Zeros(new Shape(rows, n, e));
                context.Device.MapDerivative(default(Abs), w.Reshape(dabs.Shape), dabs, dw.Reshape(dabs.Shape), dabs);
                context.Device.Gemm(Matrix.Batched(x.Reshape(rows, 1, n)), Matrix.Batched(dabs), Matrix.Batched(dy.Reshape(rows, 1, e)), accumulate: true);
            }
            if (!db.IsNone)
            {
                context.Device.Zip(default(Add), dy, db.Reshape(dy.Shape), dy);
            }
        }
    }
}
