using System.Runtime.CompilerServices;

namespace Marl.Native.Nn;

/// <summary>
/// Stochastic gradient descent, by default without momentum (Sutskever et al. 2013, in PyTorch's form):
/// <code>
/// b = momentum b + g
/// p = p - lr b,   with Nesterov's momentum p = p - lr (g + momentum b)
/// </code>
/// </summary>
public sealed record Sgd : UpdateRule
{
    /// <summary>How much of the last step's direction is kept, in [0, 1).</summary>
    public double Momentum { get; init => field = Decay(value); }

    /// <summary>Whether to look one step of momentum ahead.</summary>
    public bool Nesterov { get; init; }

    /// <inheritdoc/>
    protected internal override string[] Memories => Momentum > 0 ? ["momentum_buffer"] : [];

    /// <inheritdoc/>
    protected internal override void Apply(Tensor p, Tensor g, ReadOnlySpan<Tensor> memories, long step, double learningRate, Tensor scale)
    {
        // Without momentum b is g, and is forgotten.
        var update = new Update((float)learningRate, (float)Momentum, Nesterov ? 1f : 0f, Nesterov ? (float)Momentum : 1f);
        p.Device.Update(update, p, g, memories.IsEmpty ? default : memories[0], default, scale);
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
