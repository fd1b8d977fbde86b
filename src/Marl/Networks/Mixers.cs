using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>From the values of the agents' own actions to the values that the loss compares with returns.</summary>
public interface IMixer
{
    /// <summary>Mixes.</summary>
    /// <param name="w">weights.</param>
    /// <param name="q">what the agents say of their actions, and what they did.</param>
    /// <param name="state">[T, B, S] the global state.</param>
    /// <returns>[T, B, M]: M = N values, one each, or M = 1 value for all.</returns>
    Var Forward(Weights w, in ActionValues q, Tensor state);
}

/// <summary>The agents' values of all their actions, and one action of each.</summary>
/// <param name="all">[T, B, N, A]</param>
/// <param name="actions">[T, B, N] the action of each agent.</param>
/// <param name="available">[T, B, N, A], 1 where available.</param>
public readonly struct ActionValues(Var all, Tensor actions, Tensor available)
{
    /// <summary>Q_a(u) [T, B, N, A]</summary>
    public Var All => all;

    /// <summary>u_a [T, B, N]</summary>
    public Tensor Actions => actions;

    /// <summary>[T, B, N, A], 1 where available.</summary>
    public Tensor Available => available;

    /// <summary>Q_a(u_a) [T, B, N]: of the actions that were chosen.</summary>
    public Var Chosen { get; } = all.Gather(Columns(actions)).Reshape(actions.Shape);

    /// <summary>max_u Q_a(u) [T, B, N] over the available actions.</summary>
    public Var Greatest() => all.Gather(all.Tape.ArgMax(all.Value, available)).Reshape(actions.Shape);

    /// <summary>[T, B, N] as indices into a last axis, [T, B, N, 1].</summary>
    private static Tensor Columns(Tensor actions) => actions.Reshape(actions.Shape.Append(1));
}

/// <summary>Every agent for itself: independent Q-learning (Tan 1993; Tampuu et al. 2017).</summary>
public sealed class IndependentMixer : IMixer
{
    /// <inheritdoc/>
    public Var Forward(Weights w, in ActionValues q, Tensor state) => q.Chosen;
}

/// <summary>Q_tot = sum_a Q_a: value decomposition networks (Sunehag et al. 2018, equation 1).</summary>
public sealed class VdnMixer : IMixer
{
    /// <inheritdoc/>
    public Var Forward(Weights w, in ActionValues q, Tensor state) => q.Chosen.Sum(-1).Reshape(q.Actions.Shape.With(-1, 1));
}

/// <summary>
/// A mixing network that grows with every Q_a, its weights made from the state by hypernetworks (QMIX, Rashid et al. 2018, section 4):
/// hidden = elu(|W_1(s)| q + b_1(s)), Q_tot = |w(s)| hidden + V(s).
/// </summary>
public sealed class QmixMixer : IMixer
{
    private readonly HyperNetwork hyperW1, hyperWFinal;
    private readonly Linear hyperB1;
    private readonly Mlp v;

    /// <summary>Adds its parameters to <paramref name="layout"/>.</summary>
    public QmixMixer(ParameterLayout layout, int agents, int stateSize, QmixOptions options)
    {
        int embed = options.HypernetLayers switch
        {
            1 => 0,
            2 => options.HypernetEmbed,
            _ => throw new UsageException($"hypernetLayers is 1 or 2, not {options.HypernetLayers}"),
        };
        hyperW1 = new HyperNetwork(layout.Scope("hyper_w_1"), stateSize, agents * options.Embed, embed);
        hyperWFinal = new HyperNetwork(layout.Scope("hyper_w_final"), stateSize, options.Embed, embed);
        hyperB1 = new Linear(layout.Scope("hyper_b_1"), stateSize, options.Embed);
        v = new Mlp(layout.Scope("V"), [stateSize, options.Embed, 1]);
    }

    /// <inheritdoc/>
    public Var Forward(Weights w, in ActionValues q, Tensor state)
    {
        var s = w.Tape.Constant(state);
        var hidden = q.Chosen.MonotoneMix(hyperW1.Forward(w, s), hyperB1.Forward(w, s)).Elu();
        return hidden.MonotoneMix(hyperWFinal.Forward(w, s), v.Forward(w, s));
    }
}

/// <summary>Sizes of QMIX's mixing network.</summary>
public sealed record QmixOptions
{
    /// <summary>Width of the mixing network's hidden layer.</summary>
    public int Embed { get; init; } = 32;

    /// <summary>Depth of the hypernetworks of the weights, 1 or 2.</summary>
    public int HypernetLayers { get; init; } = 2;

    /// <summary>Width of their hidden layer at depth 2.</summary>
    public int HypernetEmbed { get; init; } = 64;
}
