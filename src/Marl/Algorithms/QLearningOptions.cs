using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>Hyperparameters of deep Q-learning with any mixer.</summary>
public abstract record QLearningOptions : ValueOptions
{
    /// <summary>How the agents' values become the values that are learned.</summary>
    public MixerOptions Mixer { get; init; } = new IndependentMixer();

    /// <summary>Which longer returns <see cref="AlgorithmOptions.Lambda"/> mixes.</summary>
    public TraceKind Trace { get; init; }

    /// <summary>Factor on the loss; 1 except to compare with a peer's numbers.</summary>
    public float LossScale { get; init; } = 1f;

    /// <inheritdoc/>
    public override Objective Create(LearningContext context) => new QLearning(this, context);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        Mixer.Validate();
        UsageException.Require(LossScale > 0, LossScale, "positive");
    }
}

/// <summary>VDN: the team's value is the sum of the agents' values.</summary>
[Description("value decomposition networks (Sunehag et al. 2018)")]
public sealed record VdnOptions : QLearningOptions
{
    /// <summary>With a sum.</summary>
    public VdnOptions() => Mixer = new VdnMixer();
}

/// <summary>QMIX: the team's value grows with every agent's value.</summary>
[Description("monotone value factorization (Rashid et al. 2018)")]
public sealed record QmixOptions : QLearningOptions
{
    /// <summary>With a monotone mixing network, and agents of 64 units.</summary>
    public QmixOptions() => (Hidden, Mixer) = (64, new QmixMixer());
}

/// <summary>QPLEX: any joint value whose greedy joint action is that of the agents.</summary>
[Description("duplex dueling value factorization (Wang et al. 2021)")]
public sealed record QplexOptions : QLearningOptions
{
    /// <summary>With a duplex dueling mixer, and agents of 64 units.</summary>
    public QplexOptions() => (Hidden, Mixer) = (64, new QplexMixer());
}

/// <summary>The returns that lambda mixes, see <see cref="Targets"/>. The policy that is evaluated is the greedy one.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(CamelCaseEnumConverter<TraceKind>))]
public enum TraceKind
{
    /// <summary>TD(lambda) on the greedy values, Peng's Q(lambda): what was done counts as if it had been greedy (Peng and Williams 1996).</summary>
    Peng,
    /// <summary>Q(lambda) with off-policy corrections (Harutyunyan et al. 2016).</summary>
    QLambda,
    /// <summary>Retrace (Munos et al. 2016): traces end where an action was not greedy. For a greedy policy tree backup and Watkins' Q(lambda) are the
    /// same.</summary>
    Retrace,
    /// <summary>Q(lambda) as PyMARL2 computes it, to compare with it: the correction of the present step is in its own target.</summary>
    PyMarl2,
}
