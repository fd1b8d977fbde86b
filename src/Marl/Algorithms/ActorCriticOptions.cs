using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>Options of REINFORCE, A2C and PPO with independent (<c>critic=local</c>) or centralized critics (Papoudakis et al. 2021).</summary>
public abstract record ActorCriticOptions : OnPolicyOptions
{
    /// <summary>Initializes the defaults: five-step returns (Papoudakis et al. 2021).</summary>
    protected ActorCriticOptions() => (NStep, LearningRate) = (5, 5e-4f);

    /// <summary>Input of the critic. none: no critic (REINFORCE); local: the agent's own input; central: the state; both: the state and the agent's
    /// input.</summary>
    public CriticKind Critic { get; init; } = CriticKind.Local;

    /// <summary>What log pi(u) is weighted with. return: G - V, a return and a critic of state values; actionValue: Q(u), a critic of action values;
    /// stateBaseline: Q(u) - V, with a second critic of state values; counterfactual: Q(u) - sum_a pi(a) Q(a, u_-i) (Foerster et al. 2018). Critics that are
    /// not local know the others' actions.</summary>
    public AdvantageKind Advantage { get; init; }

    /// <summary>Epsilon of PPO: probability ratios are clipped to 1 +- clipRange, in [0, 1). 0: no clipping, which is A2C.</summary>
    public float ClipRange { get; init; }

    /// <summary>Clipping range of value updates, in units of the critic's output, as in Schulman et al.'s implementation of PPO. 0: no clipping.</summary>
    public float ValueClipRange { get; init; }

    /// <inheritdoc/>
    public override bool SupportsBranches => true;

    /// <inheritdoc/>
    public override PolicyObjective Create(LearningContext context)
        => new ActorCritic(this, context, Advantage, Critic == CriticKind.None ? null : ofActions => CriticInput(context.Spec, ofActions), ClipRange,
            ValueClipRange);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.Require(ClipRange is >= 0 and < 1, ClipRange, "in 0 .. 1, 1 excluded");
        UsageException.Require(ValueClipRange >= 0, ValueClipRange, "at least 0");
        if (Critic == CriticKind.None && Advantage != AdvantageKind.Return)
        {
            throw new UsageException("without a critic there are no action values; use advantage=return or a critic");
        }
    }

    /// <summary>Returns the critic's input: the state or the agent's own input or both, the others' actions, and the agent's index if weights are shared
    /// (Papoudakis et al. 2021).</summary>
    /// <param name="spec">The environment.</param>
    /// <param name="ofActions">Whether the critic has a value for each action of the agent, given the others' actions; a local critic does not know
    /// them.</param>
    private NetworkInput CriticInput(EnvironmentSpec spec, bool ofActions)
    {
        bool isLocal = Critic == CriticKind.Local;
        if (!isLocal)
        {
            NetworkInput.RequireState(spec, "the critic", "ia2c and ippo need none");
        }
        return new(spec, common: isLocal ? [] : [InputColumn.State], own:
        [
            .. Critic == CriticKind.Central ? [] : (Network with { AgentId = false }).Columns,
            .. NetworkInput.Columns((InputColumn.MaskedJointAction, ofActions && !isLocal), (InputColumn.AgentId, ShareParameters)),
        ]);
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
[JsonConverter(typeof(CamelCaseEnumConverter<CriticKind>))]
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

/// <summary>The weight of log pi(u_i) in a policy gradient. With exact critics all have the same expectation and differ in their variance.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<AdvantageKind>))]
public enum AdvantageKind
{
    /// <summary>G - V(x), a return and a critic of state values.</summary>
    Return,
    /// <summary>Q_i(x, u), a critic of action values.</summary>
    ActionValue,
    /// <summary>Q_i(x, u) - V(x), critics of action values and of state values.</summary>
    StateBaseline,
    /// <summary>Q_i(x, u) - sum_a pi_i(a) Q_i(x, (a, u_-i)), a critic of action values.</summary>
    Counterfactual,
}
