namespace Marl.Native;

public static partial class Ops
{
    /// <summary>y[.., j] = x[.., index[.., j]] along the last axis. Gradients of repeated indices are added.</summary>
    /// <param name="x">The values.</param>
    /// <param name="index">The indices, integers stored as floats.</param>
    /// <exception cref="ArgumentException">index and x differ in an axis other than the last.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index lies outside the axis.</exception>
    public static Var Gather(this Var x, Tensor index)
    {
        if (index.Shape.Rank != x.Shape.Rank || index.Shape.With(-1, x.Shape[-1]) != x.Shape)
        {
            throw new ArgumentException($"Gather: index {index.Shape} for {x.Shape}; all axes except the last must be equal");
        }
        var y = x.Tape.Allocate(index.Shape);
        x.Tape.Device.Gather(x.Value, index, y);
        return x.Tape.Record(default(GatherOp), y, [x], [index]);
    }

    /// <summary>y[.., :] = w[index[..], :]: rows of a table w [V, F]. Gradients of repeated rows are added.</summary>
    /// <param name="w">[V, F] the table.</param>
    /// <param name="index">[..] the indices, integers stored as floats.</param>
    /// <returns>y [.., F].</returns>
    /// <exception cref="ArgumentException">w does not have two axes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index lies outside the table.</exception>
    public static Var GatherRows(this Var w, Tensor index)
    {
        if (w.Shape.Rank != 2)
        {
            throw new ArgumentException($"GatherRows: table {w.Shape}; expected [V, F]");
        }
        var y = w.Tape.Allocate(index.Shape.Append(w.Shape[1]));
        w.Tape.Device.GatherRows(w.Value, index, y);
        return w.Tape.Record(default(GatherRowsOp), y, [w], [index]);
    }

    private readonly struct GatherOp : IOp
    {
        public void Backward(GradContext context) => context.Device.ScatterAdd(context.DY, context.Saved(0), context.DX(0));

        public void Tangent(GradContext context) => context.Device.Gather(context.DX(0), context.Saved(0), context.DY);
    }

    private readonly struct GatherRowsOp : IOp
    {
        public void Backward(GradContext context) => context.Device.ScatterAddRows(context.DY, context.Saved(0), context.DX(0));

        public void Tangent(GradContext context) => context.Device.GatherRows(context.DX(0), context.Saved(0), context.DY);
    }
}
