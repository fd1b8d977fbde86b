namespace Marl.Native;

public static partial class Ops
{
    /// <summary>log softmax(x) along the last axis over the entries whose mask is not 0 (none: all). Unavailable entries are 0 and get no
    /// gradient: a mask, not a large negative number.</summary>
    /// <exception cref="ArgumentException">the mask has another shape.</exception>
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

    /// <summary>softmax(x) along the last axis over the available entries; 0 at the others.</summary>
    public static Var Softmax(this Var x, Tensor mask = default)
    {
        var p = x.LogSoftmax(mask).Exp();
        return mask.IsNone ? p : p * mask;
    }

    /// <summary>The entropy -sum_k p_k log p_k of log-probabilities from <see cref="LogSoftmax"/>, along the last axis, which is dropped.</summary>
    public static Var Entropy(this Var logProbability) => logProbability.Map(default(NegativePLogP)).Sum(-1);

    /// <summary>log sum_k e^x_k along the last axis, which is dropped.</summary>
    public static Var LogSumExp(this Var x)
    {
        // Shifting by the greatest keeps e^x finite; its own gradient cancels.
        var shift = x.Tape.Scratch(x.Shape.With(-1, 1));
        x.Tape.Device.Reduce(default(Max), x.Value, x.Shape.Rank - 1, shift);
        return (x - shift).Exp().Sum(-1).Log() + shift.Reshape(x.Shape.Without(-1));
    }

    private readonly struct LogSoftmaxOp : IOp
    {
        public void Backward(GradContext p) => p.Device.LogSoftmaxBackward(p.Y, p.Saved(0), p.DY, p.DX(0));

        public void Tangent(GradContext p) => p.Device.LogSoftmaxTangent(p.Y, p.Saved(0), p.DX(0), p.DY);
    }
}
