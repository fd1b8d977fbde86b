using System.Runtime.CompilerServices;

namespace Marl.Native.Nn;

/// <summary>
/// Adam (Kingma and Ba 2015), in PyTorch's form; <see cref="WeightDecay"/> is an L2 penalty in the gradient:
/// <code>
/// g = g + decay p
/// m = beta1 m + (1 - beta1) g
/// v = beta2 v + (1 - beta2) g^2
/// p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
/// </code>
/// </summary>
public record Adam : UpdateRule
{
    /// <summary>How much of the mean of gradients is kept, in [0, 1).</summary>
    public double Beta1 { get; init => field = Decay(value); } = 0.9;

    /// <summary>How much of the mean of their squares is kept, in [0, 1).</summary>
    public double Beta2 { get; init => field = Decay(value); } = 0.999;

    /// <summary>Keeps small gradients from dividing by 0.</summary>
    public double Epsilon { get; init => field = NotNegative(value); } = 1e-8;

    /// <summary>How strongly parameters are drawn to 0.</summary>
    public double WeightDecay { get; init => field = NotNegative(value); }

    /// <summary>The original TensorFlow form, section 2 of the paper: p = p - lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v)
    /// + epsilon).</summary>
    public bool EpsilonHat { get; init; }

    /// <summary>Whether decay acts on the parameters by itself, p = p (1 - lr decay) before the step, instead of through the
    /// gradient.</summary>
    private protected virtual bool Decoupled => false;

    /// <inheritdoc/>
    protected internal override string[] Memories => ["exp_avg", "exp_avg_sq"];

    /// <inheritdoc/>
    protected internal override void Apply(Tensor p, Tensor g, ReadOnlySpan<Tensor> memories, long step, double learningRate, Tensor scale)
    {
        double size = learningRate / (1 - Math.Pow(Beta1, step)), correction = Math.Sqrt(1 - Math.Pow(Beta2, step));
        var update = new Update
        {
            Beta1 = (float)Beta1,
            Rest1 = (float)(1 - Beta1),
            Beta2 = (float)Beta2,
            Rest2 = (float)(1 - Beta2),
            Size = (float)(EpsilonHat ? size * correction : size),
            Correction = EpsilonHat ? 1f : (float)correction,
            Epsilon = (float)Epsilon,
            Penalty = Decoupled ? 0f : (float)WeightDecay,
            Keep = Decoupled ? (float)(1 - learningRate * WeightDecay) : 1f,
        };
        p.Device.Update(update, p, g, memories[0], memories[1], scale);
    }

    internal struct Update : IUpdate
    {
        public float Beta1, Rest1, Beta2, Rest2, Size, Correction, Epsilon, Penalty, Keep;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Step<T>(ref T p, T g, ref T m, ref T v) where T : struct, ILane<T>
        {
            g += T.Of(Penalty) * p;
            m = T.Of(Beta1) * m + T.Of(Rest1) * g;
            v = T.Of(Beta2) * v + T.Of(Rest2) * g * g;
            p = T.Of(Keep) * p - T.Of(Size) * m / (T.Sqrt(v) / T.Of(Correction) + T.Of(Epsilon));
        }
    }
}

/// <summary>AdamW (Loshchilov and Hutter 2019): <see cref="Adam"/> with p = p (1 - lr decay) before the step, instead of a
/// penalty in the gradient.</summary>
public sealed record AdamW : Adam
{
    /// <summary>AdamW with PyTorch's defaults.</summary>
    public AdamW() => WeightDecay = 1e-2;

    private protected override bool Decoupled => true;
}
