namespace Marl.Native;

public static partial class Ops
{
    /// <summary>
    /// A gated recurrent unit over a sequence (Cho et al. 2014), as PyTorch's nn.GRU: gates in the order r, z, n, with the hidden bias of n inside the product
    /// with r.
    /// <code>
    /// h    = continueMask[t] y[t-1]               y[-1] = h0
    /// r    = sigmoid(W_ir x[t] + b_ir + W_hr h + b_hr)
    /// z    = sigmoid(W_iz x[t] + b_iz + W_hz h + b_hz)
    /// n    = tanh(W_in x[t] + b_in + r (W_hn h + b_hn))
    /// y[t] = (1 - z) n + z h
    /// </code>
    /// Weights are shared by all rows; grouped weights, with a leading axis [N], belong to the N groups of the rows.
    /// </summary>
    /// <param name="x">[T, B, I] or [T, B, N, I] the inputs.</param>
    /// <param name="h0">[B, H] or [B, N, H] the initial state.</param>
    /// <param name="wIh">[3H, I] or [N, 3H, I] the input weights.</param>
    /// <param name="wHh">[3H, H] or [N, 3H, H] the recurrent weights.</param>
    /// <param name="bIh">[3H] or [N, 3H] the input biases.</param>
    /// <param name="bHh">[3H] or [N, 3H] the recurrent biases.</param>
    /// <param name="continueMask">[T, B] or [T, B, N] 0 where a sequence begins and 1 elsewhere; none: 1 everywhere.</param>
    /// <returns>y [T, .., H], the states; the last one is y[T - 1].</returns>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    public static Var Gru(this Var x, Var h0, Var wIh, Var wHh, Var bIh, Var bHh, Tensor continueMask = default)
    {
        var (tape, device) = (x.Tape, x.Tape.Device);
        bool grouped = wIh.Shape.Rank == 3;
        int hidden = wHh.Shape[-1], steps = x.Shape[0], rows = x.Shape.Rows / Math.Max(1, steps);
        var state = x.Shape.With(-1, hidden).Without(0);
        bool fits = h0.Shape == state && wIh.Shape[-1] == x.Shape[-1] && wIh.Shape[-2] == 3 * hidden && wHh.Shape[-2] == 3 * hidden
            && wHh.Shape.Rank == wIh.Shape.Rank && bIh.Shape == wIh.Shape.Without(-1) && bHh.Shape == bIh.Shape
            && (!grouped || x.Shape.Rank == 4 && wIh.Shape[0] == x.Shape[-2] && wHh.Shape[0] == x.Shape[-2])
            && (continueMask.IsNone || continueMask.Count == steps * rows);
        if (!fits)
        {
            throw new ArgumentException($"Gru: input {x.Shape}, state {h0.Shape}, weights {wIh.Shape} and {wHh.Shape}, biases {bIh.Shape} and " +
                $"{bHh.Shape}{(continueMask.IsNone ? "" : $", continue mask {continueMask.Shape}")} do not fit");
        }
        // Allocate y first: it outlives the buffers below when nothing is recorded.
        var y = tape.Allocate(x.Shape.With(-1, hidden));
        // The pre-activations of a step are overwritten with its gates. The derivative needs those of all steps, otherwise one block suffices.
        bool records = tape.RequiresGrad([x, h0, wIh, wHh, bIh, bHh]);
        int block = StepsPerBlock(device, steps, rows * 4 * hidden);
        var gates = tape.Scratch(x.Shape.With(0, records ? steps : block).With(-1, 4 * hidden));
        var maskedState = tape.Scratch(state);
        var wIhT = WeightT(wIh, grouped);
        var wHhT = steps == 1 ? WeightT(wHh, grouped) : Transposed(tape, wHh.Value);
        var (biasI, biasN) = (tape.Scratch(bIh.Shape), tape.Scratch(bIh.Shape.With(-1, hidden)));
        device.GruBias(bIh.Value, bHh.Value, biasI, biasN);
        for (int begin = 0; begin < steps; begin += block)
        {
            int count = Math.Min(block, steps - begin);
            var sums = gates.Slice(records ? begin : 0, count);
            device.Gemm(Rows(x.Value.Slice(begin, count), grouped), wIhT, Rows(sums, grouped).SliceColumns(0, 3 * hidden), bias: biasI);
            var last = begin == 0 ? h0.Value : y[begin - 1];
            device.GruSteps(sums, last, SliceSteps(continueMask, begin, count), wHhT, biasN, y.Slice(begin, count), maskedState);
        }
        return tape.Record(default(GruOp), y, [x, h0, wIh, wHh, bIh, bHh], [gates, continueMask]);
    }

