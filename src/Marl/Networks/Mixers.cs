using System.Text.Json.Serialization;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// How the agents' action values become the values that the loss compares with returns. A mixer of one's own is a record derived from this one, whose
/// <see cref="Create"/> adds its parameters to a layout.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = Parts.Discriminator)]
[JsonDerivedType(typeof(IndependentMixer), "none")]
[JsonDerivedType(typeof(VdnMixer), "vdn")]
[JsonDerivedType(typeof(VdnSMixer), "vdn-s")]
[JsonDerivedType(typeof(QmixMixer), "qmix")]
[JsonDerivedType(typeof(QplexMixer), "qplex")]
public abstract record MixerOptions
{
    /// <summary>Whether the agents have one value together, M = 1, which needs a common reward.</summary>
    public virtual bool IsJoint => true;

    /// <summary>Adds the parameters of the mixer to a layout.</summary>
    /// <param name="layout">the parameters.</param>
    /// <param name="spec">the environment.</param>
    public abstract IMixer Create(ParameterLayout layout, EnvironmentSpec spec);

    /// <summary>Refuses sizes that cannot be.</summary>
    /// <exception cref="UsageException">names the option and its range.</exception>
    public virtual void Validate()
    {
    }
}

/// <summary>The mixer that a <see cref="MixerOptions"/> creates. A pure function of weights and input; one instance may be used by several threads.</summary>
public interface IMixer
{
    /// <summary>Mixes.</summary>
    /// <param name="w">weights.</param>
    /// <param name="q">the agents' action values, and an action of each.</param>
    /// <param name="state">[T, B, S] the global state.</param>
    /// <returns>[T, B, M]: one value for each agent, M = N, or one for all, M = 1.</returns>
    Var Forward(Weights w, in ActionValues q, Tensor state);
}

/// <summary>The agents' values of all their actions, and an action of each.</summary>
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

    /// <summary>Q_a(u_a) [T, B, N] of the given actions.</summary>
    public Var Chosen { get; } = all.Gather(actions.Reshape(actions.Shape.Append(1))).Reshape(actions.Shape);

    /// <summary>max_u Q_a(u) [T, B, N] over the available actions.</summary>
    public Var Max() => all.Gather(all.Tape.ArgMax(all.Value, available)).Reshape(actions.Shape);
}

/// <summary>No mixing, M = N: independent Q-learning (Tan 1993; Tampuu et al. 2017).</summary>
public sealed record IndependentMixer : MixerOptions
{
    /// <inheritdoc/>
    public override bool IsJoint => false;

    /// <inheritdoc/>
    public override IMixer Create(ParameterLayout layout, EnvironmentSpec spec) => new Module();

    private sealed class Module : IMixer
    {
        public Var Forward(Weights w, in ActionValues q, Tensor state) => q.Chosen;
    }
}

/// <summary>Q_tot = sum_a Q_a: value decomposition networks (Sunehag et al. 2018, equation 1).</summary>
public sealed record VdnMixer : MixerOptions
{
    /// <inheritdoc/>
    public override IMixer Create(ParameterLayout layout, EnvironmentSpec spec) => new Module();

    private sealed class Module : IMixer
    {
        public Var Forward(Weights w, in ActionValues q, Tensor state) => q.Chosen.Sum(-1).Reshape(q.Actions.Shape.With(-1, 1));
    }
}
