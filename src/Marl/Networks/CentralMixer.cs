using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A mixing network without constraints, Q*(s, u) = net(s, Q_1(u_1), .., Q_n(u_n)) + V(s): the central value of weighted QMIX (Rashid et al. 2020,
/// section 5). Its greedy joint action is not the joint action of the agents' greedy actions, so agents cannot act on it.
/// </summary>
internal sealed record CentralMixer : MixerOptions
{
    /// <summary>The width of the hidden layers: three of net and one of V.</summary>
    public int Embed { get; init; } = 256;

    /// <inheritdoc/>
    public override IMixer Create(ParameterLayout layout, EnvironmentSpec spec) => new Module(layout, spec.Agents.Length, spec.StateSize, Embed);

    /// <inheritdoc/>
    public override void Validate() => UsageException.RequireWidth(Embed);

    private sealed class Module(ParameterLayout layout, int agents, int state, int embed) : IMixer
    {
        private readonly Mlp net = new(layout.Scope("net"), [state + agents, embed, embed, embed, 1]);
        private readonly Mlp v = new(layout.Scope("V"), [state, embed, 1]);

        public Var Forward(Weights w, in ActionValues q, Tensor state)
        {
            var s = w.Tape.Constant(state);
            return net.Forward(w, Ops.Concat(-1, s, q.Chosen)) + v.Forward(w, s);
        }
    }
}
