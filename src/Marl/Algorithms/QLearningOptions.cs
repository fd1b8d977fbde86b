namespace Marl.Native.Rl;

/// <summary>
/// Hyper-parameters of deep Q-learning: IQL, VDN, QMIX and QPLEX by their mixer, the stabilised variants of IQL by what their squared errors count.
/// </summary>
public sealed record QLearningOptions : ValueOptions
{
    /// <summary>How agents' values become the values that are learned.</summary>
    public MixerKind Mixer { get; init; }

    /// <summary>Width of QMIX's mixing network.</summary>
    public int MixingEmbed { get; init; } = 32;

    /// <summary>Depth of QMIX's hypernetworks, 1 or 2.</summary>
    public int HypernetLayers { get; init; } = 2;

    /// <summary>Width of QMIX's hypernetworks at depth 2, and of QPLEX's.</summary>
    public int HypernetEmbed { get; init; } = 64;

    /// <summary>Number of QPLEX's kernels of attention.</summary>
    public int Kernels { get; init; } = 4;

    /// <summary>Depth of the networks of QPLEX's kernels, 1 .. 3.</summary>
    public int KernelLayers { get; init; } = 1;

    /// <summary>Width of the hidden layers of QPLEX's kernels at depth 2 and 3.</summary>
    public int KernelEmbed { get; init; } = 64;

    /// <summary>The mixer; by default that of <see cref="Mixer"/> and the sizes here.</summary>
    internal MixerOptions MixerOptions
    {
        get => field ?? Mixer switch
        {
            MixerKind.Vdn => new VdnMixer(),
            MixerKind.Qmix => new QmixMixer { Embed = MixingEmbed, HypernetLayers = HypernetLayers, HypernetEmbed = HypernetEmbed },
            MixerKind.Qplex => new QplexMixer { HypernetEmbed = HypernetEmbed, Kernels = Kernels, KernelLayers = KernelLayers, KernelEmbed = KernelEmbed },
            _ => new IndependentMixer(),
        };
        init;
    }

    /// <summary>Which longer returns <see cref="LearnerOptions.Lambda"/> mixes.</summary>
    public TraceKind Trace { get; init; }

    /// <summary>beta / alpha of hysteretic Q-learning, what negative errors count beside positive ones (Matignon et al. 2007); 1: the same.</summary>
    public float Hysteretic { get; init; } = 1f;

    /// <summary>K of lenient Q-learning: negative errors are forgiven with probability 1 - exp(-K temperature) (Palmer et al. 2018); 0: never.</summary>
    public float Leniency { get; init; }

    /// <summary>Training steps in which the temperature falls from 1 to 0, linearly.</summary>
    public long LeniencyAnneal { get; init; } = 200_000;

    /// <summary>Whether errors are weighted by how much likelier the other agents' actions have become since (Foerster et al. 2017).</summary>
    public ImportanceKind Importance { get; init; }

    /// <summary>Greatest importance weight; 0: there is none.</summary>
    public float ImportanceCeiling { get; init; }

    /// <summary>Whether importance weights are divided by their mean over the batch.</summary>
    public bool ImportanceNormalise { get; init; } = true;

    /// <summary>Factor on the loss; 1 everywhere but where a peer's numbers are to be had.</summary>
    public float LossScale { get; init; } = 1f;

    internal override void Validate()
    {
        base.Validate();
        RequireWidth(MixingEmbed);
        RequireWidth(HypernetEmbed);
        UsageException.Require(HypernetLayers is 1 or 2, HypernetLayers, "1 or 2");
        RequireWidth(Kernels);
        UsageException.Require(KernelLayers is >= 1 and <= 3, KernelLayers, "in 1 .. 3");
        RequireWidth(KernelEmbed);
        MixerOptions.Validate();
        UsageException.Require(Hysteretic is >= 0 and <= 1, Hysteretic, "in 0 .. 1");
        UsageException.Require(Leniency >= 0, Leniency, "at least 0");
        UsageException.Require(LeniencyAnneal >= 0, LeniencyAnneal, "at least 0");
        UsageException.Require(ImportanceCeiling >= 0, ImportanceCeiling, "at least 0");
        UsageException.Require(LossScale > 0, LossScale, "positive");
        if (Importance != ImportanceKind.None && MixerOptions.IsJoint)
        {
            throw new UsageException("importance weights are over the other agents, so each must learn a value of its own: they need mixer=none, which is iql");
        }
    }
}

/// <summary>How agents' values become the values that are learned.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<MixerKind>))]
public enum MixerKind
{
    /// <summary>Not at all: independent learners.</summary>
    None,
    /// <summary>By their sum.</summary>
    Vdn,
    /// <summary>By a monotone network.</summary>
    Qmix,
    /// <summary>By duplex duelling.</summary>
    Qplex,
}

/// <summary>The returns that lambda mixes, see <see cref="Targets"/>. The policy that is evaluated is the greedy one.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<TraceKind>))]
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

/// <summary>Whose steps an importance weight is the product over.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<ImportanceKind>))]
public enum ImportanceKind
{
    /// <summary>There is no weight.</summary>
    None,
    /// <summary>The step of the error.</summary>
    Step,
    /// <summary>All steps of the episode up to it.</summary>
    Episode,
}
