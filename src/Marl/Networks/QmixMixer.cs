using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A mixing network that is monotonic in every Q_a, whose weights are generated from the state by hypernetworks (QMIX, Rashid et al. 2018, section 4):
/// hidden = elu(|W_1(s)| q + b_1(s)), Q_tot = |w(s)| hidden + V(s).
/// </summary>
public sealed record QmixMixer : MixerOptions
{
    /// <summary>The width of the mixing network's hidden layer.</summary>
    public int Embed { get; init; } = 32;

    /// <summary>The number of layers of the hypernetworks of the weights, 1 or 2.</summary>
    public int HypernetLayers { get; init; } = 2;

    /// <summary>The width of the hidden layer of hypernetworks with two layers.</summary>
    public int HypernetEmbed { get; init; } = 64;

    /// <inheritdoc/>
    public override IMixer Create(ParameterLayout layout, EnvironmentSpec spec) => new Module(this, layout, spec.Agents.Length, spec.StateSize);

    /// <inheritdoc/>
    public override void Validate()
    {
        UsageException.RequireWidth(Embed);
        UsageException.Require(HypernetLayers is 1 or 2, HypernetLayers, "1 or 2");
        UsageException.RequireWidth(HypernetEmbed);
    }

    private sealed class Module : IMixer
    {
        private readonly HyperNetwork hyperW1, hyperWFinal;
        private readonly Linear hyperB1;
        private readonly Mlp v;

        public Module(QmixMixer options, ParameterLayout layout, int agents, int state)
        {
            int embed = options.HypernetLayers == 1 ? 0 : options.HypernetEmbed;
            hyperW1 = new HyperNetwork(layout.Scope("hyper_w_1"), state, agents * options.Embed, embed);
            hyperWFinal = new HyperNetwork(layout.Scope("hyper_w_final"), state, options.Embed, embed);
            hyperB1 = new Linear(layout.Scope("hyper_b_1"), state, options.Embed);
            v = new Mlp(layout.Scope("V"), [state, options.Embed, 1]);
        }

        public Var Forward(Weights w, in ActionValues q, Tensor state)
        {
            var s = w.Tape.Constant(state);
            var hidden = q.Chosen.MonotoneMix(hyperW1.Forward(w, s), hyperB1.Forward(w, s)).Elu();
            return hidden.MonotoneMix(hyperWFinal.Forward(w, s), v.Forward(w, s));
        }
    }
}
