namespace Marl.Native;

public static partial class Ops
{
    /// <summary>y[.., j] = x[.., index[.., j]] along the last axis; repeated picks add their gradients up. Indices are whole numbers
    /// stored as floats.</summary>
    /// <exception cref="ArgumentException">index has not the leading axes of x.</exception>
    public static Var Gather(this Var x, Tensor index)
    {
        if (index.Shape.Rank != x.Shape.Rank || index.Shape.With(-1, x.Shape[-1]) != x.Shape)
        {
            throw new ArgumentException($"Gather: index {index.Shape} for {x.Shape}; all axes but the last must be equal");
        }
        var y = x.Tape.Allocate(index.Shape);
        x.Tape.Device.Gather(x.Value, index, y);
        return x.Tape.Record(default(GatherOp), y, [x], [index]);
    }

    /// <summary>y[.., :] = w[index[..], :], the rows of a table w [V, F] by their indices [..]; repeated rows add their gradients up. Indices are integers
    /// stored as floats.</summary>
    /// <exception cref="ArgumentException">w has not two axes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">an index outside of the table.</exception>
    public static Var GatherRows(this Var w, Tensor index)
    {
        if (w.Shape.Rank != 2)
        {
            throw new ArgumentException($"GatherRows: a table [V, F] is needed, not {w.Shape}");
        }
        var y = w.Tape.Allocate(index.Shape.Append(w.Shape[1]));
        w.Tape.Device.GatherRows(w.Value, index, y);
        return w.Tape.Record(default(GatherRowsOp), y, [w], [index]);
    }

    private readonly struct GatherOp : IOp
    {
        public void Backward(GradContext p) => p.Device.ScatterAdd(p.DY, p.Saved(0), p.DX(0));

        public void Tangent(GradContext p) => p.Device.Gather(p.DX(0), p.Saved(0), p.DY);
    }

    private readonly struct GatherRowsOp : IOp
    {
        public void Backward(GradContext p) => p.Device.ScatterAddRows(p.DY, p.Saved(0), p.DX(0));

        public void Tangent(GradContext p) => p.Device.GatherRows(p.DX(0), p.Saved(0), p.DY);
    }
}
