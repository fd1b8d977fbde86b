using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>Launches of the reductions, the softmax kernels and the recurrence.</summary>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    public override void Reduce<TOp>(TOp op, Tensor x, int axis, Tensor y, bool accumulate)
    {
        int at = axis < 0 ? axis + x.Shape.Rank : axis, length = x.Shape[at];
        int outer = x.Shape.Product(0, at), inner = x.Shape.Product(at + 1, x.Shape.Rank);
        if (inner == 1)
        {
            // Few long rows: reduce slices of them first.
            int rowSlices = length < MinRowSplitLength ? 1 : Slices(length, outer * LanesFor(length) / threads);
            var folded = rowSlices == 1 ? y : Scratch(new Shape(outer, rowSlices));
            ReduceRows(op, x, outer, length, rowSlices, folded, accumulate && rowSlices == 1);
            if (rowSlices > 1)
            {
                ReduceRows(op, folded, outer, rowSlices, 1, y, accumulate);
            }
            return;
        }
        int columns = outer * inner, slices = Slices(length, columns * ColumnLanes(length) / threads);
        if (slices == 1)
        {
            ReduceColumns(op, View(x), outer, length, inner, 1, View(y, columns), accumulate);
            return;
        }
        // Few long columns: reduce slices of them first.
        var parts = View(Scratch(new Shape(outer, slices, inner)));
        ReduceColumns(op, View(x), outer, length, inner, slices, parts, accumulate: false);
        ReduceColumns(op, parts, outer, slices, inner, 1, View(y, columns), accumulate);
    }

    private void ReduceRows<TOp>(TOp op, Tensor x, int rows, int columns, int slices, Tensor y, bool accumulate) where TOp : unmanaged, IReduction
    {
        int depth = (columns + slices - 1) / slices, lanes = LanesFor(depth);
        ForEachRow(new ReduceRowsKernel<TOp>
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

    private void ReduceColumns<TOp>(TOp op, ArrayView<float> x, int outer, int length, int inner, int slices, ArrayView<float> y, bool accumulate)
        where TOp : unmanaged, IReduction
    {
        int depth = (length + slices - 1) / slices, lanes = ColumnLanes(depth);
        ForEachRow(new ReduceColumnsKernel<TOp>
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
    public override void WeightedSum(Tensor x, Tensor w, Tensor y, Tensor scratch)
    {
        int n = x.Count, repeat = w.Count == 0 ? 0 : n / w.Count;
        // One weight for each element, or for each row.
        bool perRow = w.Shape == x.Shape || x.Shape.Rank > 0 && w.Shape == x.Shape.With(-1, 1);
        if (!perRow || n == 0 || n >= MinRowSplitLength)
        {
            base.WeightedSum(x, w, y, scratch);
            return;
        }
        int lanes = LanesFor(n);
        Launch(new WeightedSumKernel { Lanes = lanes, Count = n, Repeat = repeat, X = View(x), W = View(w), Y = View(y, 1) }, 1, lanes);
    }

    /// <inheritdoc/>
    public override Segments CreateSegments(ReadOnlySpan<int> lengths) => new GpuSegments(this, lengths, TargetGroups);

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
            ForEachElement(new SumPartsKernel { Count = count, Begins = Integers(plan.BeginTable), X = parts, Y = result }, count);
        }
    }

    /// <summary>The number of threads per column: the CPU's four lanes, or more for long columns.</summary>
    private int ColumnLanes(int length) => length > 256 ? Math.Max(threads / 8, 4) : 4;

    /// <inheritdoc/>
    public override void ArgMax(Tensor x, Tensor mask, Tensor index)
    {
        int rows = x.Shape.Rows, columns = x.Shape.Columns, lanes = LanesFor(columns);
        var view = View(x);
        ForEachRow(new ArgMaxKernel
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
        ForEachRow(new LogSoftmaxKernel
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
        ForEachRow(new LogSoftmaxBackwardKernel
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
        ForEachRow(new LogSoftmaxTangentKernel
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
        ForEachElement(new ScanKernel { Count = n, Inner = inner, A = View(a, n), B = View(b, n), Y = View(y) }, inner);
    }
}
