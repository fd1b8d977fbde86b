using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>Options of deep Q-learning with a mixer of the agents' action values.</summary>
public abstract record QLearningOptions : ValueOptions
{
    /// <summary>The function of the agents' chosen action values that is regressed on the return. none: each agent's value by itself.</summary>
    public MixerOptions Mixer { get; init; } = new IndependentMixer();

    /// <summary>The kind of lambda return; used if lambda is above 0. peng: Peng's Q(lambda); qLambda: Q(lambda) with off-policy corrections; retrace:
    /// Retrace, the same as Watkins' Q(lambda); pyMarl2: Q(lambda) as PyMARL2 computes it.</summary>
    public TraceKind Trace { get; init; }

    /// <summary>Factor of the loss, above 0. 1 except to reproduce implementations that scale theirs.</summary>
    public float LossScale { get; init; } = 1f;

    /// <summary>Whether the algorithm supports actions with several discrete branches: all but the mixer of QPLEX, which reads each action.</summary>
    public override bool SupportsBranches => Mixer is not QplexMixer;

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

/// <summary>VDN: value-decomposition networks (Sunehag et al. 2018). The team's value is the sum of the agents' values.</summary>
[Description("value-decomposition networks (Sunehag et al. 2018)")]
public sealed record VdnOptions : QLearningOptions
{
    /// <summary>Initializes the defaults: a sum as the mixer.</summary>
    public VdnOptions() => Mixer = new VdnMixer();
}

/// <summary>QMIX (Rashid et al. 2018). The team's value is a monotonic function of the agents' values, with weights from the state.</summary>
[Description("monotonic value function factorization (Rashid et al. 2018)")]
public sealed record QmixOptions : QLearningOptions
{
    /// <summary>Initializes the defaults: a monotonic mixing network, and 64 hidden units.</summary>
    public QmixOptions() => (Hidden, Mixer) = (64, new QmixMixer());
}

/// <summary>QPLEX (Wang et al. 2021). A duplex dueling mixer represents every joint value whose greedy joint action is made of the agents' greedy
/// actions.</summary>
[Description("duplex dueling value factorization (Wang et al. 2021)")]
public sealed record QplexOptions : QLearningOptions
{
    /// <summary>Initializes the defaults: a duplex dueling mixer, and 64 hidden units.</summary>
    public QplexOptions() => (Hidden, Mixer) = (64, new QplexMixer());
}

/// <summary>The kind of lambda return for the greedy policy, see <see cref="Targets"/>.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(CamelCaseEnumConverter<TraceKind>))]
public enum TraceKind
{
    /// <summary>Peng's Q(lambda): TD(lambda) on the greedy values, without off-policy corrections (Peng and Williams 1996).</summary>
    Peng,
    /// <summary>Q(lambda) with off-policy corrections (Harutyunyan et al. 2016).</summary>
    QLambda,
    /// <summary>Retrace (Munos et al. 2016): traces end at actions that are not greedy. For a greedy policy it equals tree backup and Watkins'
    /// Q(lambda).</summary>
    Retrace,
    /// <summary>Q(lambda) as PyMARL2 computes it: the correction of a step is part of the step's own target.</summary>
    PyMarl2,
}
