using System.Runtime.CompilerServices;

namespace Marl.Native.Nn;

/// <summary>
/// RMSprop (Hinton 2012; centered: Graves 2013), as in PyTorch with epsilon outside the root:
/// <code>
/// v = alpha v + (1 - alpha) g^2
/// a = alpha a + (1 - alpha) g     if centered, else a = 0
/// d = g / (sqrt(v - a^2) + epsilon)
/// p = p - lr d,   with momentum: b = momentum b + d,  p = p - lr b
/// </code>
/// </summary>
public sealed record RmsProp : UpdateRule
{
    /// <summary>Creates RMSprop with PyTorch's default learning rate.</summary>
    public RmsProp() => LearningRate = 1e-2;

    /// <summary>The decay factor of the averages, in [0, 1).</summary>
    public double Alpha { get; init => field = Decay(value); } = 0.99;

    /// <summary>The term added to the denominator for numerical stability.</summary>
    public double Epsilon { get; init => field = NonNegative(value); } = 1e-8;

    /// <summary>The momentum factor, in [0, 1).</summary>
    public double Momentum { get; init => field = Decay(value); }

    /// <summary>Whether to divide by the standard deviation instead of the root mean square.</summary>
    public bool Centered { get; init; }

    /// <inheritdoc/>
    protected internal override string[] StateNames => (Centered, Momentum > 0) switch
    {
        (false, false) => ["square_avg"],
        (false, true) => ["square_avg", "momentum_buffer"],
        (true, false) => ["square_avg", "grad_avg"],
        (true, true) => ["square_avg", "grad_avg", "momentum_buffer"],
    };

    /// <inheritdoc/>
    protected internal override void Apply(Tensor p, Tensor g, ReadOnlySpan<Tensor> state, long step, double learningRate, Tensor scale)
    {
        var v = state[0];
        var a = Centered ? state[1] : default;
        if (Momentum > 0)
        {
            // Two passes: the first adds d to the buffer, the second moves the parameters along the buffer.
            var b = state[^1];
            p.Device.Update(new ScaledStep(Momentum, 1, this), b, g, a, v, scale);
            p.Device.Update(new Descent((float)learningRate), p, g, b, default, scale);
        }
        else
        {
            p.Device.Update(new ScaledStep(1, -learningRate, this), p, g, a, v, scale);
        }
    }

    /// <summary>x = decay x + step d.</summary>
    internal readonly struct ScaledStep(double decay, double step, RmsProp rule) : IUpdate
    {
        private readonly float decay = (float)decay, step = (float)step, alpha = (float)rule.Alpha, oneMinusAlpha = (float)(1 - rule.Alpha),
            center = rule.Centered ? (float)(1 - rule.Alpha) : 0f, epsilon = (float)rule.Epsilon;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(ref T x, T g, ref T a, ref T v) where T : struct, ILane<T>
        {
            v = T.Of(alpha) * v + T.Of(oneMinusAlpha) * g * g;
            a = T.Of(alpha) * a + T.Of(center) * g;
            // Rounding may make the variance of equal gradients negative.
            var variance = v - a * a;
            variance = T.IfGreater(T.Zero, variance, T.Zero, variance);
            x = T.Of(decay) * x + T.Of(step) * g / (T.Sqrt(variance) + T.Of(epsilon));
        }
    }

    internal readonly struct Descent(float rate) : IUpdate
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(ref T p, T unused1, ref T b, ref T unused2) where T : struct, ILane<T> => p -= T.Of(rate) * b;
    }
}
