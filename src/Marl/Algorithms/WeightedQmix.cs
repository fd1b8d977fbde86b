using System.ComponentModel;
namespace Marl.Native.Rl;

/// <summary>
/// Weighted QMIX (Rashid et al. 2020, section 5): QMIX with targets from an unrestricted central value Q*, and smaller weights for joint actions that are not
/// the best one, so that a monotonic Q_tot is accurate at the best joint action.
/// <code>
/// u^_t  = argmax_u Q_tot(s_t, u): the greedy actions of the agents
/// y_t   = r_t + gamma (1 - terminated_t) Q*^-(s_{t+1}, u^_{t+1})
/// L     = sum_t mask_t (Q*(s_t, u_t) - y_t)^2 / sum_t mask_t  +  sum_t mask_t w_t (Q_tot(s_t, u_t) - y_t)^2 / sum_t mask_t
/// w_t   = 1 where u_t = u^_t or y_t > Q*^-(s_t, u^_t), else alpha                       centrally weighted, CW-QMIX
/// w_t   = 1 where Q_tot(s_t, u_t) &lt; y_t, else alpha                                     optimistically weighted, OW-QMIX
/// </code>
/// y may be an n-step or lambda return as well. Weights and returns are constants; one optimizer updates all networks.
/// </summary>
internal sealed class WeightedQmix : Objective
{
    // Indices in Metrics.
    private const int QmixLoss = 0, CentralLoss = 1, Weight = 2, Prediction = 3, Target = 4;

    private readonly WeightedQmixOptions options;
    private readonly Agent central;
    private readonly IMixer mixer, centralMixer;

    public WeightedQmix(WeightedQmixOptions options, LearningContext context)
    {
        this.options = options;
        var layout = AddNetwork("network", options);
        var spec = context.Spec;
        context.RequireCommonReward("a mixer learns one value for the team");
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
    public override Var Loss(LossContext context)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var (available, states) = (batch.Available.Slice(0, steps), batch.States.Slice(0, steps));
        var input = Agent.Input.Build(tape, batch);
        var all = Agent.Forward(context.Online, input, context.InitialState(Agent)).Output;                                             // [T+1, B, N, A]
        var qTot = mixer.Forward(context.Online, new ActionValues(all.Slice(0, 0, steps), batch.Actions, available), states); // [T, B, 1]
        var centralAll = central.Forward(context.Online, input, context.InitialState(central)).Output;
        var qStar = centralMixer.Forward(context.Online, new ActionValues(centralAll.Slice(0, 0, steps), batch.Actions, available), states);
        var (y, weight) = TargetReturns(context, input, all.Value, qTot.Value);
        var qmixError = (qTot - y).Square() * weight;
        var centralError = (qStar - y).Square();
        context.Report(QmixLoss, qmixError.Value);
        context.Report(CentralLoss, centralError.Value);
        context.Report(Weight, weight);
        context.Report(Prediction, qTot.Value);
        context.Report(Target, y);
        return context.Mean(qmixError) + context.Mean(centralError);
    }

    /// <summary>Computes the targets y_t of Q_tot and Q*, and the weights w_t of the errors of Q_tot, [T, B, 1]. Without gradients.</summary>
    private (Tensor Returns, Tensor Weight) TargetReturns(LossContext context, in InputRows input, Tensor qOnline, Tensor qTot)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var (y, weight) = (tape.Scratch(qTot.Shape), tape.Scratch(qTot.Shape));
        using (tape.NoGrad())
        {
            var selector = options.DoubleQ ? qOnline : Agent.Forward(context.Target, input, context.InitialState(Agent)).Output.Value;
            var greedy = QLearning.Greedy(tape, Agent, selector, batch);                                                       // u^_t
            var q = central.Forward(context.Target, input, context.InitialState(central)).Output;                                       // [T+1, B, N, A]
            var (transitions, vNext) = (context.TransitionsOf(options.Gamma), OfGreedy(first: 1));
            (options.Lambda == 0
                ? Targets.NStep(tape, transitions, vNext, options.NStep)
                : Targets.Lambda(tape, transitions, vNext, options.Lambda)).CopyTo(y);
            (options.IsCentral
                ? Weighting.Central(tape, y, OfGreedy(first: 0), Joint(batch.Actions), Joint(greedy.Slice(0, steps)), options.Alpha)
                : Weighting.Optimistic(tape, y, qTot, options.Alpha)).CopyTo(weight);

            // The choices of all agents and branches, [T, B, N K].
            Tensor Joint(Tensor actions) => actions.Reshape(steps, batch.Count, actions.Count / (steps * batch.Count));

            // Q*^-(s, u^) [T, B, 1] of rows first to first + T - 1.
            Tensor OfGreedy(int first)
                => centralMixer.Forward(context.Target, new ActionValues(q.Slice(0, first, steps), greedy.Slice(first, steps),
                    batch.Available.Slice(first, steps)), batch.States.Slice(first, steps)).Value;
        }
        return (y, weight);
    }
}

/// <summary>Options of weighted QMIX (Rashid et al. 2020).</summary>
public abstract record WeightedQmixOptions : ValueOptions
{
    /// <summary>Initializes the defaults: 64 hidden units.</summary>
    protected WeightedQmixOptions() => Hidden = 64;

    /// <summary>Weight of the errors of joint actions other than the best, in [0, 1]. 1: QMIX with targets from the central value.</summary>
    public float Alpha { get; init; } = 0.75f;

    /// <summary>The mixer of the agents' action values.</summary>
    public MixerOptions Mixer { get; init; } = new QmixMixer();

    /// <summary>Units of each hidden layer of the central value's agent networks, 1 to 8192.</summary>
    public int CentralHidden { get; init; } = 64;

    /// <summary>Units of each hidden layer of the central value's mixing network, 1 to 8192.</summary>
    public int CentralEmbed { get; init; } = 256;

    /// <summary>Whether weights are central (CW-QMIX): 1 for the greedy joint action and for returns above its central value. Otherwise optimistic (OW-QMIX):
    /// 1 where the value is below the return.</summary>
    internal abstract bool IsCentral { get; }

    /// <inheritdoc/>
    public override bool SupportsBranches => Mixer is not QplexMixer;

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

/// <summary>CW-QMIX: centrally weighted QMIX (Rashid et al. 2020).</summary>
[Description("centrally weighted QMIX (Rashid et al. 2020)")]
public sealed record CwQmixOptions : WeightedQmixOptions
{
    internal override bool IsCentral => true;
}

/// <summary>OW-QMIX: optimistically weighted QMIX (Rashid et al. 2020).</summary>
[Description("optimistically weighted QMIX (Rashid et al. 2020)")]
public sealed record OwQmixOptions : WeightedQmixOptions
{
    /// <summary>Initializes the defaults: the paper's alpha of 0.5.</summary>
    public OwQmixOptions() => Alpha = 0.5f;

    internal override bool IsCentral => false;
}
