using ILGPU;

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
        int columns = outer * inner, slices = Slices(length, columns * ColumnLanes(length) / threads);
        if (slices == 1)
        {
            Columns(op, View(x), outer, length, inner, 1, View(y, columns), accumulate);
            return;
        }
        // Few columns that are long: parts of them first.
        var parts = View(Scratch(new Shape(outer, slices, inner)));
        Columns(op, View(x), outer, length, inner, slices, parts, accumulate: false);
        Columns(op, parts, outer, slices, inner, 1, View(y, columns), accumulate);
    }

    private void Columns<TOp>(TOp op, ArrayView<float> x, int outer, int length, int inner, int slices, ArrayView<float> y, bool accumulate)
        where TOp : unmanaged, IReduction
    {
        int depth = (length + slices - 1) / slices, lanes = ColumnLanes(depth);
        Rows(new ReduceColumnsKernel<TOp>
        {
            Op = op,
            Lanes = lanes,
            Outer = outer,
            Length = length,
            Slices = slices,
            Depth = depth,
            Inner = inner,
            Accumulate = Flag(accumulate),
            X = x,
            Y = y,
        }, outer * slices * inner, lanes);
    }

    /// <summary>Threads per column: four lanes as on the CPU; more where the columns are long.</summary>
    private int ColumnLanes(int length) => length > 256 ? Math.Max(threads / 8, 4) : 4;

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
