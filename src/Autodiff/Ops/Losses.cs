namespace Marl.Native;

public static partial class Ops
{
    /// <summary>sum((x - target)^2 mask) / sum(mask) for a mask of 0 and 1: a scalar. <paramref name="target"/> is constant.</summary>
    public static Var MaskedMeanSquare(this Var x, Tensor target, Tensor mask)
    {
        var m = x.Tape.Constant(mask);
        return ((x - target) * m).Square().Sum() / m.Sum();
    }

    /// <summary>The cross-entropy of logits x [.., K] and class labels [..]: logsumexp(x) - x[label] of each row, [..].</summary>
    /// <param name="x">[.., K] the logits.</param>
    /// <param name="label">[..] the classes, integers stored as floats.</param>
    /// <exception cref="ArgumentException">The labels have another shape.</exception>
    public static Var CrossEntropy(this Var x, Tensor label)
        => label.Shape == x.Shape.Without(-1) ? -x.LogSoftmax().Gather(label.Reshape(label.Shape.Append(1))).Reshape(label.Shape)
        : throw new ArgumentException($"CrossEntropy: labels {label.Shape} for logits {x.Shape}; expected [..] and [.., K]");

    /// <summary>
    /// The straight-through Gumbel-softmax estimator (Jang et al. 2017). Forward: the one-hot arg max. Backward: the gradient of softmax((logits + gumbel) /
    /// tau).
    /// </summary>
    /// <param name="logits">[.., K] the logits.</param>
    /// <param name="gumbel">[.., K] Gumbel noise.</param>
    /// <param name="tau">The temperature.</param>
    /// <param name="hard">Whether to return the one-hot arg max; otherwise the softmax.</param>
    /// <param name="mask">[.., K] 0 for classes that cannot be chosen; none: all can.</param>
    public static Var GumbelSoftmax(this Var logits, Tensor gumbel, float tau = 1f, bool hard = true, Tensor mask = default)
    {
        var soft = ((logits + gumbel) / tau).Softmax(mask);
        if (!hard)
        {
            return soft;
        }
        // soft plus the constant (one-hot - soft).
        var tape = logits.Tape;
        var rest = tape.Scratch(soft.Shape);
        tape.Device.Map(new Affine(-1f, 0f), soft.Value, rest);
        var index = tape.ArgMax(soft.Value, mask);
        var one = tape.Scratch(index.Shape);
        tape.Device.Fill(one, 1f);
        tape.Device.ScatterAdd(one, index, rest);
        return soft + rest;
    }

    /// <summary>(x - mean) / sqrt(variance + eps) over the last axis, times weight, plus bias (Ba et al. 2016).</summary>
    public static Var LayerNorm(this Var x, Var weight, Var bias, float eps = 1e-5f)
    {
        var row = x.Shape.With(-1, 1);
        var centered = x - x.Mean(-1).Reshape(row);
        return centered / (centered.Square().Mean(-1) + eps).Sqrt().Reshape(row) * weight + bias;
    }
}
