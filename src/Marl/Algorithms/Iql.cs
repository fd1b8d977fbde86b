using System.ComponentModel;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Independent Q-learning. The weights w of the squared errors (<see cref="Weighting"/>) counter the nonstationarity that the other learning agents cause:
/// hysteretic, lenient and importance weights.
/// </summary>
internal sealed class IndependentQLearning : QLearning
{
    // Indices in Metrics.
    private const int Weight = 2, EffectiveShare = 3;

    private readonly IqlOptions options;
    private readonly Temperatures? temperatures;
    private readonly long totalSteps;

    public IndependentQLearning(IqlOptions options, LearningContext context) : base(options, context)
    {
        (this.options, totalSteps) = (options, context.TotalSteps);
        if (options.Importance != ImportanceKind.None)
        {
            context.RequireOneBranch("importance weights are ratios of the probabilities of single choices; use importance=none");
        }
        if (options.Leniency is VisitLeniency { Moderation: > 0 })
        {
            context.RequireOneBranch("temperatures belong to single choices; use leniency=annealed");
        }
        temperatures = options.Leniency is VisitLeniency { Moderation: > 0 } visits ? new Temperatures(visits, context.Spec) : null;
        Metrics = options.Importance == ImportanceKind.None ? base.Metrics : [.. base.Metrics, "weight", "effectiveSampleShare"];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Column> Columns => temperatures is null ? [] : [Temperatures.Leniency];

    /// <inheritdoc/>
    public override void Record(Episode episode) => temperatures?.Record(episode);

    /// <inheritdoc/>
    public override void Archive(IArchive archive) => temperatures?.Archive(archive.Scope("temperatures"));

    /// <inheritdoc/>
    public override int? DivisorMetric => options.Importance != ImportanceKind.None && options.ImportanceNormalize ? Weight : null;

    /// <inheritdoc/>
    public override void CompleteMetrics(Span<float> metrics)
    {
        if (options.Importance != ImportanceKind.None)
        {
            // The effective sample size (sum w)^2 / sum w^2 (Kish 1965), as a fraction of the sample size.
            float weight = metrics[Weight];
            metrics[EffectiveShare] = weight > 0 ? weight * weight / metrics[EffectiveShare] : 0;
        }
    }

    /// <inheritdoc/>
    protected override (Tensor Error, Tensor Trace) ImportanceWeights(LossContext context, in ActionValues q)
    {
        if (options.Importance == ImportanceKind.None)
        {
            return default;
        }
        var now = CurrentProbabilities(context, q);
        var error = Weights(options.Importance);
        // Returns of one step end before the others act again.
        return (error, options is { NStep: 1, Lambda: 0 } ? default : options.Importance == ImportanceKind.Step ? error : Weights(ImportanceKind.Step));

        Tensor Weights(ImportanceKind kind) => Weighting.Importance(context.Tape, now, context.Batch.Probabilities, context.Batch.Mask, kind,
            options.ImportanceCeiling > 0 ? options.ImportanceCeiling : float.PositiveInfinity);
    }

    /// <summary>Computes the probabilities pi_a(u_a) [T, B, N] of the actions taken under the current policies: with fingerprints those of the current
    /// fingerprint.</summary>
    private Tensor CurrentProbabilities(LossContext context, in ActionValues q)
    {
        var tape = context.Tape;
        if (!options.Fingerprint)
        {
            return Weighting.Probability(tape, q, context.Exploration);
        }
        var now = tape.Scratch(q.Actions.Shape);
        using (tape.NoGrad())
        {
            var input = Agent.Input.Build(tape, context.Batch, Rl.Fingerprint.Of(context.Steps, totalSteps, context.Exploration));
            var all = Agent.Forward(context.Online, input, context.InitialState(Agent)).Output.Slice(0, 0, context.Batch.Steps);
            Weighting.Probability(tape, new ActionValues(all, q.Actions, q.Available), context.Exploration).CopyTo(now);
        }
        return now;
    }

    /// <inheritdoc/>
    protected override Tensor Weights(LossContext context, Tensor y, Tensor qTot, Tensor importance)
    {
        Tensor weight = default;
        var tape = context.Tape;
        if (options.Hysteretic < 1f || options.Leniency.Moderation > 0f)
        {
            var delta = tape.Scratch(y.Shape);
            tape.Device.Zip(default(Subtract), y, qTot, delta);
            if (options.Hysteretic < 1f)
            {
                Multiply(Weighting.Hysteretic(tape, delta, options.Hysteretic));
            }
            if (options.Leniency.Moderation > 0f)
            {
                var x = tape.Scratch(delta.Shape);
                context.FillUniform(x);
                Multiply(Weighting.Lenient(tape, delta, x, Leniency()));
            }
        }
        if (!importance.IsNone)
        {
            context.Report(Weight, importance);
            using (tape.NoGrad())
            {
                context.Report(EffectiveShare, tape.Constant(importance).Square().Value);
            }
            Multiply(importance);
        }
        return weight;

        // l [T, B, N], or [1] for all transitions.
        Tensor Leniency()
        {
            if (options.Leniency is not AnnealedLeniency annealed)
            {
                return context.Batch[Temperatures.Leniency];
            }
            var leniency = tape.Scratch(new Shape(1));
            tape.Device.Fill(leniency, Weighting.Leniency(annealed.Moderation, Schedule.Linear(1f, 0f, annealed.Anneal).At(context.Steps)));
            return leniency;
        }

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

/// <summary>IQL: independent Q-learning (Tan 1993; Tampuu et al. 2017), with hysteretic (Matignon et al. 2007), lenient (Palmer et al. 2018) and
/// importance-weighted (Foerster et al. 2017) variants.</summary>
[Description("independent Q-learning (Tan 1993; Tampuu et al. 2017)")]
public sealed record IqlOptions : QLearningOptions
{
    /// <summary>Hysteretic Q-learning: weight of negative errors, beta / alpha in Matignon et al. 2007, in [0, 1]. 1: off.</summary>
    public float Hysteretic { get; init; } = 1f;

    /// <summary>Lenient learning. annealed: one temperature, annealed over the steps of training; visits: temperatures of observations and actions, which fall
    /// with visits (Palmer et al. 2018).</summary>
    public LeniencyOptions Leniency { get; init; } = new AnnealedLeniency();

    /// <summary>Importance weights of errors, the ratio of the other agents' current and past action probabilities (Foerster et al. 2017). none: off; step:
    /// ratio of the step; episode: product over the episode up to the step. The later steps of n-step and lambda returns are weighted by their own
    /// ratios.</summary>
    public ImportanceKind Importance { get; init; }

    /// <summary>Upper bound of importance weights. 0: no bound.</summary>
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
        Leniency.Validate();
        UsageException.Require(ImportanceCeiling >= 0, ImportanceCeiling, "at least 0");
        if (Leniency is VisitLeniency { Moderation: > 0 } && Mixer.IsJoint)
        {
            throw new UsageException("temperatures of observations and actions are an agent's own, so each must learn a value of its own; use mixer=none");
        }
        if (Importance != ImportanceKind.None && Mixer.IsJoint)
        {
            throw new UsageException("importance weights differ between agents, so each must learn a value of its own; use mixer=none");
        }
    }
}
