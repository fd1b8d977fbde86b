using System.ComponentModel;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>LIIR: learning individual intrinsic rewards (Du et al. 2019).</summary>
[Description("learning individual intrinsic rewards (Du et al. 2019)")]
public sealed record LiirOptions : OnPolicyOptions
{
    /// <summary>Initializes the defaults: optimizer, lambda and intrinsic weight of the authors' code for StarCraft.</summary>
    public LiirOptions() => (Lambda, Optimizer, LearningRate) = (0.8f, new RmsProp { Epsilon = 1e-5 }, 5e-4f);

    /// <summary>Coefficient of the intrinsic reward that is added to the environment's reward; lambda in the paper.</summary>
    public float IntrinsicWeight { get; init; } = 0.01f;

    /// <summary>Learning rate of the intrinsic rewards and the extrinsic value. 0: that of the critic.</summary>
    public float IntrinsicLearningRate { get; init; }

    /// <summary>Gradients of the intrinsic rewards and the extrinsic value with a larger global L2 norm are scaled down to this norm; 1 as in the authors'
    /// code. 0: off.</summary>
    public float IntrinsicMaxGradientNorm { get; init; } = 1f;

    /// <summary>Whether the agent's observation is part of the input of critic and intrinsic reward, beside the state, as in the authors' code.</summary>
    public bool CriticObservation { get; init; }

    /// <summary>Whether the other agents' current actions are part of the input of critic and intrinsic reward, as in the authors' code. The extrinsic value
    /// is then a value of the joint action, and its advantage is noise once it is learned; in the paper it is a value of the state.</summary>
    public bool CriticActions { get; init; }

    /// <summary>Whether all agents' previous actions are part of the input of critic and intrinsic reward, as in the authors' code.</summary>
    public bool CriticLastActions { get; init; }

    /// <summary>The options that intrinsic rewards and the extrinsic value are trained with.</summary>
    internal AlgorithmOptions IntrinsicTraining
        => CriticTraining.WithLearningRate(IntrinsicLearningRate) with { MaxGradientNorm = IntrinsicMaxGradientNorm };

    /// <inheritdoc/>
    public override bool SupportsBranches => true;

    /// <inheritdoc/>
    public override PolicyObjective Create(LearningContext context) => new Liir(this, context);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.Require(float.IsFinite(IntrinsicWeight), IntrinsicWeight, "finite");
        UsageException.Require(IntrinsicLearningRate >= 0, IntrinsicLearningRate, "at least 0");
        UsageException.Require(IntrinsicMaxGradientNorm >= 0, IntrinsicMaxGradientNorm, "at least 0");
        if (StandardizeReturns)
        {
            throw new UsageException("LIIR learns two kinds of returns with different statistics; use standardizeRewards instead of standardizeReturns");
        }
    }
}
