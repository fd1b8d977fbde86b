using System.ComponentModel;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>Hyperparameters of LIIR.</summary>
[Description("learning individual intrinsic rewards (Du et al. 2019)")]
public sealed record LiirOptions : OnPolicyOptions
{
    /// <summary>With the optimizer, lambda and intrinsic weight of its authors' code for StarCraft.</summary>
    public LiirOptions() => (Lambda, Optimizer, LearningRate) = (0.8f, new RmsProp { Epsilon = 1e-5 }, 5e-4f);

    /// <summary>lambda of the paper: what an intrinsic reward is worth beside the environment's.</summary>
    public float IntrinsicWeight { get; init; } = 0.01f;

    /// <summary>Learning rate of the intrinsic rewards and the extrinsic value; 0: that of the critic.</summary>
    public float IntrinsicLearningRate { get; init; }

    /// <summary>Whether critics and intrinsic rewards see the agent's observation beside the state, as in the authors' code.</summary>
    public bool CriticObservation { get; init; }

    /// <summary>Whether they see what the others do now, as in the authors' code. The extrinsic value then knows the joint action, whose advantage
    /// over itself is but noise once it is learned; the paper's is a value of the state.</summary>
    public bool CriticActions { get; init; }

    /// <summary>Whether they see all agents' last actions, as in the authors' code.</summary>
    public bool CriticLastActions { get; init; }

    /// <summary>How intrinsic rewards and the extrinsic value are trained: their gradients are not clipped.</summary>
    internal AlgorithmOptions OfIntrinsic => OfCritics.At(IntrinsicLearningRate) with { MaxGradientNorm = 0 };

    /// <inheritdoc/>
    public override PolicyObjective Create(LearningContext context) => new Liir(this, context);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.Require(float.IsFinite(IntrinsicWeight), IntrinsicWeight, "finite");
        UsageException.Require(IntrinsicLearningRate >= 0, IntrinsicLearningRate, "at least 0");
        if (StandardizeReturns)
        {
            throw new UsageException("LIIR has returns of two kinds, whose means and variances differ; use standardizeRewards=true in place of standardizeReturns");
        }
    }
}
