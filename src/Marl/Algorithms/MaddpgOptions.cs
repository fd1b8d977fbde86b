using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>MADDPG: multi-agent deep deterministic policy gradients (Lowe et al. 2017), for continuous and discrete actions, and its variants.</summary>
[Description("multi-agent deep deterministic policy gradients (Lowe et al. 2017)")]
public record MaddpgOptions : ReplayOptions
{
    /// <summary>Initializes the defaults: EPyMARL's, with one-hot samples and greedy target actions.</summary>
    public MaddpgOptions() => (Agent, Exploration, LearningRate) = (new MlpNetwork(), new PolicyNoise(), 5e-4f);

    /// <inheritdoc/>
    public override bool SupportsContinuousActions => true;

    /// <inheritdoc/>
    public override bool SupportsBranches => true;

    /// <summary>Input of the critics. state: the state and all actions; observations: all observations and actions; local: the agent's own observation and
    /// action.</summary>
    public ActionCriticKind Critic { get; init; }

    /// <summary>Units of each hidden layer of the critics, 1 to 8192.</summary>
    public int CriticHidden { get; init; } = 128;

    /// <summary>The hidden layers of the critics; feed-forward.</summary>
    public NetworkOptions CriticNetwork { get; init; } = new MlpNetwork();

    /// <summary>Learning rate of the critics. 0: learningRate.</summary>
    public float CriticLearningRate { get; init; }

    /// <summary>Temperature of the Gumbel-softmax for discrete actions, above 0.</summary>
    public float Temperature { get; init; } = 1f;

    /// <summary>Whether the Gumbel-softmax samples that critics evaluate are one-hot, with the gradient of the soft samples (straight-through estimator). The
    /// actions that are taken in the environment are always one-hot.</summary>
    public bool HardSamples { get; init; } = true;

    /// <summary>The other agents' actions in an agent's policy loss. current: those of their current policies, without gradients (EPyMARL); stored: those that
    /// were taken (Lowe et al. 2017, equation 5).</summary>
    public OthersActions Others { get; init; }

    /// <summary>Whether target policies sample discrete actions. false: they take the most probable one.</summary>
    public bool SampleTargets { get; init; }

    /// <summary>Coefficient of the mean square of the policies' outputs before softmax or tanh in the policy loss. 0: off.</summary>
    public float LogitRegularization { get; init; } = 1e-3f;

    /// <summary>Whether two critics are trained and targets use the smaller value (Fujimoto et al. 2018; Ackermann et al. 2019).</summary>
    public bool TwinCritics { get; init; }

    /// <summary>Updates per step of the policies and of all target networks, at least 1. 1: every update.</summary>
    public int PolicyDelay { get; init; } = 1;

    /// <summary>Standard deviation of the noise on continuous target actions, as a fraction of half the action range (target policy smoothing). 0:
    /// off.</summary>
    public float TargetPolicyNoise { get; init; }

    /// <summary>Bound of the noise on target actions, as a fraction of half the action range.</summary>
    public float TargetNoiseClip { get; init; } = 0.5f;

    /// <summary>Whether each agent learns models of the others' policies from their actions, and its critic's targets read those models instead of the others'
    /// target actions (Lowe et al. 2017, section 4.2). The models take one step on the latest episodes before each update. Needs critic=state or
    /// observations.</summary>
    public bool InferPolicies { get; init; }

    /// <summary>With inferPolicies: what the critics' targets read as the others' discrete actions. probabilities: the models' action probabilities;
    /// logProbabilities: their logarithms (Lowe et al. 2017, section 4.2), which are far from the one-hot actions that critics are trained on; actions: target
    /// actions of the models, see sampleTargets.</summary>
    public InferredActionKind InferredActions { get; init; }

    /// <summary>Learning rate of the inferred policies. 0: learningRate.</summary>
    public float InferenceLearningRate { get; init; }

