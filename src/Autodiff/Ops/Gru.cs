namespace Marl.Native;

public static partial class Ops
{
    /// <summary>
    /// A gated recurrent unit over a whole sequence, in PyTorch's form (gates in the order r, z, n; the hidden bias of n inside the product with r):
    /// <code>
    /// h    = keep[t] y[t-1]                       y[-1] = h0
    /// r    = sigmoid(W_ir x[t] + b_ir + W_hr h + b_hr)
    /// z    = sigmoid(W_iz x[t] + b_iz + W_hz h + b_hz)
    /// n    = tanh(W_in x[t] + b_in + r (W_hn h + b_hn))
    /// y[t] = (1 - z) n + z h
    /// </code>
    /// Weights are shared by all rows, or belong to the N groups of the rows when they have an axis [N] in front.
    /// </summary>
    /// <param name="x">[T, B, I], or [T, B, N, I]</param>
    /// <param name="h0">the state before, [B, H] or [B, N, H].</param>
    /// <param name="wIh">[3H, I], or [N, 3H, I]</param>
    /// <param name="wHh">[3H, H], or [N, 3H, H]</param>
    /// <param name="bIh">[3H], or [N, 3H]</param>
    /// <param name="bHh">[3H], or [N, 3H]</param>
    /// <param name="keep">[T, B] or [T, B, N]: 0 where a sequence begins, 1 elsewhere; none: 1 everywhere.</param>
    /// <returns>y [T, .., H]; the last state is y[T-1].</returns>
    /// <exception cref="ArgumentException">the shapes do not fit; names them.</exception>
    public static Var Gru(this Var x, Var h0, Var wIh, Var wHh, Var bIh, Var bHh, Tensor keep = default)
    {
        var (tape, device) = (x.Tape, x.Tape.Device);
        bool copies = wIh.Shape.Rank == 3;
        int hidden = wHh.Shape[-1], steps = x.Shape[0], rows = x.Shape.Rows / Math.Max(1, steps);
        var state = x.Shape.With(-1, hidden).Without(0);
        bool fits = h0.Shape == state && wIh.Shape[-1] == x.Shape[-1] && wIh.Shape[-2] == 3 * hidden && wHh.Shape[-2] == 3 * hidden
            && wHh.Shape.Rank == wIh.Shape.Rank && bIh.Shape == wIh.Shape.Without(-1) && bHh.Shape == bIh.Shape
            && (!copies || x.Shape.Rank == 4 && wIh.Shape[0] == x.Shape[-2] && wHh.Shape[0] == x.Shape[-2])
            && (keep.IsNone || keep.Count == steps * rows);
        if (!fits)
        {
            throw new ArgumentException($"Gru: input {x.Shape}, state {h0.Shape}, weights {wIh.Shape} and {wHh.Shape}, biases {bIh.Shape} and " +
                $"{bHh.Shape}{(keep.IsNone ? "" : $", keep {keep.Shape}")} do not fit");
        }
        // y first: it outlives the work below when nothing is recorded.
        var y = tape.Allocate(x.Shape.With(-1, hidden));
        // The sums of a step become its gates in place. Those of all steps are kept for the derivative, else of the block at hand.
        bool records = tape.Records([x, h0, wIh, wHh, bIh, bHh]);
        int block = StepsAtOnce(device, steps, rows * 4 * hidden);
        var gates = tape.Scratch(x.Shape.With(0, records ? steps : block).With(-1, 4 * hidden));
        var kept = tape.Scratch(state);
        var wIhT = WeightT(wIh, copies);
        var wHhT = steps == 1 ? WeightT(wHh, copies) : Transposed(tape, wHh.Value);
        var (biasI, biasN) = (tape.Scratch(bIh.Shape), tape.Scratch(bIh.Shape.With(-1, hidden)));
        device.Copy(bIh.Value, biasI);
        device.CopyColumns(bHh.Value, 0, biasI, 0, 2 * hidden, accumulate: true);
        device.CopyColumns(bHh.Value, 2 * hidden, biasN, 0, hidden);
        for (int begin = 0; begin < steps; begin += block)
        {
            int count = Math.Min(block, steps - begin);
            var sums = gates.Slice(records ? begin : 0, count);
            device.Gemm(Rows(x.Value.Slice(begin, count), copies), wIhT, Rows(sums, copies).SliceColumns(0, 3 * hidden), bias: biasI);
            device.GruSteps(sums, begin == 0 ? h0.Value : y[begin - 1], StepsOf(keep, begin, count), wHhT, biasN, y.Slice(begin, count), kept);
        }
        return tape.Record(default(GruOp), y, [x, h0, wIh, wHh, bIh, bHh], [gates, keep]);
    }

