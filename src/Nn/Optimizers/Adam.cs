using System.Runtime.CompilerServices;

namespace Marl.Native.Nn;

/// <summary>
/// Adam (Kingma and Ba 2015), as in PyTorch. <see cref="WeightDecay"/> is an L2 penalty in the gradient:
/// <code>
/// g = g + decay p
/// m = beta1 m + (1 - beta1) g
/// v = beta2 v + (1 - beta2) g^2
/// p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
/// </code>
/// </summary>
/// <example>
/// <code>
/// var layout = new ParameterLayout();
/// var network = new Mlp(layout, [2, 8, 1]);
/// var parameters = new Parameters(layout).Initialize(new Rng(1));
/// var optimizer = new Optimizer(parameters, new Adam { LearningRate = 3e-4, Epsilon = 1e-5 });
/// </code>
/// </example>
public record Adam : UpdateRule
{
    /// <summary>The decay factor of the first moment, in [0, 1).</summary>
    public double Beta1 { get; init => field = Decay(value); } = 0.9;

    /// <summary>The decay factor of the second moment, in [0, 1).</summary>
    public double Beta2 { get; init => field = Decay(value); } = 0.999;

    /// <summary>The term added to the denominator for numerical stability.</summary>
    public double Epsilon { get; init => field = NonNegative(value); } = 1e-8;

    /// <summary>The coefficient of weight decay.</summary>
    public double WeightDecay { get; init => field = NonNegative(value); }

    /// <summary>
    /// Whether to use the variant at the end of section 2 of the paper, as TensorFlow does: p = p - lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) +
    /// epsilon).
    /// </summary>
    public bool EpsilonHat { get; init; }

    /// <summary>Whether weight decay acts on the parameters, p = p (1 - lr decay) before the step, instead of the gradient.</summary>
    private protected virtual bool Decoupled => false;

    /// <inheritdoc/>
    protected internal override string[] StateNames => ["exp_avg", "exp_avg_sq"];

    /// <inheritdoc/>
    protected internal override void Apply(Tensor p, Tensor g, ReadOnlySpan<Tensor> state, long step, double learningRate, Tensor scale)
    {
        double size = learningRate / (1 - Math.Pow(Beta1, step)), correction = Math.Sqrt(1 - Math.Pow(Beta2, step));
        var update = new Update
        {
            Beta1 = (float)Beta1,
            OneMinusBeta1 = (float)(1 - Beta1),
            Beta2 = (float)Beta2,
            OneMinusBeta2 = (float)(1 - Beta2),
            StepSize = (float)(EpsilonHat ? size * correction : size),
            Correction = EpsilonHat ? 1f : (float)correction,
            Epsilon = (float)Epsilon,
            L2 = Decoupled ? 0f : (float)WeightDecay,
            ParameterDecay = Decoupled ? (float)(1 - learningRate * WeightDecay) : 1f,
        };
        p.Device.Update(update, p, g, state[0], state[1], scale);
    }

    internal struct Update : IUpdate
    {
        public float Beta1, OneMinusBeta1, Beta2, OneMinusBeta2, StepSize, Correction, Epsilon, L2, ParameterDecay;

        /// <summary>The bias correction.</summary>
        public static bool VariesByStep => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Step<T>(ref T p, T g, ref T m, ref T v) where T : struct, ILane<T>
        {
            g += T.Of(L2) * p;
            m = T.Of(Beta1) * m + T.Of(OneMinusBeta1) * g;
            v = T.Of(Beta2) * v + T.Of(OneMinusBeta2) * g * g;
            p = T.Of(ParameterDecay) * p - T.Of(StepSize) * m / (T.Sqrt(v) / T.Of(Correction) + T.Of(Epsilon));
        }
    }
}

/// <summary>AdamW (Loshchilov and Hutter 2019): <see cref="Adam"/> with decoupled weight decay, p = p (1 - lr decay) before the step.</summary>
public sealed record AdamW : Adam
{
    /// <summary>Creates AdamW with PyTorch's default weight decay.</summary>
    public AdamW() => WeightDecay = 1e-2;

    private protected override bool Decoupled => true;
}
