namespace Marl.Native.Rl;

/// <summary>An algorithm that learns a policy from the episodes of the last round: it creates the objective, the on-policy learner does the rest.</summary>
public abstract record OnPolicyOptions : AlgorithmOptions
{
    /// <summary>Samples actions from the policy.</summary>
    protected OnPolicyOptions() => Exploration = new SoftmaxPolicy();

    /// <summary>Width of the critic's hidden layers.</summary>
    public int CriticHidden { get; init; } = 128;

    /// <summary>The critic's hidden layers.</summary>
    public NetworkOptions CriticNetwork { get; init; } = new MlpNetwork();

    /// <summary>Learning rate of the critic; 0: that of the agents.</summary>
    public float CriticLearningRate { get; init; }

    /// <summary>What a unit of entropy of the policy is worth.</summary>
    public float EntropyCoefficient { get; init; } = 0.01f;

    /// <summary>Passes over the episodes of a round.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Parts that a pass is cut into, of whole episodes; an optimizer step each.</summary>
    public int Minibatches { get; init; } = 1;

    /// <summary>Whether advantages are brought to mean 0 and standard deviation 1 over the episodes of a round.</summary>
    public bool NormalizeAdvantages { get; init; }

    /// <summary>Whether the critic learns returns that are standardized by their running mean and variance.</summary>
    public bool StandardizeReturns { get; init; }

    /// <summary>The networks, the losses, and how advantages are estimated.</summary>
    /// <exception cref="UsageException">The environment has something that it cannot learn; names it and the remedy.</exception>
    public abstract PolicyObjective Create(LearningContext context);

    /// <inheritdoc/>
    protected override ILearner NewLearner(LearningContext context) => new OnPolicyLearner(this, context, Create(context));

    /// <summary>How critics are trained.</summary>
    internal AlgorithmOptions OfCritics => At(CriticLearningRate);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        CriticNetwork.Validate();
        UsageException.RequireWidth(CriticHidden);
        UsageException.Require(CriticLearningRate >= 0, CriticLearningRate, "at least 0");
        UsageException.Require(EntropyCoefficient >= 0, EntropyCoefficient, "at least 0");
        UsageException.Require(Epochs >= 1, Epochs, "at least 1");
        UsageException.Require(Minibatches >= 1, Minibatches, "at least 1");
        if (StandardizeReturns && StandardizeRewards)
        {
            throw new UsageException("standardizeRewards and standardizeReturns do the same work twice; set one of them to false");
        }
    }
}
