using System.Runtime.CompilerServices;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The hyperparameters of an algorithm, and the factory of its learner. This record holds the options that all algorithms have; <see cref="ReplayOptions"/> and
/// <see cref="OnPolicyOptions"/> add those of a family. A record's defaults are the same in every environment; <see cref="RunConfiguration"/> overlays them
/// with published values. On the command line a property is set by its name (<c>--set hidden=64</c>), a property of a part by a dotted name
/// (<c>--set mixer.embed=16</c>). An algorithm is a record derived from one of the two families and an <see cref="Objective"/>.
/// </summary>
/// <example><code>
/// var options = new QmixOptions
/// {
///     Agent = new MlpNetwork(),
///     Hidden = 64,
///     LearningRate = 1e-3f,
///     Exploration = new EpsilonGreedy { EpsilonAnneal = 50_000 },
///     Mixer = new QmixMixer { Embed = 16 },
/// };
/// options.Validate();
/// </code></example>
public abstract record AlgorithmOptions
{
    /// <summary>The hidden layers of the agents' network.</summary>
    public NetworkOptions Agent { get; init; } = new GruNetwork();

    /// <summary>Units of each hidden layer of the agents' network, 1 to 8192.</summary>
    public int Hidden { get; init; } = 128;

    /// <summary>Whether all agents use the same weights. false: each agent has its own.</summary>
    public bool ShareParameters { get; init; } = true;

    /// <summary>Input of the agents. own: each agent's observation; state: the state of the environment, for all agents.</summary>
    public ObservationKind Observation { get; init; }

    /// <summary>Whether an agent's previous action (one-hot) is part of its input.</summary>
    public bool LastAction { get; init; }

    /// <summary>Whether an agent's index (one-hot) is part of its input.</summary>
    public bool AgentId { get; init; } = true;

    /// <summary>Whether the training progress in [0, 1] and the exploration rate at the time of the episode are part of the agents' input (fingerprints,
    /// Foerster et al. 2017, section 4.2).</summary>
    public bool Fingerprint { get; init; }

    /// <summary>Discount factor, in [0, 1].</summary>
    public float Gamma { get; init; } = 0.99f;

    /// <summary>Number of rewards in an n-step return before it bootstraps, at least 1. Ignored if lambda is above 0.</summary>
    public int NStep { get; init; } = 1;

    /// <summary>Lambda of TD(lambda) returns, in [0, 1]. 0: n-step returns.</summary>
    public float Lambda { get; init; }

    /// <summary>How actions are selected during training.</summary>
    public Exploration Exploration { get; init; } = new EpsilonGreedy();

    /// <summary>The optimizer. Its learning rate is <see cref="LearningRate"/>.</summary>
    public UpdateRule Optimizer { get; init; } = new Adam();

    /// <summary>Learning rate, above 0.</summary>
    public float LearningRate { get; init; } = 3e-4f;

    /// <summary>Gradients with a larger global L2 norm are scaled down to this norm. 0: off.</summary>
    public float MaxGradientNorm { get; init; } = 10f;

    /// <summary>Updates between two updates of the target networks, at least 1.</summary>
    public int TargetUpdateInterval { get; init; } = 1;

    /// <summary>Polyak coefficient of a target update, target += targetTau (online - target), in (0, 1]. 1: copy.</summary>
    public float TargetTau { get; init; } = 0.01f;

    /// <summary>Whether rewards are standardized by their running mean and variance. While all rewards are the same, they are only scaled, to 1 or -1.</summary>
    public bool StandardizeRewards { get; init; } = true;

    /// <summary>Whether the algorithm supports continuous actions.</summary>
    public virtual bool SupportsContinuousActions => false;

    /// <summary>Whether the algorithm supports actions with several discrete branches (<see cref="AgentSpec.Branches"/>).</summary>
    public virtual bool SupportsBranches => false;

    /// <summary>Creates a learner with newly initialized weights.</summary>
    /// <param name="context">The environment and the run.</param>
    /// <exception cref="UsageException">An option is out of range, or the algorithm does not support the environment. The message names the remedy.</exception>
    public ILearner CreateLearner(LearningContext context)
    {
        Validate();
        var learner = NewLearner(context);
        return context.Rewards.IsModeled ? new DifferenceLearner(learner, new RewardModel(context)) : learner;
    }

    /// <summary>Creates the learner; the options are valid.</summary>
    protected abstract ILearner NewLearner(LearningContext context);

    /// <summary>Returns these options with another learning rate; 0: with the same.</summary>
    internal AlgorithmOptions WithLearningRate(float learningRate) => learningRate > 0 ? this with { LearningRate = learningRate } : this;

    /// <summary>The options of the agents' network: <see cref="Agent"/>, its width and its input.</summary>
    public AgentOptions Network => new()
    {
        Network = Agent,
        Hidden = Hidden,
        ShareParameters = ShareParameters,
        Observation = Observation,
        LastAction = LastAction,
        AgentId = AgentId,
        Fingerprint = Fingerprint,
    };

    /// <summary>Checks that all options are in range.</summary>
    /// <exception cref="UsageException">An option is out of range; the message names it and the range.</exception>
    public virtual void Validate()
    {
        Agent.Validate();
        Exploration.Validate();
        UsageException.RequireWidth(Hidden);
        UsageException.Require(Gamma is >= 0 and <= 1, Gamma, "in 0 .. 1");
        UsageException.Require(NStep >= 1, NStep, "at least 1");
        UsageException.Require(Lambda is >= 0 and <= 1, Lambda, "in 0 .. 1");
        UsageException.Require(LearningRate > 0, LearningRate, "positive");
        UsageException.Require(MaxGradientNorm >= 0, MaxGradientNorm, "at least 0");
        UsageException.Require(TargetUpdateInterval >= 1, TargetUpdateInterval, "at least 1");
        UsageException.Require(TargetTau is > 0 and <= 1, TargetTau, "in 0 .. 1, 0 excluded");
    }
}
