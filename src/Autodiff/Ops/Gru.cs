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
    /// Weights are shared by all rows, or belong to the N copies (agents) of the rows when they have an axis [N] in front.
    /// </summary>
    /// <param name="x">[T, B, I], or [T, B, N, I]</param>
    /// <param name="h0">the state before, [B, H] or [B, N, H]</param>
    /// <param name="wIh">[3H, I], or [N, 3H, I]</param>
    /// <param name="wHh">[3H, H], or [N, 3H, H]</param>
    /// <param name="bIh">[3H], or [N, 3H]</param>
    /// <param name="bHh">[3H], or [N, 3H]</param>
    /// <param name="keep">[T, B] or [T, B, N]: 0 where an episode begins, 1 elsewhere; none: 1 everywhere.</param>
    /// <returns>y [T, .., H]; the last state is y[T-1].</returns>
    /// <exception cref="ArgumentException">the shapes do not fit; names them.</exception>
    public static Var Gru(this Var x, Var h0, Var wIh, Var wHh, Var bIh, Var bHh, Tensor keep = default)
    {
        var tape = x.Tape;
        bool copies = wIh.Shape.Rank == 3;
        int hidden = wHh.Shape[-1], gates = 3 * hidden, steps = x.Shape[0], rows = x.Shape.Rows / Math.Max(1, steps);
        var state = x.Shape.With(-1, hidden).Without(0);
        bool fits = h0.Shape == state && wIh.Shape[-1] == x.Shape[-1] && wIh.Shape[-2] == gates && wHh.Shape[-2] == gates
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
        var saved = tape.Scratch(x.Shape.With(-1, 4 * hidden));
        var before = tape.Scratch(y.Shape);
        var gi = tape.Scratch(x.Shape.With(-1, gates));
        var gh = tape.Scratch(state.With(-1, gates));
        tape.Device.Gemm(Rows(x.Value, copies), Weight(wIh.Value, copies).T, Rows(gi, copies), bias: bIh.Value);
        for (int t = 0; t < steps; t++)
        {
            var h = before[t];
            Kept(tape.Device, t == 0 ? h0.Value : y[t - 1], keep, t, h);
            tape.Device.Gemm(Rows(h, copies), Weight(wHh.Value, copies).T, Rows(gh, copies), bias: bHh.Value);
            tape.Device.GruGates(gi[t], gh, h, y[t], saved[t]);
        }
        return tape.Record(default(GruOp), y, [x, h0, wIh, wHh, bIh, bHh], [saved, before, keep]);
    }

    /// <summary>kept = keep[t] h, row by row.</summary>
    private static void Kept(Device device, Tensor h, Tensor keep, int t, Tensor kept)
    {
        if (keep.IsNone)
        {
            device.Copy(h, kept);
        }
        else
        {
            int rows = h.Shape.Rows, columns = h.Shape[-1];
            device.Zip(default(Multiply), h.Reshape(rows, columns), keep[t].Reshape(rows, 1), kept.Reshape(rows, columns));
        }
    }

    private readonly struct GruOp : IOp
    {
        public void Backward(Pass p)
        {
            var (x, wIh, wHh) = (p.X(0), p.X(2), p.X(3));
            var (saved, before, keep) = (p.Saved(0), p.Saved(1), p.Saved(2));
            bool copies = wIh.Shape.Rank == 3;
            var state = before[0].Shape;
            int hidden = state[-1], steps = x.Shape[0];
            var dgi = p.Scratch(x.Shape.With(-1, 3 * hidden));
            var dgh = p.Scratch(dgi.Shape);
            var dyT = p.Scratch(state);
            var dh = p.Zeros(state);
            for (int t = steps - 1; t >= 0; t--)
            {
                // dL/dy[t] from above, plus what came back through the state; then through the gates and W_hh to the state before.
                p.Device.Zip(default(Add), p.DY[t], dh, dyT);
                p.Device.GruGatesBackward(saved[t], before[t], dyT, dgi[t], dgh[t], dh);
                p.Device.Gemm(Rows(dgh[t], copies), Weight(wHh, copies), Rows(dh, copies), accumulate: true);
                if (!keep.IsNone)
                {
                    Kept(p.Device, dh, keep, t, dh);
                }
            }
            Accumulate(p, 1, dh);
            Product(p, 0, Rows(dgi, copies), Weight(wIh, copies));
            Product(p, 2, Rows(dgi, copies).T, Rows(x, copies));
            Product(p, 3, Rows(dgh, copies).T, Rows(before, copies));
            BiasProduct(p, 4, dgi);
            BiasProduct(p, 5, dgh);

            static void Product(Pass p, int input, Matrix a, Matrix b)
            {
                var d = p.DX(input);
                if (!d.IsNone)
                {
                    bool copies = p.X(2).Shape.Rank == 3;
                    p.Device.Gemm(a, b, input == 0 ? Rows(d, copies) : Weight(d, copies), accumulate: true);
                }
            }

            static void BiasProduct(Pass p, int input, Tensor d)
            {
                if (!p.DX(input).IsNone)
                {
                    BiasGradient(p.Device, d, p.DX(input));
                }
            }

            static void Accumulate(Pass p, int input, Tensor d)
            {
                if (!p.DX(input).IsNone)
                {
                    p.Device.Zip(default(Add), p.DX(input), d, p.DX(input));
                }
            }
        }

        public void Tangent(Pass p)
        {
            var (x, wIh, wHh) = (p.X(0), p.X(2), p.X(3));
            var (saved, before, keep) = (p.Saved(0), p.Saved(1), p.Saved(2));
            bool copies = wIh.Shape.Rank == 3;
            var state = before[0].Shape;
            int hidden = state[-1], steps = x.Shape[0];
            var dgi = p.Zeros(x.Shape.With(-1, 3 * hidden));
            var dgh = p.Scratch(state.With(-1, 3 * hidden));
            var dh = p.Zeros(state);
            if (!p.DX(1).IsNone)
            {
                p.Device.Copy(p.DX(1), dh);
            }
            Product(p, Rows(p.X(0), copies), 2, dgi);
            if (!p.DX(0).IsNone)
            {
                p.Device.Gemm(Rows(p.DX(0), copies), Weight(wIh, copies).T, Rows(dgi, copies), accumulate: true);
            }
            Bias(p, 4, dgi);
            for (int t = 0; t < steps; t++)
            {
                if (!keep.IsNone)
                {
                    Kept(p.Device, dh, keep, t, dh);
                }
                p.Device.Gemm(Rows(dh, copies), Weight(wHh, copies).T, Rows(dgh, copies));
                Product(p, Rows(before[t], copies), 3, dgh);
                Bias(p, 5, dgh);
                p.Device.GruGatesTangent(saved[t], before[t], dgi[t], dgh, dh, p.DY[t]);
                p.Device.Copy(p.DY[t], dh);
            }

            static void Product(Pass p, Matrix rows, int weight, Tensor d)
            {
                if (!p.DX(weight).IsNone)
                {
                    bool copies = p.X(2).Shape.Rank == 3;
                    p.Device.Gemm(rows, Weight(p.DX(weight), copies).T, Rows(d, copies), accumulate: true);
                }
            }

            static void Bias(Pass p, int bias, Tensor d)
            {
                var db = p.DX(bias);
                if (!db.IsNone)
                {
                    var rows = d.Reshape(d.Count / db.Count, db.Count);
                    p.Device.Zip(default(Add), rows, db.Reshape(1, db.Count), rows);
                }
            }
        }
    }
}