    private readonly struct GruOp : IOp
    {
        public void Backward(GradContext context)
        {
            var (x, h0, wIh, wHh, gates, continueMask) = (context.X(0), context.X(1), context.X(2), context.X(3), context.Saved(0), context.Saved(1));
            bool grouped = wIh.Shape.Rank == 3;
            int hidden = wHh.Shape[-1], steps = x.Shape[0], block = StepsPerBlock(context.Device, steps, h0.Count * 4);
            var d = context.Scratch(gates.Shape.With(0, block));
            var previous = context.Scratch(context.Y.Shape.With(0, block));
            var dh = context.Zeros(h0.Shape);
            var dBias = context.Zeros(context.X(4).Shape.With(-1, 4 * hidden));
            var dx = context.DX(0, out bool accumulate);
            for (int begin = (steps - 1) / block * block; begin >= 0; begin -= block)
            {
                int count = Math.Min(block, steps - begin);
                // The gradient of y from above and through the next state, through the gates and W_hh to the previous state.
                var last = begin == 0 ? h0 : context.Y[begin - 1];
                context.Device.GruStepsBackward(gates.Slice(begin, count), last, SliceSteps(continueMask, begin, count), Weight(wHh, grouped),
                    context.Y.Slice(begin, count), context.DY.Slice(begin, count), d.Slice(0, count), previous.Slice(0, count), dh);
                var sums = Rows(d.Slice(0, count), grouped);
                var dSums = sums.SliceColumns(0, 3 * hidden);
                if (!dx.IsNone)
                {
                    context.Device.Gemm(dSums, Weight(wIh, grouped), Rows(dx.Slice(begin, count), grouped), accumulate);
                }
                if (!context.DX(2).IsNone)
                {
                    context.Device.Gemm(dSums.T, Rows(x.Slice(begin, count), grouped), Weight(context.DX(2), grouped), accumulate: true);
                }
                if (!context.DX(3).IsNone)
                {
                    var (dRZ, dN) = HiddenSums(sums, hidden);
                    var (dwRZ, dwN) = HiddenRows(Weight(context.DX(3), grouped), hidden);
                    context.Device.Gemm(dRZ.T, Rows(previous.Slice(0, count), grouped), dwRZ, accumulate: true);
                    context.Device.Gemm(dN.T, Rows(previous.Slice(0, count), grouped), dwN, accumulate: true);
                }
                BiasGradient(context.Device, d.Slice(0, count), dBias);
            }
            if (!context.DX(1).IsNone)
            {
                context.Device.Zip(default(Add), context.DX(1), dh, context.DX(1));
            }
            if (!context.DX(4).IsNone)
            {
                context.Device.CopyColumns(dBias, 0, context.DX(4), 0, 3 * hidden, accumulate: true);
            }
            if (!context.DX(5).IsNone)
            {
                context.Device.CopyColumns(dBias, 0, context.DX(5), 0, 2 * hidden, accumulate: true);
                context.Device.CopyColumns(dBias, 3 * hidden, context.DX(5), 2 * hidden, hidden, accumulate: true);
            }
        }

        public void Tangent(GradContext context)
        {
            var (x, h0, wIh, wHh, gates, continueMask) = (context.X(0), context.X(1), context.X(2), context.X(3), context.Saved(0), context.Saved(1));
            bool grouped = wIh.Shape.Rank == 3;
            int hidden = wHh.Shape[-1], steps = x.Shape[0];
            var (wRZ, wN) = HiddenRows(Weight(wHh, grouped), hidden);
            var maskedState = context.Scratch(h0.Shape);
            var dh = context.Zeros(h0.Shape);
            if (!context.DX(1).IsNone)
            {
                context.Device.Copy(context.DX(1), dh);
            }
            // The tangents of the pre-activations: first the part that does not depend on the state.
            var d = context.Zeros(gates.Shape);
            var dBias = context.Zeros(context.X(4).Shape.With(-1, 4 * hidden));
            if (!context.DX(4).IsNone)
            {
                context.Device.CopyColumns(context.DX(4), 0, dBias, 0, 3 * hidden, accumulate: true);
            }
            if (!context.DX(5).IsNone)
            {
                context.Device.CopyColumns(context.DX(5), 0, dBias, 0, 2 * hidden, accumulate: true);
                context.Device.CopyColumns(context.DX(5), 2 * hidden, dBias, 3 * hidden, hidden, accumulate: true);
            }
            var perRow = d.Reshape(d.Count / dBias.Count, dBias.Count);
            context.Device.Zip(default(Add), perRow, dBias.Reshape(1, dBias.Count), perRow);
            var dSums = Rows(d, grouped).SliceColumns(0, 3 * hidden);
            if (!context.DX(0).IsNone)
            {
                context.Device.Gemm(Rows(context.DX(0), grouped), Weight(wIh, grouped).T, dSums, accumulate: true);
            }
            if (!context.DX(2).IsNone)
            {
                context.Device.Gemm(Rows(x, grouped), Weight(context.DX(2), grouped).T, dSums, accumulate: true);
            }
            for (int t = 0; t < steps; t++)
            {
                var h = t == 0 ? h0 : context.Y[t - 1];
                if (!continueMask.IsNone)
                {
                    MaskRows(context.Device, dh, continueMask, t, dh);
                    h = MaskRows(context.Device, h, continueMask, t, maskedState);
                }
                var (dRZ, dN) = HiddenSums(Rows(d[t], grouped), hidden);
                context.Device.Gemm(Rows(dh, grouped), wRZ.T, dRZ, accumulate: true);
                context.Device.Gemm(Rows(dh, grouped), wN.T, dN, accumulate: true);
                if (!context.DX(3).IsNone)
                {
                    var (dwRZ, dwN) = HiddenRows(Weight(context.DX(3), grouped), hidden);
                    context.Device.Gemm(Rows(h, grouped), dwRZ.T, dRZ, accumulate: true);
                    context.Device.Gemm(Rows(h, grouped), dwN.T, dN, accumulate: true);
                }
                context.Device.GruGatesTangent(gates[t], h, d[t], dh, context.DY[t]);
                context.Device.Copy(context.DY[t], dh);
            }
        }
    }

