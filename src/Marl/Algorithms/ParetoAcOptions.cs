using System.ComponentModel;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>Hyperparameters of Pareto actor-critic. Its <see cref="OnPolicyOptions.EntropyCoefficient"/> is what a unit is worth in the end.</summary>
[Description("Pareto actor-critic, for the best equilibrium (Christianos et al. 2023)")]
public sealed record ParetoAcOptions : OnPolicyOptions
{
    /// <summary>As EPyMARL configures it for the matrix games of its paper, with standardized returns: its critic is not fast enough for returns in the hundreds.</summary>
    public ParetoAcOptions()
        => (Agent, ShareParameters, AgentId, NStep, StandardizeRewards, StandardizeReturns) = (new MlpNetwork(), false, false, 10, false, true);

    /// <summary>What a unit of entropy of the policy is worth at the beginning ..</summary>
    public float EntropyStart { get; init; } = 20f;

    /// <summary>.. from which it falls to <see cref="OnPolicyOptions.EntropyCoefficient"/> over this share of the training, linearly.</summary>
    public float EntropyAnneal { get; init; } = 0.5f;

    /// <summary>The entropy coefficient over a training of <paramref name="steps"/> steps.</summary>
    internal Schedule EntropyOver(long steps) => Schedule.Linear(EntropyStart, EntropyCoefficient, (long)(EntropyAnneal * (double)steps));

    /// <inheritdoc/>
    public override PolicyObjective Create(LearningContext context) => new ParetoActorCritic(this, context);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.Require(EntropyStart >= 0, EntropyStart, "at least 0");
        UsageException.Require(EntropyAnneal is >= 0 and <= 1, EntropyAnneal, "in 0 .. 1");
    }
}
