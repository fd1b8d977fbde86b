namespace Marl.Native;

public static partial class Ops
{
    /// <summary>
    /// y[r, e] = sum_n |w[r, n, e]| x[r, n] + b[r, e]: a layer whose output grows with every x and whose weights come from another network,
    /// row by row (Rashid et al. 2018, section 4; hypernetworks: Ha et al. 2017). w [.., N E] or [.., N, E], x [.., N], b [.., E]; y [.., E].
    /// </summary>
    /// <exception cref="ArgumentException">the shapes do not fit; names them.</exception>
    public static Var MonotoneMix(this Var x, Var w, Var b)
    {
        int rows = x.Shape.Rows, n = x.Shape[-1], e = b.Shape[-1];
        if (b.Shape.Rows != rows || w.Value.Count != rows * n * e)
        {
            throw new ArgumentException($"MonotoneMix: x {x.Shape}, w {w.Shape}, b {b.Shape}; [.., N], [.., N E] and [.., E] are needed");
        }
        var y = x.Tape.Allocate(b.Shape);
        x.Tape.Device.MonotoneMix(w.Value.Reshape(rows, n, e), x.Value.Reshape(rows, n), b.Value.Reshape(rows, e), y.Reshape(rows, e));
        return x.Tape.Record(default(MonotoneMixOp), y, [x, w, b]);
    }

    private readonly struct MonotoneMixOp : IOp
    {
        public void Backward(GradContext p)
        {
            var (x, w, dx, dw, db) = (p.X(0), p.X(1), p.DX(0), p.DX(1, out bool accumulate), p.DX(2));
            int rows = x.Shape.Rows, n = x.Shape[-1], e = p.Y.Shape[-1];
            var wide = new Shape(rows, n, e);
            p.Device.MonotoneMixBackward(w.Reshape(wide), x.Reshape(rows, n), p.DY.Reshape(rows, e),
                dw.IsNone ? dw : dw.Reshape(wide), dx.IsNone ? dx : dx.Reshape(rows, n), accumulate);
            if (!db.IsNone)
            {
                p.Device.Zip(default(Add), db, p.DY, db);
            }
        }

        public void Tangent(GradContext p)
        {
            var (x, w, dx, dw, db) = (p.X(0), p.X(1), p.DX(0), p.DX(1), p.DX(2));
            int rows = x.Shape.Rows, n = x.Shape[-1], e = p.Y.Shape[-1];
            var dy = p.DY.Reshape(rows, e);
            var part = p.Scratch(dy.Shape);
            if (!dx.IsNone)
            {
                // dy += |w| dx
                p.Device.MonotoneMix(w.Reshape(rows, n, e), dx.Reshape(rows, n), dy, part);
                p.Device.Copy(part, dy);
            }
            if (!dw.IsNone)
            {
                // dy += (sign(w) dw)^T x
                var dabs = p.Zeros(new Shape(rows, n, e));
                p.Device.MapDerivative(default(Abs), w.Reshape(dabs.Shape), dabs, dw.Reshape(dabs.Shape), dabs);
                p.Device.Gemm(Matrix.Batched(x.Reshape(rows, 1, n)), Matrix.Batched(dabs), Matrix.Batched(dy.Reshape(rows, 1, e)), accumulate: true);
            }
            if (!db.IsNone)
            {
                p.Device.Zip(default(Add), dy, db.Reshape(dy.Shape), dy);
            }
        }
    }
}
