using System.Runtime.CompilerServices;

namespace Marl.Native.Nn;

/// <summary>
/// Stochastic gradient descent with optional momentum (Sutskever et al. 2013, as in PyTorch):
/// <code>
/// b = momentum b + g
/// p = p - lr b,   with Nesterov momentum: p = p - lr (g + momentum b)
/// </code>
/// </summary>
public sealed record Sgd : UpdateRule
{
    /// <summary>The momentum factor, in [0, 1).</summary>
    public double Momentum { get; init => field = Decay(value); }

    /// <summary>Whether to use Nesterov momentum.</summary>
    public bool Nesterov { get; init; }

    /// <inheritdoc/>
    protected internal override string[] StateNames => Momentum > 0 ? ["momentum_buffer"] : [];

    /// <inheritdoc/>
    protected internal override void Apply(Tensor p, Tensor g, ReadOnlySpan<Tensor> state, long step, double learningRate, Tensor scale)
    {
        // Without momentum b = g, and no state is stored.
        var update = new Update((float)learningRate, (float)Momentum, Nesterov ? 1f : 0f, Nesterov ? (float)Momentum : 1f);
        p.Device.Update(update, p, g, state.IsEmpty ? default : state[0], default, scale);
    }

    internal readonly struct Update(float rate, float momentum, float gradientPart, float momentumPart) : IUpdate
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(ref T p, T g, ref T b, ref T unused) where T : struct, ILane<T>
        {
            b = T.Of(momentum) * b + g;
            p -= T.Of(rate) * (T.Of(gradientPart) * g + T.Of(momentumPart) * b);
        }
    }
}
