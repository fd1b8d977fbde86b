namespace Marl.Native.Rl;

/// <summary>Hyper-parameters that all of the actor-critic family have.</summary>
public abstract record OnPolicyOptions : LearnerOptions
{
    /// <summary>Width of the critic's hidden layers.</summary>
    public int CriticHidden { get; init; } = 128;

    /// <summary>The critic's hidden layers: feed-forward or recurrent.</summary>
    public AgentKind CriticNetwork { get; init; } = AgentKind.Mlp;

    /// <summary>The critic's hidden layers; by default those of <see cref="CriticNetwork"/> and <see cref="CriticHidden"/>.</summary>
    internal NetworkOptions CriticNetworkOptions { get => field ?? AgentOptions.NetworkOf(CriticNetwork, CriticHidden); init; }

    /// <summary>Learning rate of the critic; 0: that of the agents.</summary>
    public float CriticLearningRate { get; init; }

    /// <summary>What a unit of entropy of the policy is worth.</summary>
    public float Entropy { get; init; } = 0.01f;

    /// <summary>Passes over the episodes of a round.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Parts that a pass is cut into, of whole episodes; an optimiser step each.</summary>
    public int Minibatches { get; init; } = 1;

    /// <summary>Whether advantages are brought to mean 0 and standard deviation 1 over the episodes of a round.</summary>
    public bool NormaliseAdvantages { get; init; }

    /// <summary>Whether the critic learns returns that are standardised by their running mean and variance.</summary>
    public bool StandardiseReturns { get; init; }

    /// <summary>Share of the uniform policy in the agents' at the beginning, which is what they explore (<see cref="PolicySampler"/>) ..</summary>
    public float FloorStart { get; init; }

    /// <summary>.. and from then on ..</summary>
    public float FloorFinish { get; init; }

    /// <summary>.. so many environment steps, linearly.</summary>
    public long FloorAnneal { get; init; }

    /// <summary>Whether the floor is shared by the available actions; see <see cref="PolicySampler.MaskBeforeSoftmax"/>.</summary>
    public bool MaskBeforeSoftmax { get; init; } = true;

    /// <summary>How critics are trained.</summary>
    internal LearnerOptions OfCritics => At(CriticLearningRate);

    internal override void Validate()
    {
        base.Validate();
        RequireWidth(CriticHidden);
        CriticNetworkOptions.Validate();
        UsageException.Require(CriticLearningRate >= 0, CriticLearningRate, "at least 0");
        UsageException.Require(Entropy >= 0, Entropy, "at least 0");
        UsageException.Require(Epochs >= 1, Epochs, "at least 1");
        UsageException.Require(Minibatches >= 1, Minibatches, "at least 1");
        UsageException.Require(FloorStart is >= 0 and <= 1, FloorStart, "in 0 .. 1");
        UsageException.Require(FloorFinish is >= 0 and <= 1, FloorFinish, "in 0 .. 1");
        UsageException.Require(FloorAnneal >= 0, FloorAnneal, "at least 0");
        if (StandardiseReturns && StandardiseRewards)
        {
            throw new UsageException("standardiseRewards and standardiseReturns do the same work twice; set one of them to false");
        }
    }
}
