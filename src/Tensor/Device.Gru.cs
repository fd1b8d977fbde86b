namespace Marl.Native;

/// <summary>The fused primitives of gated recurrent units.</summary>
public abstract partial class Device
{
    /// <summary>The biases of the pre-activations of a GRU: biasI = b_ih + (b_hr, b_hz, 0), biasN = b_hn.</summary>
    /// <param name="bIh">[3H] or [N, 3H] the input biases.</param>
    /// <param name="bHh">[3H] or [N, 3H] the recurrent biases.</param>
    /// <param name="biasI">The biases of the input's part, overwritten.</param>
    /// <param name="biasN">[H] or [N, H] the bias of the state's part of n, overwritten.</param>
    public virtual void GruBias(Tensor bIh, Tensor bHh, Tensor biasI, Tensor biasN)
    {
        int hidden = biasN.Shape.Columns, groups = biasN.Shape.Rows;
        Copy(bIh, biasI);
        CopyStrided(bHh, [0, 0, 3 * hidden, 1], biasI, [0, 0, 3 * hidden, 1], [1, 1, groups, 2 * hidden], accumulate: true);
        var n = new Tensor(bHh.Storage, bHh.Offset + 2 * hidden, new Shape(bHh.Count - 2 * hidden));
        CopyStrided(n, [0, 0, 3 * hidden, 1], biasN, [0, 0, hidden, 1], [1, 1, groups, hidden], accumulate: false);
    }

    /// <summary>
    /// The elementwise part of one GRU step (Cho et al. 2014, as in PyTorch): r = sigmoid(s_r), z = sigmoid(s_z), n = tanh(s_n + r m), y = (1 - z) n + z h.
    /// </summary>
    /// <param name="gates">[R, 4H] the pre-activations s_r = W_ir x + b_ir + W_hr h + b_hr, s_z likewise, s_n = W_in x + b_in, m = W_hn h + b_hn; overwritten
    /// with r, z, n, m, which the derivatives need.</param>
    /// <param name="h">[R, H] the previous state.</param>
    /// <param name="y">[R, H] the next state, overwritten.</param>
    public abstract void GruGates(Tensor gates, Tensor h, Tensor y);

    /// <summary>The gradient of <see cref="GruGates"/>, from dL/dy = dy + dh.</summary>
    /// <param name="gates">[R, 4H] r, z, n, m of the forward pass.</param>
    /// <param name="h">[R, H] the previous state.</param>
    /// <param name="dy">[R, H] the gradient of y from above.</param>
    /// <param name="d">[R, 4H] the gradients of the pre-activations s_r, s_z, s_n, m, overwritten.</param>
    /// <param name="dh">[R, H] the gradient of y through the next state; overwritten with z dL/dy, the direct part of the gradient of h.</param>
    public abstract void GruGatesBackward(Tensor gates, Tensor h, Tensor dy, Tensor d, Tensor dh);

    /// <summary>The tangent of <see cref="GruGates"/>.</summary>
    /// <param name="gates">[R, 4H] r, z, n, m of the forward pass.</param>
    /// <param name="h">[R, H] the previous state.</param>
    /// <param name="d">[R, 4H] the tangents of the pre-activations.</param>
    /// <param name="dh">[R, H] the tangent of h.</param>
    /// <param name="dy">[R, H] the tangent of y, overwritten.</param>
    public abstract void GruGatesTangent(Tensor gates, Tensor h, Tensor d, Tensor dh, Tensor dy);

