namespace Marl.Native.Gpu;

/// <summary>Launches of gather and scatter. An index outside its axis is reported by the next <see cref="Read"/>.</summary>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    public override void Gather(Tensor x, Tensor index, Tensor y)
    {
        int rows = x.Shape.Rows, picks = index.Shape.Columns, n = rows * picks;
        ForEachElement(new GatherKernel
        {
            Count = n,
            Columns = x.Shape.Columns,
            Picks = picks,
            X = View(x),
            Index = View(index, n),
            Y = View(y, n),
            Fault = fault.View,
        }, n);
    }

    /// <inheritdoc/>
    public override void ScatterAdd(Tensor y, Tensor index, Tensor x)
    {
        int rows = x.Shape.Rows, picks = index.Shape.Columns;
        ForEachElement(new ScatterAddKernel
        {
            Rows = rows,
            Columns = x.Shape.Columns,
            Picks = picks,
            Y = View(y, rows * picks),
            Index = View(index, rows * picks),
            X = View(x),
            Fault = fault.View,
        }, rows);
    }

    /// <inheritdoc/>
    public override void GatherRows(Tensor w, Tensor index, Tensor y)
    {
        int width = w.Shape.Product(1, w.Shape.Rank), n = index.Count * width;
        ForEachElement(new GatherRowsKernel
        {
            Count = n,
            Rows = w.Shape[0],
            Width = width,
            W = View(w),
            Index = View(index),
            Y = View(y, n),
            Fault = fault.View,
        }, n);
    }

    /// <inheritdoc/>
    public override void ScatterAddRows(Tensor y, Tensor index, Tensor w)
    {
        int width = w.Shape.Product(1, w.Shape.Rank);
        ForEachElement(new ScatterAddRowsKernel
        {
            Indices = index.Count,
            Rows = w.Shape[0],
            Width = width,
            Y = View(y, index.Count * width),
            Index = View(index),
            W = View(w),
            Fault = fault.View,
        }, w.Count);
    }
}
