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
            // Few rows that are long: parts of them first.
            int cuts = Slices(length, outer * LanesFor(length) / threads);
            var folded = cuts == 1 ? y : Scratch(new Shape(outer, cuts));
            Rows(op, x, outer, length, cuts, folded, accumulate && cuts == 1);
            if (cuts > 1)
            {
                Rows(op, folded, outer, cuts, 1, y, accumulate);
            }
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

    private void Rows<TOp>(TOp op, Tensor x, int rows, int columns, int slices, Tensor y, bool accumulate) where TOp : unmanaged, IReduction
    {
        int depth = (columns + slices - 1) / slices, lanes = LanesFor(depth);
        Rows(new ReduceRowsKernel<TOp>
        {
            Op = op,
            Lanes = lanes,
            Rows = rows * slices,
            Columns = columns,
            Slices = slices,
            Depth = depth,
            Accumulate = Flag(accumulate),
            X = View(x, rows * columns),
            Y = View(y, rows * slices),
        }, rows * slices, lanes);
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

    /// <inheritdoc/>
    public override Segments Split(ReadOnlySpan<int> lengths) => new GpuSegments(this, lengths, BusyGroups);

    /// <inheritdoc/>
    public override void SumSquares(Tensor x, Segments segments, Tensor sums)
    {
        var plan = (GpuSegments)segments;
        int count = plan.Lengths.Length;
        bool whole = plan.Parts == count;
        var result = View(sums, count);
        var parts = whole ? result : View(Scratch(new Shape(plan.Parts)));
        if (plan.Parts > 0)
        {
            Launch(new SumSquaresKernel { Parts = Integers(plan.PartTable), X = View(x, plan.Count), Y = parts }, plan.Parts);
        }
        if (!whole)
        {
            Each(new SumPartsKernel { Count = count, Begins = Integers(plan.BeginTable), X = parts, Y = result }, count);
        }
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