    private readonly struct GruOp : IOp
    {
        public void Backward(GradContext p)
        {
            var (x, h0, wIh, wHh, gates, keep) = (p.X(0), p.X(1), p.X(2), p.X(3), p.Saved(0), p.Saved(1));
            bool copies = wIh.Shape.Rank == 3;
            int hidden = wHh.Shape[-1], steps = x.Shape[0], block = StepsAtOnce(p.Device, steps, h0.Count * 4);
            var d = p.Scratch(gates.Shape.With(0, block));
            var before = p.Scratch(p.Y.Shape.With(0, block));
            var dh = p.Zeros(h0.Shape);
            var dBias = p.Zeros(p.X(4).Shape.With(-1, 4 * hidden));
            var dx = p.DX(0, out bool accumulate);
            for (int begin = (steps - 1) / block * block; begin >= 0; begin -= block)
            {
                int count = Math.Min(block, steps - begin);
                // dL/dy from above, plus what came back through the state; through the gates and W_hh to the state before.
                var last = begin == 0 ? h0 : p.Y[begin - 1];
                p.Device.GruStepsBackward(gates.Slice(begin, count), last, StepsOf(keep, begin, count), Weight(wHh, copies), p.Y.Slice(begin, count),
                    p.DY.Slice(begin, count), d.Slice(0, count), before.Slice(0, count), dh);
                var sums = Rows(d.Slice(0, count), copies);
                var dSums = sums.SliceColumns(0, 3 * hidden);
                if (!dx.IsNone)
                {
                    p.Device.Gemm(dSums, Weight(wIh, copies), Rows(dx.Slice(begin, count), copies), accumulate);
                }
                if (!p.DX(2).IsNone)
                {
                    p.Device.Gemm(dSums.T, Rows(x.Slice(begin, count), copies), Weight(p.DX(2), copies), accumulate: true);
                }
                if (!p.DX(3).IsNone)
                {
                    var (dRZ, dN) = HiddenSums(sums, hidden);
                    var (dwRZ, dwN) = HiddenRows(Weight(p.DX(3), copies), hidden);
                    p.Device.Gemm(dRZ.T, Rows(before.Slice(0, count), copies), dwRZ, accumulate: true);
                    p.Device.Gemm(dN.T, Rows(before.Slice(0, count), copies), dwN, accumulate: true);
                }
                BiasGradient(p.Device, d.Slice(0, count), dBias);
            }
            if (!p.DX(1).IsNone)
            {
                p.Device.Zip(default(Add), p.DX(1), dh, p.DX(1));
            }
            if (!p.DX(4).IsNone)
            {
                p.Device.CopyColumns(dBias, 0, p.DX(4), 0, 3 * hidden, accumulate: true);
            }
            if (!p.DX(5).IsNone)
            {
                p.Device.CopyColumns(dBias, 0, p.DX(5), 0, 2 * hidden, accumulate: true);
                p.Device.CopyColumns(dBias, 3 * hidden, p.DX(5), 2 * hidden, hidden, accumulate: true);
            }
        }

        public void Tangent(GradContext p)
        {
            var (x, h0, wIh, wHh, gates, keep) = (p.X(0), p.X(1), p.X(2), p.X(3), p.Saved(0), p.Saved(1));
            bool copies = wIh.Shape.Rank == 3;
            int hidden = wHh.Shape[-1], steps = x.Shape[0];
            var (wRZ, wN) = HiddenRows(Weight(wHh, copies), hidden);
            var kept = p.Scratch(h0.Shape);
            var dh = p.Zeros(h0.Shape);
            if (!p.DX(1).IsNone)
            {
                p.Device.Copy(p.DX(1), dh);
            }
            // The tangents of the sums: first what does not come through the state.
            var d = p.Zeros(gates.Shape);
            var dBias = p.Zeros(p.X(4).Shape.With(-1, 4 * hidden));
            if (!p.DX(4).IsNone)
            {
                p.Device.CopyColumns(p.DX(4), 0, dBias, 0, 3 * hidden, accumulate: true);
            }
            if (!p.DX(5).IsNone)
            {
                p.Device.CopyColumns(p.DX(5), 0, dBias, 0, 2 * hidden, accumulate: true);
                p.Device.CopyColumns(p.DX(5), 2 * hidden, dBias, 3 * hidden, hidden, accumulate: true);
            }
            var perRow = d.Reshape(d.Count / dBias.Count, dBias.Count);
            p.Device.Zip(default(Add), perRow, dBias.Reshape(1, dBias.Count), perRow);
            var dSums = Rows(d, copies).SliceColumns(0, 3 * hidden);
            if (!p.DX(0).IsNone)
            {
                p.Device.Gemm(Rows(p.DX(0), copies), Weight(wIh, copies).T, dSums, accumulate: true);
            }
            if (!p.DX(2).IsNone)
            {
                p.Device.Gemm(Rows(x, copies), Weight(p.DX(2), copies).T, dSums, accumulate: true);
            }
            for (int t = 0; t < steps; t++)
            {
                var h = t == 0 ? h0 : p.Y[t - 1];
                if (!keep.IsNone)
                {
                    Keep(p.Device, dh, keep, t, dh);
                    h = Keep(p.Device, h, keep, t, kept);
                }
                var (dRZ, dN) = HiddenSums(Rows(d[t], copies), hidden);
                p.Device.Gemm(Rows(dh, copies), wRZ.T, dRZ, accumulate: true);
                p.Device.Gemm(Rows(dh, copies), wN.T, dN, accumulate: true);
                if (!p.DX(3).IsNone)
                {
                    var (dwRZ, dwN) = HiddenRows(Weight(p.DX(3), copies), hidden);
                    p.Device.Gemm(Rows(h, copies), dwRZ.T, dRZ, accumulate: true);
                    p.Device.Gemm(Rows(h, copies), dwN.T, dN, accumulate: true);
                }
                p.Device.GruGatesTangent(gates[t], h, d[t], dh, p.DY[t]);
                p.Device.Copy(p.DY[t], dh);
            }
        }
    }

