using System.Text.Json.Serialization;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The options of a mixer, which computes joint values from the agents' action values. A user-defined mixer is a record that derives from this type;
/// <see cref="Create"/> adds its parameters to a layout.
/// </summary>
/// <example>
/// Q_tot = sum_a Q_a + b with a trained bias b, for <c>new QmixOptions { Mixer = new BiasMixer() }</c>:
/// <code>
/// public sealed record BiasMixer : MixerOptions
/// {
///     public override IMixer Create(ParameterLayout layout, EnvironmentSpec spec) => new Module(layout.Add("b", new Shape(1), Initializers.Constant(0f)));
///
///     private sealed class Module(ParameterSlice b) : IMixer
///     {
///         public Var Forward(Weights w, in ActionValues q, Tensor state) => q.Chosen.Sum(-1).Reshape(q.Chosen.Shape.With(-1, 1)) + w[b];
///     }
/// }
/// </code>
/// </example>
[JsonPolymorphic(TypeDiscriminatorPropertyName = Parts.Discriminator)]
[JsonDerivedType(typeof(IndependentMixer), "none")]
[JsonDerivedType(typeof(VdnMixer), "vdn")]
[JsonDerivedType(typeof(VdnSMixer), "vdn-s")]
[JsonDerivedType(typeof(QmixMixer), "qmix")]
[JsonDerivedType(typeof(QplexMixer), "qplex")]
public abstract record MixerOptions
{
    /// <summary>Whether the mixer computes one joint value, M = 1, which requires a common reward; otherwise one per agent, M = N.</summary>
    public virtual bool IsJoint => true;

    /// <summary>Creates the mixer and adds its parameters to a layout.</summary>
    /// <param name="layout">The layout of the parameters.</param>
    /// <param name="spec">The specification of the environment.</param>
    public abstract IMixer Create(ParameterLayout layout, EnvironmentSpec spec);

    /// <summary>Checks the ranges of the options.</summary>
    /// <exception cref="UsageException">An option is out of range; the message names it and its range.</exception>
    public virtual void Validate()
    {
    }
}

/// <summary>A mixer, created by <see cref="MixerOptions"/>. A pure function of weights and inputs; an instance may be used by several threads.</summary>
public interface IMixer
{
    /// <summary>Computes joint values from the agents' action values.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="q">The action values and the action of each agent.</param>
    /// <param name="state">[T, B, S] The global state.</param>
    /// <returns>[T, B, M] The values: one joint value, M = 1, or one per agent, M = N.</returns>
    Var Forward(Weights w, in ActionValues q, Tensor state);
}

/// <summary>
/// The values of all actions of all agents, and one action of each agent. The value of an action with several branches is the mean of the values of its
/// choices, Q_a(u) = mean_k Q_ak(u_k), so the best action is the best choice of each branch (branching dueling Q-networks, Tavakoli et al. 2018).
/// </summary>
/// <param name="all">[T, B, N, A] The values of all choices.</param>
/// <param name="actions">[T, B, N], or [T, B, N, K] with K branches: the action of each agent.</param>
/// <param name="available">[T, B, N, A] 1 for available actions, else 0.</param>
public readonly struct ActionValues(Var all, Tensor actions, Tensor available)
{
    /// <summary>[T, B, N, A] Q_a(u), the values of all choices.</summary>
    public Var All => all;

    /// <summary>[T, B, N] or [T, B, N, K] u_a, the action of each agent.</summary>
    public Tensor Actions => actions;

    /// <summary>[T, B, N, A] 1 for available actions, else 0.</summary>
    public Tensor Available => available;

    /// <summary>[T, B, N] Q_a(u_a), the values of the actions.</summary>
    public Var Chosen { get; } = actions.Shape.Rank < all.Shape.Rank ? all.OfChoices(actions) : MeanOverBranches(all, actions, available);

    /// <summary>Computes max_u Q_a(u) over the available actions, [T, B, N]; of actions with one branch.</summary>
    public Var Max() => all.Gather(all.Tape.ArgMax(all.Value, available)).Reshape(actions.Shape);

    /// <summary>Computes the mean of the values over the branches that an agent has: those with an available choice.</summary>
    private static Var MeanOverBranches(Var all, Tensor actions, Tensor available)
    {
        var (tape, layout) = (all.Tape, new ActionLayout(actions.Shape[-1], all.Shape[-1] / actions.Shape[-1], 0));
        var present = tape.Constant(available.Branches(layout, tape)).Sum(-1).Clamp(0f, 1f);                          // [T, B, N K]
        var count = present.SumOverBranches(layout.Branches).Clamp(1f, layout.Branches);                             // [T, B, N]
        return (all.Branches(layout).OfChoices(actions) * present).SumOverBranches(layout.Branches) / count;
    }
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
        public Var Forward(Weights w, in ActionValues q, Tensor state) => q.Chosen.Sum(-1).Reshape(q.Chosen.Shape.With(-1, 1));
    }
}
