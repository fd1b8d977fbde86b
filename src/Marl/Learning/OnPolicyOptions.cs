namespace Marl.Native.Rl;

/// <summary>Options of on-policy algorithms, which learn a policy from the episodes of the last round.</summary>
public abstract record OnPolicyOptions : AlgorithmOptions
{
    /// <summary>Initializes the defaults: actions are sampled from the softmax policy.</summary>
    protected OnPolicyOptions() => Exploration = new SoftmaxPolicy();

    /// <summary>Units of each hidden layer of the critic, 1 to 8192.</summary>
    public int CriticHidden { get; init; } = 128;

    /// <summary>The hidden layers of the critic.</summary>
    public NetworkOptions CriticNetwork { get; init; } = new MlpNetwork();

    /// <summary>Learning rate of the critic. 0: learningRate.</summary>
    public float CriticLearningRate { get; init; }

    /// <summary>Optimizer steps of the critic per step of the policy, at least 1: criticSteps - 1 steps on the critic's loss alone, then one of both. PyMARL's COMA
    /// and the authors' LIIR take one per time index.</summary>
    public int CriticSteps { get; init; } = 1;

    /// <summary>Coefficient of the policy's entropy (nats) in the loss. 0: no entropy bonus.</summary>
    public float EntropyCoefficient { get; init; } = 0.01f;

    /// <summary>Passes over the episodes of a round, at least 1.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Minibatches of whole episodes per epoch, with one optimizer step each. Must divide environments.</summary>
    public int Minibatches { get; init; } = 1;

    /// <summary>Whether advantages are normalized to mean 0 and standard deviation 1 over the episodes of a round.</summary>
    public bool NormalizeAdvantages { get; init; }

    /// <summary>Whether the critic's targets are standardized by the running mean and variance of returns. Excludes standardizeRewards.</summary>
    public bool StandardizeReturns { get; init; }

    /// <summary>With standardizeReturns: the factor of the weight of earlier rounds in the mean and variance, in (0, 1] (Yu et al. 2022 use 0.99999 per step of
    /// the optimizer). 1: all returns have the same weight.</summary>
    public double ReturnDecay { get; init; } = 1;

    /// <summary>With standardizeReturns: whether the last layer of the critic is changed with the mean and variance, so that its values of returns stay the
    /// same (PopArt, van Hasselt et al. 2016).</summary>
    public bool PopArt { get; init; }

    /// <summary>Creates the networks, the losses and the advantage estimator.</summary>
    /// <param name="context">The environment and the run.</param>
    /// <exception cref="UsageException">The algorithm does not support the environment.</exception>
    public abstract PolicyObjective Create(LearningContext context);

    /// <inheritdoc/>
    protected override ILearner NewLearner(LearningContext context) => new OnPolicyLearner(this, context, Create(context));

    /// <summary>The options that critics are trained with.</summary>
    internal AlgorithmOptions CriticTraining => WithLearningRate(CriticLearningRate);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        CriticNetwork.Validate();
        UsageException.RequireWidth(CriticHidden);
        UsageException.Require(CriticLearningRate >= 0, CriticLearningRate, "at least 0");
        UsageException.Require(CriticSteps >= 1, CriticSteps, "at least 1");
        UsageException.Require(EntropyCoefficient >= 0, EntropyCoefficient, "at least 0");
        UsageException.Require(Epochs >= 1, Epochs, "at least 1");
        UsageException.Require(Minibatches >= 1, Minibatches, "at least 1");
        UsageException.Require(ReturnDecay is > 0 and <= 1, ReturnDecay, "in 0 .. 1, 0 excluded");
        if ((PopArt || ReturnDecay < 1) && !StandardizeReturns)
        {
            throw new UsageException("popArt and returnDecay are ways to standardize returns; set standardizeReturns=true and standardizeRewards=false");
        }
        if (StandardizeReturns && StandardizeRewards)
        {
            throw new UsageException("standardizeRewards and standardizeReturns exclude each other; set one of them to false");
        }
    }
}
