namespace Marl.Native.Rl;

/// <summary>Hyper-parameters of the actor-critic family: REINFORCE, A2C and PPO, independent (<c>critic=local</c>) or centralised.</summary>
public sealed record ActorCriticOptions : LearnerOptions
{
    /// <summary>What the critic sees.</summary>
    public CriticKind Critic { get; init; } = CriticKind.Local;

    /// <summary>Width of the critic's hidden layers.</summary>
    public int CriticHidden { get; init; } = 128;

    /// <summary>Learning rate of the critic; 0: that of the agents.</summary>
    public float CriticLearningRate { get; init; }

    /// <summary>What a unit of entropy of the policy is worth.</summary>
    public float Entropy { get; init; } = 0.01f;

    /// <summary>PPO's epsilon: how far an action's probability may move from what it was, as a share; 0: not bounded, which is A2C.</summary>
    public float Clip { get; init; }

    /// <summary>How far a value may move from what it was; 0: not bounded (Schulman et al.'s implementation of PPO).</summary>
    public float ValueClip { get; init; }

    /// <summary>Passes over the episodes of a round.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Parts that a pass is cut into, of whole episodes; an optimiser step each.</summary>
    public int Minibatches { get; init; } = 1;

    /// <summary>Whether advantages are brought to mean 0 and standard deviation 1 over the episodes of a round.</summary>
    public bool NormaliseAdvantages { get; init; }

    /// <summary>Whether the critic learns returns that are standardised by their running mean and variance.</summary>
    public bool StandardiseReturns { get; init; }

    internal override void Validate()
    {
        base.Validate();
        RequireWidth(CriticHidden);
        UsageException.Require(CriticLearningRate >= 0, CriticLearningRate, "at least 0");
        UsageException.Require(Entropy >= 0, Entropy, "at least 0");
        UsageException.Require(Clip is >= 0 and < 1, Clip, "in 0 .. 1, 1 excluded");
        UsageException.Require(ValueClip >= 0, ValueClip, "at least 0");
        UsageException.Require(Epochs >= 1, Epochs, "at least 1");
        UsageException.Require(Minibatches >= 1, Minibatches, "at least 1");
        if (StandardiseReturns && StandardiseRewards)
        {
            throw new UsageException("standardiseRewards and standardiseReturns do the same work twice; set one of them to false");
        }
    }
}
