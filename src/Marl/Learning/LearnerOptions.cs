using System.Runtime.CompilerServices;

namespace Marl.Native.Rl;

/// <summary>Hyper-parameters that all algorithms have. What was published for one in an environment stands in <see cref="Presets"/>.</summary>
public abstract record LearnerOptions
{
    /// <summary>The agents' network.</summary>
    public AgentKind Agent { get; init; } = AgentKind.Gru;

    /// <summary>The agents' hidden layers; null: those of <see cref="Agent"/> and <see cref="Hidden"/>.</summary>
    internal NetworkOptions? AgentNetwork { get; init; }

    /// <summary>Width of the agents' hidden layers.</summary>
    public int Hidden { get; init; } = 128;

    /// <summary>Whether agents share their weights.</summary>
    public bool Shared { get; init; } = true;

    /// <summary>own: agents see their observations; state: everyone sees the state of the environment.</summary>
    public ObservationKind Observation { get; init; }

    /// <summary>Whether agents see their last action.</summary>
    public bool LastAction { get; init; }

    /// <summary>Whether agents see which one they are.</summary>
    public bool AgentId { get; init; } = true;

    /// <summary>Whether agents see how far training had come, and how much was left to chance, when an episode was played (Foerster et al. 2017,
    /// section 4.2, "fingerprints").</summary>
    public bool Fingerprint { get; init; }

    /// <summary>Discount.</summary>
    public float Gamma { get; init; } = 0.99f;

    /// <summary>Steps before a return is bootstrapped; with a lambda above 0 it has no say.</summary>
    public int NStep { get; init; } = 1;

    /// <summary>Share of longer returns, as in TD(lambda); 0: n-step.</summary>
    public float Lambda { get; init; }

    /// <summary>How weights are moved against their gradient.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Adam;

    /// <summary>Learning rate.</summary>
    public float LearningRate { get; init; } = 3e-4f;

    /// <summary>The optimiser's epsilon.</summary>
    public float OptimizerEpsilon { get; init; } = 1e-8f;

    /// <summary>RMSprop's smoothing constant.</summary>
    public float RmspropAlpha { get; init; } = 0.99f;

    /// <summary>Gradients are scaled down to this global norm; 0: never.</summary>
    public float GradientClip { get; init; } = 10f;

    /// <summary>Target networks follow every so many updates ..</summary>
    public int TargetEvery { get; init; } = 1;

    /// <summary>.. by this share; 1 is a copy.</summary>
    public float TargetTau { get; init; } = 0.01f;

    /// <summary>Whether rewards are standardised by their running mean and variance.</summary>
    public bool StandardiseRewards { get; init; } = true;

    /// <summary>The same with another learning rate; 0: the same.</summary>
    internal LearnerOptions At(float learningRate) => learningRate > 0 ? this with { LearningRate = learningRate } : this;

    /// <summary>The agents' network.</summary>
    internal AgentOptions Network => new()
    {
        Kind = Agent,
        Hidden = Hidden,
        Network = AgentNetwork,
        Shared = Shared,
        Observation = Observation,
        LastAction = LastAction,
        AgentId = AgentId,
        Fingerprint = Fingerprint,
    };

    /// <summary>Refuses what cannot be run.</summary>
    /// <exception cref="UsageException">names the option and its range.</exception>
    internal virtual void Validate()
    {
        RequireWidth(Hidden);
        AgentNetwork?.Validate();
        UsageException.Require(Gamma is >= 0 and <= 1, Gamma, "in 0 .. 1");
        UsageException.Require(NStep >= 1, NStep, "at least 1");
        UsageException.Require(Lambda is >= 0 and <= 1, Lambda, "in 0 .. 1");
        UsageException.Require(LearningRate > 0, LearningRate, "positive");
        UsageException.Require(OptimizerEpsilon > 0, OptimizerEpsilon, "positive");
        UsageException.Require(RmspropAlpha is >= 0 and < 1, RmspropAlpha, "in 0 .. 1, 1 excluded");
        UsageException.Require(GradientClip >= 0, GradientClip, "at least 0");
        UsageException.Require(TargetEvery >= 1, TargetEvery, "at least 1");
        UsageException.Require(TargetTau is > 0 and <= 1, TargetTau, "in 0 .. 1, 0 excluded");
    }

    /// <summary>Refuses a width that no layer can have.</summary>
    protected static void RequireWidth(int width, [CallerArgumentExpression(nameof(width))] string option = "")
        => NetworkOptions.RequireWidth(width, option);
}

/// <summary>The optimisers that an algorithm can be run with.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<OptimizerKind>))]
public enum OptimizerKind
{
    /// <summary>Kingma and Ba 2015.</summary>
    Adam,
    /// <summary>Tieleman and Hinton 2012.</summary>
    Rmsprop,
}
