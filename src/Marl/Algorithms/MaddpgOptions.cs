using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>MADDPG, its hyperparameters and those of its variants.</summary>
[Description("multi-agent deep deterministic policy gradients (Lowe et al. 2017)")]
public record MaddpgOptions : ReplayOptions
{
    /// <summary>As EPyMARL configures it: hard samples, the likeliest action for targets.</summary>
    public MaddpgOptions() => (Agent, Exploration, LearningRate) = (new MlpNetwork(), new PolicyNoise(), 5e-4f);

    /// <inheritdoc/>
    public override bool IsContinuous => true;

    /// <summary>What the critics see.</summary>
    public ActionCriticKind Critic { get; init; }

    /// <summary>Width of the critics' hidden layers.</summary>
    public int CriticHidden { get; init; } = 128;

    /// <summary>The critics' hidden layers.</summary>
    public NetworkOptions CriticNetwork { get; init; } = new MlpNetwork();

    /// <summary>Learning rate of the critics; 0: that of the agents.</summary>
    public float CriticLearningRate { get; init; }

    /// <summary>Temperature of the Gumbel-softmax, where agents choose among actions.</summary>
    public float Temperature { get; init; } = 1f;

    /// <summary>Whether its samples are one-hot, with the gradient of the soft ones (straight-through).</summary>
    public bool HardSamples { get; init; } = true;

    /// <summary>Whether target policies sample as well; otherwise they do what is likeliest.</summary>
    public bool SampleTargets { get; init; }

    /// <summary>What the mean square of the policies' outputs, before softmax or tanh, counts.</summary>
    public float LogitRegularization { get; init; } = 1e-3f;

    /// <summary>Whether there are two critics, and targets go by the lesser value (Fujimoto et al. 2018; Ackermann et al. 2019).</summary>
    public bool TwinCritics { get; init; }

    /// <summary>The policies take a step, and targets follow, in one of so many updates.</summary>
    public int PolicyDelay { get; init; } = 1;

    /// <summary>Standard deviation of the noise on the target policies' numbers, as a share of half their range ..</summary>
    public float TargetPolicyNoise { get; init; }

    /// <summary>.. and the most that it can be.</summary>
    public float TargetNoiseClip { get; init; } = 0.5f;

    /// <summary>Whether agents infer the others' policies from what they did, and use these for targets in place of the true ones (Lowe et al. 2017, section 4.2).</summary>
    public bool InferPolicies { get; init; }

    /// <summary>Learning rate of the inferred policies; 0: that of the agents.</summary>
    public float InferenceLearningRate { get; init; }

    /// <summary>What a unit of entropy of an inferred policy is worth.</summary>
    public float InferenceEntropyCoefficient { get; init; } = 1e-3f;

    /// <summary>K, the sub-policies of an agent, of which it plays one in an episode (Lowe et al. 2017, section 4.3).</summary>
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
            throw new UsageException("option 'lambda' cannot be other than 0: the targets of deterministic policies are n-step returns; use nStep");
        }
        if (InferPolicies && Critic == ActionCriticKind.Local)
        {
            throw new UsageException("a critic that is local asks for nobody else's policy; infer=true needs critic=state or observations");
        }
    }
}

/// <summary>MATD3: MADDPG with twin critics, delayed policies and smoothed targets.</summary>
[Description("the same with twin critics and delayed policies (Ackermann et al. 2019)")]
public sealed record Matd3Options : MaddpgOptions
{
    /// <summary>With the delay and the smoothing of Fujimoto et al. 2018.</summary>
    public Matd3Options() => (TwinCritics, PolicyDelay, TargetPolicyNoise) = (true, 2, 0.2f);
}

/// <summary>Independent DDPG: MADDPG with critics that see one agent.</summary>
[Description("deep deterministic policy gradients, independent (Lillicrap et al. 2016)")]
public sealed record DdpgOptions : MaddpgOptions
{
    /// <summary>With local critics.</summary>
    public DdpgOptions() => Critic = ActionCriticKind.Local;
}

/// <summary>What an action-value critic sees.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<ActionCriticKind>))]
public enum ActionCriticKind
{
    /// <summary>The state and all agents' actions.</summary>
    State,
    /// <summary>All agents' observations and actions.</summary>
    Observations,
    /// <summary>The agent's own observation and action: independent learning.</summary>
    Local,
}
