using System.ComponentModel;
namespace Marl.Native.Rl;

/// <summary>
/// Weighted QMIX (Rashid et al. 2020, section 5): QMIX fitted to the returns of an unrestricted central value Q*, joint actions that are not the best counting
/// less, so that a monotone Q_tot can be right about the best one where it cannot be right about all.
/// <code>
/// u^_t  = argmax_u Q_tot(s_t, u): the greedy actions of the agents
/// y_t   = r_t + gamma (1 - terminated_t) Q*^-(s_{t+1}, u^_{t+1})
/// L     = sum_t mask_t (Q*(s_t, u_t) - y_t)^2 / sum_t mask_t  +  sum_t mask_t w_t (Q_tot(s_t, u_t) - y_t)^2 / sum_t mask_t
/// w_t   = 1 where u_t = u^_t or y_t > Q*^-(s_t, u^_t), else alpha                       centrally weighted, CW-QMIX
/// w_t   = 1 where Q_tot(s_t, u_t) &lt; y_t, else alpha                                     optimistically weighted, OW-QMIX
/// </code>
/// with n-step or lambda returns in place of y where asked for. Weights and returns are constants to the gradient; one optimizer steps all networks.
/// </summary>
internal sealed class WeightedQmix : Objective
{
    // Places in Metrics.
    private const int QmixLoss = 0, CentralLoss = 1, Weight = 2, Prediction = 3, Goal = 4;

    private readonly WeightedQmixOptions options;
    private readonly Agent central;
    private readonly IMixer mixer, centralMixer;

    public WeightedQmix(WeightedQmixOptions options, LearningContext context)
    {
        this.options = options;
        var layout = AddNetwork("network", options);
        var spec = context.Spec;
        context.RequireCommonReward("a mixer learns one common value");
        Agent = new Agent(layout.Scope("agent"), spec, options.Network);
        mixer = options.Mixer.Create(layout.Scope("mixer"), spec);
        central = new Agent(layout.Scope("central_agent"), spec, options.Network with { Hidden = options.CentralHidden });
        centralMixer = new CentralMixer { Embed = options.CentralEmbed }.Create(layout.Scope("central_mixer"), spec);
    }

    /// <inheritdoc/>
    public override Agent Agent { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; } = ["qmixLoss", "centralLoss", "weight", "prediction", "target"];

    /// <inheritdoc/>
    public override Var Loss(LossContext shard)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var (available, states) = (batch.Available.Slice(0, steps), batch.States.Slice(0, steps));
        var input = Agent.Input.Build(tape, batch);
        var all = Agent.Forward(shard.Online, input, shard.InitialState(Agent)).Output;                                             // [T+1, B, N, A]
        var qTot = mixer.Forward(shard.Online, new ActionValues(all.Slice(0, 0, steps), batch.Actions, available), states); // [T, B, 1]
        var centralAll = central.Forward(shard.Online, input, shard.InitialState(central)).Output;
        var qStar = centralMixer.Forward(shard.Online, new ActionValues(centralAll.Slice(0, 0, steps), batch.Actions, available), states);
        var (y, weight) = TargetReturns(shard, input, all.Value, qTot.Value);
        var qmixError = (qTot - y).Square() * weight;
        var centralError = (qStar - y).Square();
        shard.Report(QmixLoss, qmixError.Value);
        shard.Report(CentralLoss, centralError.Value);
        shard.Report(Weight, weight);
        shard.Report(Prediction, qTot.Value);
        shard.Report(Goal, y);
        return shard.Mean(qmixError) + shard.Mean(centralError);
    }

    /// <summary>y_t and w_t [T, B, 1]: what Q_tot and Q* should have been, and what an error of Q_tot counts. Functions of tensors: no gradient.</summary>
    private (Tensor Returns, Tensor Weight) TargetReturns(LossContext shard, in InputRows input, Tensor qOnline, Tensor qTot)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var (y, weight) = (tape.Scratch(qTot.Shape), tape.Scratch(qTot.Shape));
        using (tape.NoGrad())
        {
            var chooser = options.DoubleQ ? qOnline : Agent.Forward(shard.Target, input, shard.InitialState(Agent)).Output.Value;
            var greedy = tape.ArgMax(chooser, batch.Available).Reshape(steps + 1, batch.Count, Agent.Agents);               // u^_t
            var q = central.Forward(shard.Target, input, shard.InitialState(central)).Output;                                       // [T+1, B, N, A]
            var (transitions, vNext) = (shard.TransitionsOf(options.Gamma), OfGreedy(first: 1));
            (options.Lambda == 0
                ? Targets.NStep(tape, transitions, vNext, options.NStep)
                : Targets.Lambda(tape, transitions, vNext, options.Lambda)).CopyTo(y);
            (options.IsCentral
                ? Weighting.Central(tape, y, OfGreedy(first: 0), batch.Actions, greedy.Slice(0, steps), options.Alpha)
                : Weighting.Optimistic(tape, y, qTot, options.Alpha)).CopyTo(weight);

            // Q*^-(s, u^) in rows first .. first + T - 1.
            Tensor OfGreedy(int first)
                => centralMixer.Forward(shard.Target, new ActionValues(q.Slice(0, first, steps), greedy.Slice(first, steps),
                    batch.Available.Slice(first, steps)), batch.States.Slice(first, steps)).Value;
        }
        return (y, weight);
    }
}

/// <summary>Hyperparameters of weighted QMIX.</summary>
public abstract record WeightedQmixOptions : ValueOptions
{
    /// <summary>Agents of 64 units.</summary>
    protected WeightedQmixOptions() => Hidden = 64;

    /// <summary>The weight of the other joint actions, in 0 .. 1; 1 is QMIX learning from central values.</summary>
    public float Alpha { get; init; } = 0.75f;

    /// <summary>The mixer of the agents' values.</summary>
    public MixerOptions Mixer { get; init; } = new QmixMixer();

    /// <summary>Width of the hidden layers of the agents' networks within the central value.</summary>
    public int CentralHidden { get; init; } = 64;

    /// <summary>Width of the hidden layers of the central mixing network.</summary>
    public int CentralEmbed { get; init; } = 256;

    /// <summary>Whether joint actions of weight 1 are the greedy one and those whose return is greater than its central value (CW-QMIX); otherwise those
    /// whose value is below the return (OW-QMIX).</summary>
    internal abstract bool IsCentral { get; }

    /// <inheritdoc/>
    public override Objective Create(LearningContext context) => new WeightedQmix(this, context);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        Mixer.Validate();
        UsageException.RequireWidth(CentralHidden);
        UsageException.RequireWidth(CentralEmbed);
        UsageException.Require(Alpha is >= 0 and <= 1, Alpha, "in 0 .. 1");
    }
}

/// <summary>Centrally-weighted QMIX.</summary>
[Description("centrally-weighted QMIX (Rashid et al. 2020)")]
public sealed record CwQmixOptions : WeightedQmixOptions
{
    internal override bool IsCentral => true;
}

/// <summary>Optimistically-weighted QMIX.</summary>
[Description("optimistically-weighted QMIX (Rashid et al. 2020)")]
public sealed record OwQmixOptions : WeightedQmixOptions
{
    /// <summary>With the alpha of the paper.</summary>
    public OwQmixOptions() => Alpha = 0.5f;

    internal override bool IsCentral => false;
}
