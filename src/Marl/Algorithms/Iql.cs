using System.ComponentModel;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Independent Q-learning, with weights w of <see cref="Weighting"/> on the squared errors against the nonstationarity that the other learning agents cause:
/// hysteretic, lenient, and importance-sampled.
/// </summary>
internal sealed class IndependentQLearning : QLearning
{
    // Places in Metrics.
    private const int Weight = 2, EffectiveShare = 3;

    private readonly IqlOptions options;
    private readonly Schedule temperature;

    public IndependentQLearning(IqlOptions options, LearningContext context) : base(options, context)
    {
        this.options = options;
        temperature = Schedule.Linear(1f, 0f, options.LeniencyAnneal);
        Metrics = options.Importance == ImportanceKind.None ? base.Metrics : [.. base.Metrics, "weight", "effectiveSampleShare"];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; }

    /// <inheritdoc/>
    public override int? Divisor => options.Importance != ImportanceKind.None && options.ImportanceNormalize ? Weight : null;

    /// <inheritdoc/>
    public override void Complete(Span<float> metrics)
    {
        if (options.Importance != ImportanceKind.None)
        {
            // (sum w)^2 / sum w^2 (Kish 1965), as a share of the sample.
            float weight = metrics[Weight];
            metrics[EffectiveShare] = weight > 0 ? weight * weight / metrics[EffectiveShare] : 0;
        }
    }

    /// <inheritdoc/>
    protected override Tensor Weights(LossContext shard, in ActionValues q, Tensor y, Tensor qTot)
    {
        Tensor weight = default;
        var tape = shard.Tape;
        if (options.Hysteretic < 1f || options.Leniency > 0f)
        {
            var delta = tape.Scratch(y.Shape);
            tape.Device.Zip(default(Subtract), y, qTot, delta);
            if (options.Hysteretic < 1f)
            {
                Multiply(Weighting.Hysteretic(tape, delta, options.Hysteretic));
            }
            if (options.Leniency > 0f)
            {
                var (x, leniency) = (tape.Scratch(delta.Shape), tape.Scratch(new Shape(1)));
                shard.FillUniform(x);
                tape.Device.Fill(leniency, Weighting.Leniency(options.Leniency, temperature.At(shard.Steps)));
                Multiply(Weighting.Lenient(tape, delta, x, leniency));
            }
        }
        if (options.Importance != ImportanceKind.None)
        {
            var batch = shard.Batch;
            var now = Weighting.Probability(tape, q, shard.Exploration);
            float ceiling = options.ImportanceCeiling > 0 ? options.ImportanceCeiling : float.PositiveInfinity;
            var importance = Weighting.Importance(tape, now, batch.Probabilities, batch.Mask, options.Importance, ceiling);
            shard.Report(Weight, importance);
            using (tape.NoGrad())
            {
                shard.Report(EffectiveShare, tape.Constant(importance).Square().Value);
            }
            Multiply(importance);
        }
        return weight;

        void Multiply(Tensor factor)
        {
            if (weight.IsNone)
            {
                weight = factor;
            }
            else
            {
                tape.Device.Zip(default(Multiply), weight, factor, weight);
            }
        }
    }
}

/// <summary>Independent Q-learning, and its variants against the change of the others.</summary>
[Description("independent Q-learning (Tan 1993; Tampuu et al. 2017)")]
public sealed record IqlOptions : QLearningOptions
{
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
    public bool ImportanceNormalize { get; init; } = true;

    /// <inheritdoc/>
    public override Objective Create(LearningContext context) => new IndependentQLearning(this, context);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.Require(Hysteretic is >= 0 and <= 1, Hysteretic, "in 0 .. 1");
        UsageException.Require(Leniency >= 0, Leniency, "at least 0");
        UsageException.Require(LeniencyAnneal >= 0, LeniencyAnneal, "at least 0");
        UsageException.Require(ImportanceCeiling >= 0, ImportanceCeiling, "at least 0");
        if (Importance != ImportanceKind.None && Mixer.IsJoint)
        {
            throw new UsageException("importance weights are over the other agents, so each must learn a value of its own: they need mixer=none");
        }
    }
}