    // The state contributes to the pre-activations of r and z as the input does, but to that of n only in the product with r. The columns of a step are r, z, n
    // (without the state) and m (the state's part of n).

    /// <summary>The columns of a step's pre-activations to which the state contributes.</summary>
    private static (Matrix RZ, Matrix N) HiddenSums(Matrix sums, int hidden) => (sums.SliceColumns(0, 2 * hidden), sums.SliceColumns(3 * hidden, hidden));

    /// <summary>The rows of W_hh that compute these columns.</summary>
    private static (Matrix RZ, Matrix N) HiddenRows(Matrix w, int hidden) => (w.SliceRows(0, 2 * hidden), w.SliceRows(2 * hidden, hidden));

    /// <summary>
    /// The number of steps whose input products are computed at once: many rows make an efficient product, and the block stays in cache until its steps have
    /// used it.
    /// </summary>
    private static int StepsPerBlock(Device device, int steps, int elementsPerStep)
        => Math.Clamp(device.CacheBlock / Math.Max(1, elementsPerStep), 1, Math.Max(1, steps));

    /// <summary>Some steps of a mask that may be none.</summary>
    private static Tensor SliceSteps(Tensor continueMask, int begin, int count) => continueMask.IsNone ? continueMask : continueMask.Slice(begin, count);

    /// <summary>y[row, ..] = mask[t, row] h[row, ..]</summary>
    private static Tensor MaskRows(Device device, Tensor h, Tensor mask, int t, Tensor y)
    {
        int rows = h.Shape.Rows, columns = h.Shape[-1];
        device.Zip(default(Multiply), h.Reshape(rows, columns), mask[t].Reshape(rows, 1), y.Reshape(rows, columns));
        return y;
    }

    /// <summary>W^T in its own memory, for weights that every step reads.</summary>
    private static Matrix Transposed(Tape tape, Tensor w)
    {
        var transposed = tape.Scratch(w.Shape.With(-1, w.Shape[-2]).With(-2, w.Shape[-1]));
        Transpose(tape.Device, w, transposed);
        return Matrix.Batched(transposed);
    }

    /// <summary>y[.., j + to] = x[.., j + from], or y += x when <paramref name="accumulate"/>, for <paramref name="count"/> columns.</summary>
    private static void CopyColumns(this Device device, Tensor x, int from, Tensor y, int to, int count, bool accumulate = false)
    {
        int rows = x.Shape.Rows, xWidth = x.Shape[-1], yWidth = y.Shape[-1];
        device.CopyStrided(From(x, from), [0, 0, xWidth, 1], From(y, to), [0, 0, yWidth, 1], [1, 1, rows, count], accumulate);
    }
}