    /// <summary>Coefficient of the inferred policies' entropy in their loss.</summary>
    public float InferenceEntropyCoefficient { get; init; } = 1e-3f;

    /// <summary>K, the number of sub-policies per agent, 1 to 64. Each agent plays a random one per episode (Lowe et al. 2017, section 4.3). 1: no
    /// ensemble.</summary>
    public int EnsembleSize { get; init; } = 1;

    /// <inheritdoc/>
    public override Objective Create(LearningContext context) => new Maddpg(this, context);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        CriticNetwork.Validate();
        UsageException.RequireWidth(CriticHidden);
        UsageException.Require(CriticLearningRate >= 0, CriticLearningRate, "at least 0");
        UsageException.Require(Temperature > 0, Temperature, "positive");
        UsageException.Require(LogitRegularization >= 0, LogitRegularization, "at least 0");
        UsageException.Require(PolicyDelay >= 1, PolicyDelay, "at least 1");
        UsageException.Require(TargetPolicyNoise >= 0, TargetPolicyNoise, "at least 0");
        UsageException.Require(TargetNoiseClip >= 0, TargetNoiseClip, "at least 0");
        UsageException.Require(InferenceLearningRate >= 0, InferenceLearningRate, "at least 0");
        UsageException.Require(InferenceEntropyCoefficient >= 0, InferenceEntropyCoefficient, "at least 0");
        UsageException.Require(EnsembleSize is >= 1 and <= 64, EnsembleSize, "in 1 .. 64");
        if (Lambda > 0)
        {
            throw new UsageException("option 'lambda' must be 0: deterministic policy gradients use n-step returns; set nStep instead");
        }
        if (InferPolicies && Critic == ActionCriticKind.Local)
        {
            throw new UsageException("a local critic does not use the other agents' policies; inferPolicies=true needs critic=state or critic=observations");
        }
    }
}

/// <summary>MATD3 (Ackermann et al. 2019): MADDPG with twin critics, delayed policy updates and target policy smoothing.</summary>
[Description("MADDPG with twin critics and delayed policy updates (Ackermann et al. 2019)")]
public sealed record Matd3Options : MaddpgOptions
{
    /// <summary>Initializes the defaults: the delay and the smoothing of Fujimoto et al. 2018, and stored actions of the others.</summary>
    public Matd3Options() => (TwinCritics, PolicyDelay, TargetPolicyNoise, Others) = (true, 2, 0.2f, OthersActions.Stored);
}

/// <summary>Independent DDPG (Lillicrap et al. 2016): each agent's critic reads its own observation and action only.</summary>
[Description("independent deep deterministic policy gradients (Lillicrap et al. 2016)")]
public sealed record DdpgOptions : MaddpgOptions
{
    /// <summary>Initializes the defaults: local critics.</summary>
    public DdpgOptions() => Critic = ActionCriticKind.Local;
}

/// <summary>The input of an action-value critic.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(CamelCaseEnumConverter<ActionCriticKind>))]
public enum ActionCriticKind
{
    /// <summary>The state and all agents' actions.</summary>
    State,
    /// <summary>All agents' observations and actions.</summary>
    Observations,
    /// <summary>The agent's own observation and action: independent learning.</summary>
    Local,
}

/// <summary>What a critic's target reads as the discrete actions of inferred policies.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(CamelCaseEnumConverter<InferredActionKind>))]
public enum InferredActionKind
{
    /// <summary>The probabilities of all actions.</summary>
    Probabilities,
    /// <summary>The logarithms of the probabilities of all actions, at least log 1e-4.</summary>
    LogProbabilities,
    /// <summary>One-hot actions.</summary>
    Actions,
}

/// <summary>The other agents' actions in an agent's policy loss.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(CamelCaseEnumConverter<OthersActions>))]
public enum OthersActions
{
    /// <summary>Those of their current policies, without gradients.</summary>
    Current,
    /// <summary>Those that were taken.</summary>
    Stored,
}
