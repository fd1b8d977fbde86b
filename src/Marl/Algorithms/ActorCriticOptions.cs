using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>Options of REINFORCE, A2C and PPO with independent (<c>critic=local</c>) or centralized critics (Papoudakis et al. 2021).</summary>
public abstract record ActorCriticOptions : OnPolicyOptions
{
    /// <summary>Initializes the defaults: five-step returns (Papoudakis et al. 2021).</summary>
    protected ActorCriticOptions() => (NStep, LearningRate) = (5, 5e-4f);

    /// <summary>Input of the critic. none: no critic (REINFORCE); local: the agent's own input; central: the state; both: the state and the agent's
    /// input.</summary>
    public CriticKind Critic { get; init; } = CriticKind.Local;

    /// <summary>Epsilon of PPO: probability ratios are clipped to 1 +- clipRange, in [0, 1). 0: no clipping, which is A2C.</summary>
    public float ClipRange { get; init; }

    /// <summary>Clipping range of value updates, in units of the critic's output, as in Schulman et al.'s implementation of PPO. 0: no clipping.</summary>
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

/// <summary>REINFORCE (Williams 1992) for every agent: the policy gradient with Monte Carlo returns and no critic.</summary>
[Description("REINFORCE, independent: Monte Carlo policy gradient (Williams 1992)")]
public sealed record ReinforceOptions : ActorCriticOptions
{
    /// <summary>Initializes the defaults: no critic.</summary>
    public ReinforceOptions() => Critic = CriticKind.None;
}

/// <summary>IA2C: independent advantage actor-critic (Mnih et al. 2016), with a critic of each agent's own input.</summary>
[Description("independent advantage actor-critic (Mnih et al. 2016)")]
public sealed record Ia2cOptions : ActorCriticOptions;

/// <summary>IPPO: independent proximal policy optimization (de Witt et al. 2020), with a critic of each agent's own input.</summary>
[Description("independent proximal policy optimization (de Witt et al. 2020)")]
public sealed record IppoOptions : ActorCriticOptions
{
    /// <summary>Initializes the defaults: four epochs and a clip range of 0.2.</summary>
    public IppoOptions() => (ClipRange, Epochs, LearningRate) = (0.2f, 4, 3e-4f);
}

/// <summary>MAA2C: multi-agent advantage actor-critic (Papoudakis et al. 2021), with a centralized critic of the state.</summary>
[Description("advantage actor-critic with a centralized critic (Papoudakis et al. 2021)")]
public sealed record Maa2cOptions : ActorCriticOptions
{
    /// <summary>Initializes the defaults: a critic of the state.</summary>
    public Maa2cOptions() => Critic = CriticKind.Central;
}

/// <summary>MAPPO: multi-agent proximal policy optimization (Yu et al. 2022), with a centralized critic of the state.</summary>
[Description("proximal policy optimization with a centralized critic (Yu et al. 2022)")]
public sealed record MappoOptions : ActorCriticOptions
{
    /// <summary>Initializes the defaults: a critic of the state, four epochs and a clip range of 0.2.</summary>
    public MappoOptions() => (Critic, ClipRange, Epochs, LearningRate) = (CriticKind.Central, 0.2f, 4, 3e-4f);
}

/// <summary>The input of a state-value critic.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(CamelCaseEnumConverter<CriticKind>))]
public enum CriticKind
{
    /// <summary>No critic: the returns are the advantages (REINFORCE).</summary>
    None,
    /// <summary>The agent's own input: independent learning.</summary>
    Local,
    /// <summary>The state.</summary>
    Central,
    /// <summary>The state and the agent's own input.</summary>
    Both,
}
