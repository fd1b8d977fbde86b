using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A mixing network without any restriction, Q*(s, u) = net(s, Q_1(u_1), .., Q_n(u_n)) + V(s): the central value of weighted QMIX (Rashid et al. 2020,
/// section 5). Its greedy joint action is not the agents' own greedy actions, so nobody can act by it.
/// </summary>
public sealed class CentralMixer : IMixer
{
    private readonly Mlp net, v;

    /// <summary>Adds its parameters to <paramref name="layout"/>.</summary>
    /// <param name="layout">where to.</param>
    /// <param name="agents">N</param>
    /// <param name="stateSize">S</param>
    /// <param name="embed">width of the hidden layers, three of net and one of V.</param>
    public CentralMixer(ParameterLayout layout, int agents, int stateSize, int embed)
    {
        net = new Mlp(layout.Scope("net"), [stateSize + agents, embed, embed, embed, 1]);
        v = new Mlp(layout.Scope("V"), [stateSize, embed, 1]);
    }

    /// <inheritdoc/>
    public Var Forward(Weights w, in ActionValues q, Tensor state)
    {
        var s = w.Tape.Constant(state);
        return net.Forward(w, Ops.Concat(-1, s, q.Chosen)) + v.Forward(w, s);
    }
}
