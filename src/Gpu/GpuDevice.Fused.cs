namespace Marl.Native.Gpu;

/// <summary>Launches of the fused kernels: GRU gates and monotone mixing.</summary>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    public override void GruBias(Tensor bIh, Tensor bHh, Tensor biasI, Tensor biasN)
    {
        int n = bIh.Count;
        ForEachElement(new GruBiasKernel
        {
            Count = n,
            Units = biasN.Shape.Columns,
            Input = View(bIh),
            State = View(bHh, n),
            BiasI = View(biasI, n),
            BiasN = View(biasN, n / 3),
        }, n);
    }

    /// <inheritdoc/>
    public override void GruGates(Tensor gates, Tensor h, Tensor y)
    {
        int n = h.Count;
        ForEachElement(new GruGatesKernel { Count = n, Units = h.Shape.Columns, Gates = View(gates, 4 * n), H = View(h), Y = View(y, n) }, n);
    }

    /// <inheritdoc/>
    public override void GruGatesBackward(Tensor gates, Tensor h, Tensor dy, Tensor d, Tensor dh)
    {
        int n = h.Count;
        ForEachElement(new GruGatesBackwardKernel
        {
            Count = n,
            Units = h.Shape.Columns,
            Gates = View(gates, 4 * n),
            H = View(h),
            DY = View(dy, n),
            D = View(d, 4 * n),
            DH = View(dh, n),
        }, n);
    }

    /// <inheritdoc/>
    public override void GruGatesTangent(Tensor gates, Tensor h, Tensor d, Tensor dh, Tensor dy)
    {
        int n = h.Count;
        ForEachElement(new GruGatesTangentKernel
        {
            Count = n,
            Units = h.Shape.Columns,
            Gates = View(gates, 4 * n),
            H = View(h),
            D = View(d, 4 * n),
            DH = View(dh, n),
            DY = View(dy, n),
        }, n);
    }

    /// <inheritdoc/>
    public override void GruSteps(Tensor gates, Tensor h0, Tensor continueMask, Matrix w, Tensor biasN, Tensor y, Tensor scratch)
    {
        int units = w.M, rows = h0.Count / units, steps = gates.Shape[0];
        if (units > RowTile.MaxUnits)
        {
            base.GruSteps(gates, h0, continueMask, w, biasN, y, scratch);
            return;
        }
        var state = View(h0);
        Launch(new GruForwardKernel
        {
            Steps = steps,
            Rows = rows,
            Units = units,
            WeightGroups = w.Batch,
            HasContinueMask = Flag(!continueMask.IsNone),
            W = Strided(w),
            BiasN = View(biasN, w.Batch * units),
            Gates = View(gates, steps * rows * 4 * units),
            H0 = state,
            ContinueMask = ViewOr(continueMask, steps * rows, state),
            Y = View(y, steps * rows * units),
        }, RowTile.Groups(rows, w.Batch), UnitThreads(units));
    }

    /// <inheritdoc/>
    public override void GruStepsBackward(Tensor gates, Tensor h0, Tensor continueMask, Matrix w, Tensor y, Tensor dy, Tensor d, Tensor previous, Tensor dh)
    {
        int units = w.N, rows = h0.Count / units, steps = gates.Shape[0];
        if (units > RowTile.MaxUnits)
        {
            base.GruStepsBackward(gates, h0, continueMask, w, y, dy, d, previous, dh);
            return;
        }
        var state = View(h0);
        Launch(new GruBackwardKernel
        {
            Steps = steps,
            Rows = rows,
            Units = units,
            WeightGroups = w.Batch,
            HasContinueMask = Flag(!continueMask.IsNone),
            W = Strided(w),
            Gates = View(gates, steps * rows * 4 * units),
            H0 = state,
            ContinueMask = ViewOr(continueMask, steps * rows, state),
            Y = View(y, steps * rows * units),
            DY = View(dy, steps * rows * units),
            D = View(d, steps * rows * 4 * units),
            Previous = View(previous, steps * rows * units),
            DH = View(dh, rows * units),
        }, RowTile.Groups(rows, w.Batch), UnitThreads(units));
    }

    /// <summary>One thread per unit, rounded up to whole warps.</summary>
    private int UnitThreads(int units) => Math.Min(threads, (units + 31) / 32 * 32);

    /// <inheritdoc/>
    public override void MonotoneMix(Tensor w, Tensor x, Tensor b, Tensor y)
    {
        int rows = x.Shape.Rows, inputs = x.Shape.Columns, width = y.Shape.Columns;
        if (width == 1)
        {
            // One output: a dot product.
            AbsoluteDot(View(w, rows * inputs), View(x), View(y, rows), rows, inputs, repeat: 1, b);
            return;
        }
        ForEachElement(new MixKernel
        {
            Count = y.Count,
            Inputs = inputs,
            Width = width,
            W = View(w, rows * inputs * width),
            X = View(x),
            B = View(b, y.Count),
            Y = View(y, rows * width),
        }, y.Count);
    }

    /// <inheritdoc/>
    public override void MonotoneMixBackward(Tensor w, Tensor x, Tensor dy, Tensor dw, Tensor dx, bool accumulate)
    {
        int rows = x.Shape.Rows, inputs = x.Shape.Columns, width = dy.Shape.Columns, n = rows * inputs * width;
        var weights = View(w, n);
        if (!dw.IsNone || !dx.IsNone && width == 1)
        {
            ForEachElement(new MixBackwardKernel
            {
                Count = n,
                Inputs = inputs,
                Width = width,
                Accumulate = Flag(accumulate),
                NeedsW = Flag(!dw.IsNone),
                NeedsX = Flag(!dx.IsNone && width == 1),
                W = weights,
                X = View(x),
                DY = View(dy, rows * width),
                DW = ViewOr(dw, n, weights),
                DX = ViewOr(dx, rows * inputs, weights),
            }, n);
        }
        if (!dx.IsNone && width > 1)
        {
            AbsoluteDot(weights, View(dy, rows * width), View(dx, rows * inputs), rows * inputs, width, inputs, default);
        }
    }

    /// <summary>y[r] = c[r] + sum_k |a[r, k]| b[r / repeat, k], or y[r] += that sum where c is none.</summary>
    private void AbsoluteDot(ILGPU.ArrayView<float> a, ILGPU.ArrayView<float> b, ILGPU.ArrayView<float> y, int rows, int columns, int repeat, Tensor c)
    {
        int lanes = LanesFor(columns);
        ForEachRow(new AbsoluteDotKernel
        {
            Lanes = lanes,
            Rows = rows,
            Columns = columns,
            Repeat = repeat,
            HasC = Flag(!c.IsNone),
            A = a,
            B = b,
            C = ViewOr(c, rows, y),
            Y = y,
        }, rows, lanes);
    }
}
