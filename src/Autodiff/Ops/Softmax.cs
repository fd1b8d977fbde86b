namespace Marl.Native;

public static partial class Ops
{
    /// <summary>log softmax(x) along the last axis. Masked entries are excluded: they are 0 and get no gradient, unlike a large negative logit.</summary>
    /// <param name="x">The logits.</param>
    /// <param name="mask">The mask, of the shape of x: entries with 0 are excluded; none: all entries count.</param>
    /// <exception cref="ArgumentException">The mask has another shape.</exception>
    public static Var LogSoftmax(this Var x, Tensor mask = default)
    {
        if (!mask.IsNone && mask.Shape != x.Shape)
        {
            throw new ArgumentException($"LogSoftmax: mask {mask.Shape} for {x.Shape}");
        }
        var y = x.Tape.Allocate(x.Shape);
        x.Tape.Device.LogSoftmax(x.Value, mask, y);
        return x.Tape.Record(default(LogSoftmaxOp), y, [x], [mask]);
    }

    /// <summary>softmax(x) along the last axis over the unmasked entries; masked entries are 0.</summary>
    public static Var Softmax(this Var x, Tensor mask = default)
    {
        var p = x.LogSoftmax(mask).Exp();
        return mask.IsNone ? p : p * mask;
    }

    /// <summary>The entropy -sum_k p_k log p_k of log-probabilities from <see cref="LogSoftmax"/> along the last axis, which is removed.</summary>
    public static Var Entropy(this Var logProbability) => logProbability.Map(default(NegativePLogP)).Sum(-1);

    /// <summary>log sum_k e^x_k along the last axis, which is removed.</summary>
    public static Var LogSumExp(this Var x)
    {
        // Subtracting the maximum keeps e^x finite; its gradient cancels.
        var shift = x.Tape.Scratch(x.Shape.With(-1, 1));
        x.Tape.Device.Reduce(default(Max), x.Value, x.Shape.Rank - 1, shift);
        return (x - shift).Exp().Sum(-1).Log() + shift.Reshape(x.Shape.Without(-1));
    }

    private readonly struct LogSoftmaxOp : IOp
    {
        public void Backward(GradContext context) => context.Device.LogSoftmaxBackward(context.Y, context.Saved(0), context.DY, context.DX(0));

        public void Tangent(GradContext context) => context.Device.LogSoftmaxTangent(context.Y, context.Saved(0), context.DX(0), context.DY);
    }
}