    /// <summary>
    /// All steps of a GRU. In step t the previous state is h = continueMask[t] y[t - 1]; its products with the recurrent weights are added to the
    /// pre-activations s_r and s_z and give m = W_hn h + b_hn; then <see cref="GruGates"/> applies. The base implementation runs step by step; a device may
    /// fuse all steps into one kernel.
    /// </summary>
    /// <param name="gates">[T, .., 4H] the input's part of the pre-activations; overwritten with the gates.</param>
    /// <param name="h0">[.., H] the initial state.</param>
    /// <param name="continueMask">[T, ..] 0 where a sequence begins and 1 elsewhere, or none: 1 everywhere.</param>
    /// <param name="w">W_hh^T, H x 3H; with grouped weights one per group of the interleaved rows.</param>
    /// <param name="biasN">b_hn, [H] or [N, H].</param>
    /// <param name="y">[T, .., H] the states, overwritten.</param>
    /// <param name="scratch">[.., H] working memory.</param>
    public virtual void GruSteps(Tensor gates, Tensor h0, Tensor continueMask, Matrix w, Tensor biasN, Tensor y, Tensor scratch)
    {
        int hidden = w.M;
        for (int t = 0; t < gates.Shape[0]; t++)
        {
            var h = t == 0 ? h0 : y[t - 1];
            if (!continueMask.IsNone)
            {
                MaskRows(h, continueMask[t], scratch);
                h = scratch;
            }
            var sums = GruRows(gates[t], w);
            Gemm(GruRows(h, w), w.SliceColumns(0, 2 * hidden), sums.SliceColumns(0, 2 * hidden), accumulate: true);
            Gemm(GruRows(h, w), w.SliceColumns(2 * hidden, hidden), sums.SliceColumns(3 * hidden, hidden), bias: biasN);
            GruGates(gates[t], h, y[t]);
        }
    }

    /// <summary>
    /// The gradient of <see cref="GruSteps"/>: from the gradient of y and the gradient dh of the last state to those of all pre-activations and of the initial
    /// state.
    /// </summary>
    /// <param name="gates">[T, .., 4H] the gates of the forward pass.</param>
    /// <param name="h0">[.., H] the initial state.</param>
    /// <param name="continueMask">[T, ..] the mask of the forward pass, or none.</param>
    /// <param name="w">W_hh, 3H x H; with grouped weights one per group.</param>
    /// <param name="y">[T, .., H] the states.</param>
    /// <param name="dy">[T, .., H] their gradient from above.</param>
    /// <param name="d">[T, .., 4H] the gradients of the pre-activations, overwritten.</param>
    /// <param name="previous">[T, .., H] the previous state h of each step, overwritten.</param>
    /// <param name="dh">[.., H] the gradient of the last state through later steps; overwritten with that of the initial state.</param>
    public virtual void GruStepsBackward(Tensor gates, Tensor h0, Tensor continueMask, Matrix w, Tensor y, Tensor dy, Tensor d, Tensor previous, Tensor dh)
    {
        int hidden = w.N;
        for (int t = gates.Shape[0] - 1; t >= 0; t--)
        {
            Tensor h = previous[t], last = t == 0 ? h0 : y[t - 1];
            if (continueMask.IsNone)
            {
                Copy(last, h);
            }
            else
            {
                MaskRows(last, continueMask[t], h);
            }
            GruGatesBackward(gates[t], h, dy[t], d[t], dh);
            var sums = GruRows(d[t], w);
            Gemm(sums.SliceColumns(0, 2 * hidden), w.SliceRows(0, 2 * hidden), GruRows(dh, w), accumulate: true);
            Gemm(sums.SliceColumns(3 * hidden, hidden), w.SliceRows(2 * hidden, hidden), GruRows(dh, w), accumulate: true);
            if (!continueMask.IsNone)
            {
                MaskRows(dh, continueMask[t], dh);
            }
        }
    }

    /// <summary>The rows of x as one matrix, or with grouped weights as one matrix per group.</summary>
    private static Matrix GruRows(Tensor x, Matrix w) => w.Batch > 1 ? Matrix.Interleaved(x) : Matrix.Of(x);

    /// <summary>y[row, ..] = mask[row] h[row, ..]</summary>
    private void MaskRows(Tensor h, Tensor mask, Tensor y)
    {
        int rows = h.Shape.Rows, columns = h.Shape[-1];
        Zip(default(Multiply), h.Reshape(rows, columns), mask.Reshape(rows, 1), y.Reshape(rows, columns));
    }
}
