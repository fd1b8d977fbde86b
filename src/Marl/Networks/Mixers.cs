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
public sealed record NoMixer : MixerOptions, IMixer
{
    /// <inheritdoc/>
    public override bool IsJoint => false;

    /// <inheritdoc/>
    public override IMixer Create(ParameterLayout layout, EnvironmentSpec spec) => this;

    /// <inheritdoc/>
    public Var Forward(Weights w, in ActionValues q, Tensor state) => q.Chosen;
}

/// <summary>Q_tot = sum_a Q_a: value decomposition networks (Sunehag et al. 2018, equation 1).</summary>
public sealed record VdnMixer : MixerOptions, IMixer
{
    /// <inheritdoc/>
    public override IMixer Create(ParameterLayout layout, EnvironmentSpec spec) => this;

    /// <inheritdoc/>
    public Var Forward(Weights w, in ActionValues q, Tensor state) => q.Chosen.Sum(-1).Reshape(q.Actions.Shape.With(-1, 1));
}
