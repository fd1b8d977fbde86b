using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>Hyperparameters of REINFORCE, A2C and PPO, independent (<c>critic=local</c>) or centralized.</summary>
public abstract record ActorCriticOptions : OnPolicyOptions
{
    /// <summary>Five-step returns (Papoudakis et al. 2021).</summary>
    protected ActorCriticOptions() => (NStep, LearningRate) = (5, 5e-4f);

    /// <summary>What the critic sees.</summary>
    public CriticKind Critic { get; init; } = CriticKind.Local;

    /// <summary>PPO's epsilon: how far an action's probability may move from what it was, as a share; 0: not bounded, which is A2C.</summary>
    public float ClipRange { get; init; }

    /// <summary>How far a value may move from what it was; 0: not bounded (Schulman et al.'s implementation of PPO).</summary>
    public float ValueClipRange { get; init; }

    /// <inheritdoc/>
    public override PolicyObjective Create(LearningContext context) => new ActorCritic(this, context);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.Require(ClipRange is >= 0 and < 1, ClipRange, "in 0 .. 1, 1 excluded");
        UsageException.Require(ValueClipRange >= 0, ValueClipRange, "at least 0");
    }
}

/// <summary>REINFORCE: no critic.</summary>
[Description("policy gradient of returns, independent (Williams 1992)")]
public sealed record ReinforceOptions : ActorCriticOptions
{
    /// <summary>Without a critic.</summary>
    public ReinforceOptions() => Critic = CriticKind.None;
}

/// <summary>Independent advantage actor-critic.</summary>
[Description("independent advantage actor-critic (Mnih et al. 2016)")]
public sealed record Ia2cOptions : ActorCriticOptions;

/// <summary>Independent proximal policy optimization.</summary>
[Description("independent proximal policy optimization (de Witt et al. 2020)")]
public sealed record IppoOptions : ActorCriticOptions
{
    /// <summary>With four epochs and a clip range of 0.2.</summary>
    public IppoOptions() => (ClipRange, Epochs, LearningRate) = (0.2f, 4, 3e-4f);
}

/// <summary>Advantage actor-critic with a central critic.</summary>
[Description("advantage actor-critic with a central critic (Papoudakis et al. 2021)")]
public sealed record Maa2cOptions : ActorCriticOptions
{
    /// <summary>With a critic of the state.</summary>
    public Maa2cOptions() => Critic = CriticKind.Central;
}

/// <summary>Proximal policy optimization with a central critic.</summary>
[Description("proximal policy optimization with a central critic (Yu et al. 2022)")]
public sealed record MappoOptions : ActorCriticOptions
{
    /// <summary>With a critic of the state, four epochs and a clip range of 0.2.</summary>
    public MappoOptions() => (Critic, ClipRange, Epochs, LearningRate) = (CriticKind.Central, 0.2f, 4, 3e-4f);
}

/// <summary>What a state-value critic sees.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<CriticKind>))]
public enum CriticKind
{
    /// <summary>There is no critic: returns are the advantages (REINFORCE).</summary>
    None,
    /// <summary>What the agent sees: independent learning.</summary>
    Local,
    /// <summary>The state.</summary>
    Central,
    /// <summary>The state and what the agent sees.</summary>
    Both,
}
