using System.ComponentModel;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>Pareto actor-critic (Christianos et al. 2023), which learns Pareto-optimal equilibria of no-conflict games. The entropy coefficient is annealed
/// from <see cref="EntropyCoefficientStart"/> to <see cref="OnPolicyOptions.EntropyCoefficient"/>.</summary>
[Description("Pareto actor-critic, for Pareto-optimal equilibria (Christianos et al. 2023)")]
public sealed record ParetoAcOptions : OnPolicyOptions
{
    /// <summary>Initializes the defaults: EPyMARL's for the matrix games of the paper, with standardized returns, because the critic learns returns in the
    /// hundreds too slowly.</summary>
    public ParetoAcOptions()
        => (Agent, ShareParameters, AgentId, NStep, StandardizeRewards, StandardizeReturns) = (new MlpNetwork(), false, false, 10, false, true);

    /// <summary>Entropy coefficient at the start of training.</summary>
    public float EntropyCoefficientStart { get; init; } = 20f;

    /// <summary>Fraction of the training steps over which the entropy coefficient is annealed linearly to entropyCoefficient, in [0, 1].</summary>
    public float EntropyAnnealFraction { get; init; } = 0.5f;

    /// <summary>Whether the input of a critic of action values that agents share has the agent's index. Without it, as in EPyMARL, its values are the same for
    /// all agents.</summary>
    public bool CriticAgentId { get; init; } = true;

    /// <summary>Returns the schedule of the entropy coefficient in a training of <paramref name="steps"/> environment steps.</summary>
    internal Schedule EntropyOver(long steps) => Schedule.Linear(EntropyCoefficientStart, EntropyCoefficient, (long)(EntropyAnnealFraction * (double)steps));

    /// <inheritdoc/>
    public override PolicyObjective Create(LearningContext context) => new ParetoActorCritic(this, context);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.Require(EntropyCoefficientStart >= 0, EntropyCoefficientStart, "at least 0");
        UsageException.Require(EntropyAnnealFraction is >= 0 and <= 1, EntropyAnnealFraction, "in 0 .. 1");
    }
}