    // The state takes part in the sums of r and z as the input does, but in that of n only within the product with r: a step's sums stand in
    // the order r, z, n without the state's part, and that part.

    /// <summary>The columns of a step's sums that the state takes part in.</summary>
    private static (Matrix RZ, Matrix N) HiddenSums(Matrix sums, int hidden) => (sums.SliceColumns(0, 2 * hidden), sums.SliceColumns(3 * hidden, hidden));

    /// <summary>The rows of W_hh that make them.</summary>
    private static (Matrix RZ, Matrix N) HiddenRows(Matrix w, int hidden) => (w.SliceRows(0, 2 * hidden), w.SliceRows(2 * hidden, hidden));

    /// <summary>How many steps' products with the input weights are made at once: many rows make an efficient product, and so many numbers stay close until
    /// the steps have used them.</summary>
    private static int StepsAtOnce(Device device, int steps, int numbersPerStep)
        => Math.Clamp(device.CacheBlock / Math.Max(1, numbersPerStep), 1, Math.Max(1, steps));

    /// <summary>Some steps of a sequence that may be none.</summary>
    private static Tensor StepsOf(Tensor keep, int begin, int count) => keep.IsNone ? keep : keep.Slice(begin, count);

    /// <summary>kept = keep[t] h, row by row.</summary>
    private static Tensor Keep(Device device, Tensor h, Tensor keep, int t, Tensor kept)
    {
        int rows = h.Shape.Rows, columns = h.Shape[-1];
        device.Zip(default(Multiply), h.Reshape(rows, columns), keep[t].Reshape(rows, 1), kept.Reshape(rows, columns));
        return kept;
    }

    /// <summary>W^T in memory of its own, for a weight that is read at every step.</summary>
    private static Matrix Transposed(Tape tape, Tensor w)
    {
        var transposed = tape.Scratch(w.Shape.With(-1, w.Shape[-2]).With(-2, w.Shape[-1]));
        Transpose(tape.Device, w, transposed);
        return Matrix.Batched(transposed);
    }

    /// <summary>y[.., j + to] (+)= x[.., j + from] for <paramref name="count"/> columns.</summary>
    private static void CopyColumns(this Device device, Tensor x, int from, Tensor y, int to, int count, bool accumulate = false)
    {
        int rows = x.Shape.Rows, xWidth = x.Shape[-1], yWidth = y.Shape[-1];
        device.CopyStrided(From(x, from), [0, 0, xWidth, 1], From(y, to), [0, 0, yWidth, 1], [1, 1, rows, count], accumulate);
    }
}
