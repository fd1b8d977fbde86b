namespace Marl.Native.Gpu;

/// <summary>Launches of the reductions, the softmax family and the recursion.</summary>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    public override void Reduce<TOp>(TOp op, Tensor x, int axis, Tensor y, bool accumulate)
    {
        int at = axis < 0 ? axis + x.Shape.Rank : axis, length = x.Shape[at];
        int outer = x.Shape.Product(0, at), inner = x.Shape.Product(at + 1, x.Shape.Rank);
        if (inner == 1)
        {
            int rowLanes = LanesFor(length);
            Rows(new ReduceRowsKernel<TOp>
            {
                Op = op,
                Lanes = rowLanes,
                Rows = outer,
                Columns = length,
                Accumulate = Flag(accumulate),
                X = View(x),
                Y = View(y, outer),
            }, outer, rowLanes);
            return;
        }
        // Four lanes as on the CPU; more where the columns are long.
        int lanes = length > 256 ? threads / 8 : 4;
        Rows(new ReduceColumnsKernel<TOp>
        {
            Op = op,
            Lanes = Math.Max(lanes, 4),
            Outer = outer,
            Length = length,
            Inner = inner,
            Accumulate = Flag(accumulate),
            X = View(x),
            Y = View(y, outer * inner),
        }, outer * inner, Math.Max(lanes, 4));
    }

    /// <inheritdoc/>
    public override void ArgMax(Tensor x, Tensor mask, Tensor index)
    {
        int rows = x.Shape.Rows, columns = x.Shape.Columns, lanes = LanesFor(columns);
        var view = View(x);
        Rows(new ArgMaxKernel
        {
            Lanes = lanes,
            Rows = rows,
            Columns = columns,
            All = Flag(mask.IsNone),
            X = view,
            Mask = ViewOr(mask, x.Count, view),
            Index = View(index, rows),
        }, rows, lanes);
    }

    /// <inheritdoc/>
    public override void LogSoftmax(Tensor x, Tensor mask, Tensor y)
    {
        int rows = x.Shape.Rows, columns = x.Shape.Columns, lanes = LanesFor(columns);
        var view = View(x);
        Rows(new LogSoftmaxKernel
        {
            Lanes = lanes,
            Rows = rows,
            Columns = columns,
            All = Flag(mask.IsNone),
            X = view,
            Mask = ViewOr(mask, x.Count, view),
            Y = View(y, x.Count),
        }, rows, lanes);
    }

    /// <inheritdoc/>
    public override void LogSoftmaxBackward(Tensor y, Tensor mask, Tensor dy, Tensor dx)
    {
        int rows = y.Shape.Rows, columns = y.Shape.Columns, lanes = LanesFor(columns);
        var view = View(y);
        Rows(new LogSoftmaxBackwardKernel
        {
            Lanes = lanes,
            Rows = rows,
            Columns = columns,
            All = Flag(mask.IsNone),
            Y = view,
            Mask = ViewOr(mask, y.Count, view),
            DY = View(dy, y.Count),
            DX = View(dx, y.Count),
        }, rows, lanes);
    }

    /// <inheritdoc/>
    public override void LogSoftmaxTangent(Tensor y, Tensor mask, Tensor dx, Tensor z)
    {
        int rows = y.Shape.Rows, columns = y.Shape.Columns, lanes = LanesFor(columns);
        var view = View(y);
        Rows(new LogSoftmaxTangentKernel
        {
            Lanes = lanes,
            Rows = rows,
            Columns = columns,
            All = Flag(mask.IsNone),
            Y = view,
            Mask = ViewOr(mask, y.Count, view),
            DX = View(dx, y.Count),
            Z = View(z, y.Count),
        }, rows, lanes);
    }

    /// <inheritdoc/>
    public override void Scan(Tensor a, Tensor b, Tensor y)
    {
        int inner = y.Shape.Product(1, y.Shape.Rank), n = y.Count;
        Each(new ScanKernel { Count = n, Inner = inner, A = View(a, n), B = View(b, n), Y = View(y) }, inner);
    }
}
