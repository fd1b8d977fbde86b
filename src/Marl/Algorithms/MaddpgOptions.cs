namespace Marl.Native.Rl;

/// <summary>Hyper-parameters of MADDPG, of DDPG (<c>critic=local</c>) and of MATD3 (<c>twin</c>, <c>policyDelay</c>, <c>smoothing</c>).</summary>
public sealed record MaddpgOptions : ReplayOptions
{
    /// <summary>What the critics see.</summary>
    public ActionCriticKind Critic { get; init; }

    /// <summary>Width of the critics' hidden layers.</summary>
    public int CriticHidden { get; init; } = 128;

    /// <summary>The critics' hidden layers; by default two of width <see cref="CriticHidden"/>.</summary>
    internal NetworkOptions CriticNetworkOptions { get => field ?? new MlpNetwork { Hidden = CriticHidden }; init; }

    /// <summary>Learning rate of the critics; 0: that of the agents.</summary>
    public float CriticLearningRate { get; init; }

    /// <summary>Temperature of the Gumbel-softmax, where agents choose among actions.</summary>
    public float Temperature { get; init; } = 1f;

    /// <summary>Whether its samples are one-hot, with the gradient of the soft ones (straight-through).</summary>
    public bool HardSamples { get; init; } = true;

    /// <summary>Whether target policies sample as well; otherwise they do what is likeliest.</summary>
    public bool SampleTargets { get; init; }

    /// <summary>What the mean square of the policies' outputs, before softmax or tanh, counts.</summary>
    public float OutputPenalty { get; init; } = 1e-3f;

    /// <summary>Standard deviation of the noise by which numbers are explored, as a share of half their range, at the beginning ..</summary>
    public float NoiseStart { get; init; } = 0.3f;

    /// <summary>.. and from then on ..</summary>
    public float NoiseFinish { get; init; } = 0.1f;

    /// <summary>.. so many environment steps, linearly.</summary>
    public long NoiseAnneal { get; init; } = 200_000;

    /// <summary>Whether there are two critics, and targets go by the lesser value (Fujimoto et al. 2018; Ackermann et al. 2019).</summary>
    public bool Twin { get; init; }

    /// <summary>The policies take a step, and targets follow, in one of so many updates.</summary>
    public int PolicyDelay { get; init; } = 1;

    /// <summary>Standard deviation of the noise on the target policies' numbers, as a share of half their range ..</summary>
    public float Smoothing { get; init; }

    /// <summary>.. and the most that it can be.</summary>
    public float SmoothingClip { get; init; } = 0.5f;

    /// <summary>Whether agents infer the others' policies from what they did, and use these for targets in place of the true ones (Lowe et al. 2017, section 4.2).</summary>
    public bool Infer { get; init; }

    /// <summary>Learning rate of the inferred policies; 0: that of the agents.</summary>
    public float InferenceLearningRate { get; init; }

    /// <summary>What a unit of entropy of an inferred policy is worth.</summary>
    public float InferenceEntropy { get; init; } = 1e-3f;

    /// <summary>K, the sub-policies of an agent, of which it plays one in an episode (Lowe et al. 2017, section 4.3).</summary>
    public int Members { get; init; } = 1;

    internal override void Validate()
    {
        base.Validate();
        RequireWidth(CriticHidden);
        CriticNetworkOptions.Validate();
        UsageException.Require(CriticLearningRate >= 0, CriticLearningRate, "at least 0");
        UsageException.Require(Temperature > 0, Temperature, "positive");
        UsageException.Require(OutputPenalty >= 0, OutputPenalty, "at least 0");
        UsageException.Require(NoiseStart >= 0, NoiseStart, "at least 0");
        UsageException.Require(NoiseFinish >= 0, NoiseFinish, "at least 0");
        UsageException.Require(NoiseAnneal >= 0, NoiseAnneal, "at least 0");
        UsageException.Require(PolicyDelay >= 1, PolicyDelay, "at least 1");
        UsageException.Require(Smoothing >= 0, Smoothing, "at least 0");
        UsageException.Require(SmoothingClip >= 0, SmoothingClip, "at least 0");
        UsageException.Require(InferenceLearningRate >= 0, InferenceLearningRate, "at least 0");
        UsageException.Require(InferenceEntropy >= 0, InferenceEntropy, "at least 0");
        UsageException.Require(Members is >= 1 and <= 64, Members, "in 1 .. 64");
        if (Lambda > 0)
        {
            throw new UsageException("option 'lambda' cannot be other than 0: the targets of deterministic policies are n-step returns; use nStep");
        }
        if (Infer && Critic == ActionCriticKind.Local)
        {
            throw new UsageException("a critic that is local asks for nobody else's policy; infer=true needs critic=state or observations");
        }
    }
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
