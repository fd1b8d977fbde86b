using System.Runtime.CompilerServices;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// An algorithm: its hyperparameters, and what makes its learner. These are the ones that all have; a family's follow in <see cref="ReplayOptions"/> and
/// <see cref="OnPolicyOptions"/>. A record's defaults are the same in every environment; presets overlay them with what was published (<see cref="Presets"/>).
/// Properties are set by name on the command line (<c>--set hidden=64</c>), those of a part by the part's name where the plain one is ambiguous
/// (<c>--set mixer.embed=16</c>).
/// </summary>
/// <example><code>
/// var options = new QmixOptions
/// {
///     Agent = new MlpNetwork(),
///     Hidden = 64,
///     LearningRate = 1e-3f,
///     Exploration = new EpsilonGreedy { EpsilonAnneal = 50_000 },
///     Mixer = new QmixMixer { Embed = 16 },
/// };
/// options.Validate();
/// </code></example>
public abstract record AlgorithmOptions
{
    /// <summary>The agents' network.</summary>
    public NetworkOptions Agent { get; init; } = new GruNetwork();

    /// <summary>Width of the agents' hidden layers.</summary>
    public int Hidden { get; init; } = 128;

    /// <summary>Whether agents share their weights.</summary>
    public bool ShareParameters { get; init; } = true;

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

    /// <summary>How actions are chosen, and how much is explored.</summary>
    public Exploration Exploration { get; init; } = new EpsilonGreedy();

    /// <summary>The optimizer. Its learning rate is <see cref="LearningRate"/>.</summary>
    public UpdateRule Optimizer { get; init; } = new Adam();

    /// <summary>Learning rate.</summary>
    public float LearningRate { get; init; } = 3e-4f;

    /// <summary>Gradients are scaled down to this global norm; 0: never.</summary>
    public float MaxGradientNorm { get; init; } = 10f;

    /// <summary>Target networks follow every so many updates ..</summary>
    public int TargetUpdateInterval { get; init; } = 1;

    /// <summary>.. by this share; 1 is a copy.</summary>
    public float TargetTau { get; init; } = 0.01f;

    /// <summary>Whether rewards are standardized by their running mean and variance.</summary>
    public bool StandardizeRewards { get; init; } = true;

    /// <summary>Whether it learns continuous actions.</summary>
    public virtual bool IsContinuous => false;

    /// <summary>A learner with fresh weights.</summary>
    /// <exception cref="UsageException">An option is out of range, or the environment has something that it cannot learn; names it and the remedy.</exception>
    public ILearner CreateLearner(LearningContext context)
    {
        Validate();
        return NewLearner(context);
    }

    /// <summary>A learner of valid options.</summary>
    protected abstract ILearner NewLearner(LearningContext context);

    /// <summary>The same with another learning rate; 0: the same.</summary>
    internal AlgorithmOptions At(float learningRate) => learningRate > 0 ? this with { LearningRate = learningRate } : this;

    /// <summary>What an <see cref="Rl.Agent"/> is built from: <see cref="Agent"/>, its width, and what agents see.</summary>
    public AgentOptions Network => new()
    {
        Network = Agent,
        Hidden = Hidden,
        ShareParameters = ShareParameters,
        Observation = Observation,
        LastAction = LastAction,
        AgentId = AgentId,
        Fingerprint = Fingerprint,
    };

    /// <summary>Refuses values out of range.</summary>
    /// <exception cref="UsageException">Names the option and its range.</exception>
    public virtual void Validate()
    {
        Agent.Validate();
        Exploration.Validate();
        UsageException.RequireWidth(Hidden);
        UsageException.Require(Gamma is >= 0 and <= 1, Gamma, "in 0 .. 1");
        UsageException.Require(NStep >= 1, NStep, "at least 1");
        UsageException.Require(Lambda is >= 0 and <= 1, Lambda, "in 0 .. 1");
        UsageException.Require(LearningRate > 0, LearningRate, "positive");
        UsageException.Require(MaxGradientNorm >= 0, MaxGradientNorm, "at least 0");
        UsageException.Require(TargetUpdateInterval >= 1, TargetUpdateInterval, "at least 1");
        UsageException.Require(TargetTau is > 0 and <= 1, TargetTau, "in 0 .. 1, 0 excluded");
    }
}
