namespace Marl.Native;

public static partial class Ops
{
    /// <summary>sum((x - target)^2 mask) / sum(mask) for a mask of 0 and 1, a scalar; <paramref name="target"/> is constant.</summary>
    public static Var MaskedMeanSquare(this Var x, Tensor target, Tensor mask)
    {
        var m = x.Tape.Constant(mask);
        return ((x - target) * m).Square().Sum() / m.Sum();
    }

    /// <summary>The cross-entropy of logits x [.., K] and class labels [..]: logsumexp(x) - x[label] of each row, [..].</summary>
    /// <exception cref="ArgumentException">the labels have another shape; names both.</exception>
    public static Var CrossEntropy(this Var x, Tensor label)
        => label.Shape == x.Shape.Without(-1) ? -x.LogSoftmax().Gather(label.Reshape(label.Shape.Append(1))).Reshape(label.Shape)
        : throw new ArgumentException($"CrossEntropy: labels {label.Shape} for logits {x.Shape}; [..] and [.., K] are needed");

    /// <summary>The straight-through Gumbel-softmax (Jang et al. 2017): the one-hot arg max forwards, the gradient of
    /// softmax((logits + gumbel) / tau) backwards; or that softmax itself when not <paramref name="hard"/>.</summary>
    public static Var GumbelSoftmax(this Var logits, Tensor gumbel, float tau = 1f, bool hard = true, Tensor mask = default)
    {
        var soft = ((logits + gumbel) / tau).Softmax(mask);
        if (!hard)
        {
            return soft;
        }
        // one-hot - soft as a constant, plus soft.
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
