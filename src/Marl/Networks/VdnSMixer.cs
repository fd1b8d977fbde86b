using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Q_tot = sum_a Q_a + V(s): value decomposition networks with a state-dependent bias, "VDN-S" (Rashid et al. 2018, section 6, ablations). V has one hidden
/// layer with ReLU, as in QMIX. The greedy actions are those of the agents, as with VDN.
/// </summary>
public sealed record VdnSMixer : MixerOptions
{
    /// <summary>The width of V's hidden layer.</summary>
    public int Embed { get; init; } = 32;

    /// <inheritdoc/>
    public override IMixer Create(ParameterLayout layout, EnvironmentSpec spec) => new Module(new Mlp(layout.Scope("V"), [spec.StateSize, Embed, 1]));

    /// <inheritdoc/>
    public override void Validate() => UsageException.RequireWidth(Embed);

    private sealed class Module(Mlp v) : IMixer
    {
        public Var Forward(Weights w, in ActionValues q, Tensor state)
            => q.Chosen.Sum(-1).Reshape(q.Chosen.Shape.With(-1, 1)) + v.Forward(w, w.Tape.Constant(state));
    }
}
