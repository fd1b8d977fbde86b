using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Multi-agent deep Q-learning: independent (IQL), or with a sum (VDN), a monotonic (QMIX) or a duplex dueling mixer (QPLEX).
/// <code>
/// Q_tot = mix(Q_1(u_1), .., Q_n(u_n); s)
/// y_t   = r_t + gamma (1 - terminated_t) Q_tot^-(s_{t+1}, argmax_u Q_a(u))      argmax by the online (double Q) or the target networks
/// L     = sum_t mask_t w_t (y_t - Q_tot,t)^2 / sum_t mask_t
/// </code>
/// y may be an n-step or lambda return as well; w = 1 and no trace is corrected except for <see cref="IndependentQLearning"/>. Each agent's greedy action is
/// its part of the greedy joint action, because the mixers are monotonic (Rashid et al. 2018, equation 4). The value of an action with several branches is the
/// mean over its branches (<see cref="ActionValues"/>), so its greedy action is the greedy choice of each branch.
/// </summary>
internal class QLearning : Objective
{
    // Indices in Metrics.
    private const int Prediction = 0, Target = 1;

    private readonly QLearningOptions options;
    private readonly IMixer mixer;

    public QLearning(QLearningOptions options, LearningContext context)
    {
        this.options = options;
        var layout = AddNetwork("network", options);
        var spec = context.Spec;
        Agent = new Agent(layout.Scope("agent"), spec, options.Network);
        mixer = options.Mixer.Create(layout.Scope("mixer"), spec);
        if (options.Mixer.IsJoint)
        {
            context.RequireCommonReward("a mixer learns one value for the team");
        }
    }

    /// <inheritdoc/>
    public override Agent Agent { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics => ["prediction", "target"];

    /// <inheritdoc/>
    public override Var Loss(LossContext context)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var input = Agent.Input.Build(tape, batch);
        var all = Agent.Forward(context.Online, input, context.InitialState(Agent)).Output;                                             // [T+1, B, N, A]
        var q = new ActionValues(all.Slice(0, 0, steps), batch.Actions, batch.Available.Slice(0, steps));
        var qTot = mixer.Forward(context.Online, q, batch.States.Slice(0, steps));                                            // [T, B, M]
        var importance = ImportanceWeights(context, q);
        var y = TargetReturns(context, input, all.Value, qTot.Shape, importance.Trace);
        context.Report(Prediction, qTot.Value);
        context.Report(Target, y);
        var squaredError = (qTot - y).Square();
        var weight = Weights(context, y, qTot.Value, importance.Error);
        var loss = context.Mean(weight.IsNone ? squaredError : squaredError * weight);
        return options.LossScale == 1f ? loss : loss * options.LossScale;
    }

    /// <summary>Returns the agents' greedy actions in all rows [T+1, B, N], or [T+1, B, N, K]: the available choice with the largest value in each
    /// branch.</summary>
    internal static Tensor Greedy(Tape tape, Agent agent, Tensor q, EpisodeBatch batch)
        => tape.ArgMax(q.Branches(agent.Layout, tape), batch.Available.Branches(agent.Layout, tape)).Reshape(batch.BootstrapActions.Shape);

    /// <summary>Computes the importance weights of the errors, and those of a step in the returns of earlier steps, [T, B, M]; <c>default</c>: 1.</summary>
    protected virtual (Tensor Error, Tensor Trace) ImportanceWeights(LossContext context, in ActionValues q) => default;

    /// <summary>Computes the weights w_t [T, B, M] of the squared errors; <c>default</c>: 1.</summary>
    protected virtual Tensor Weights(LossContext context, Tensor y, Tensor qTot, Tensor importance) => default;

    /// <summary>Computes the targets y_t [T, B, M] with the target networks. Without gradients.</summary>
    private Tensor TargetReturns(LossContext context, in InputRows input, Tensor qOnline, Shape shape, Tensor trace)
    {
        var (tape, batch, steps, lambda) = (context.Tape, context.Batch, context.Batch.Steps, options.Lambda);
        var y = tape.Scratch(shape);
        using (tape.NoGrad())
        {
            var q = Agent.Forward(context.Target, input, context.InitialState(Agent)).Output;                                           // [T+1, B, N, A]
            var greedy = Greedy(tape, Agent, options.DoubleQ ? qOnline : q.Value, batch);
            var transitions = context.TransitionsOf(options.Gamma);
            var vNext = Mix(first: 1, greedy.Slice(1, steps));
            var ratioNext = trace.IsNone ? default : Next(trace);
            var returns = lambda == 0 ? Targets.NStep(tape, transitions, vNext, options.NStep, ratioNext) : options.Trace switch
            {
                TraceKind.QLambda => Targets.Backup(tape, transitions, vNext, Next(Mix(0, batch.Actions)), lambda, ratioNext),
                TraceKind.Retrace => Targets.Lambda(tape, transitions, vNext, lambda, Next(WasGreedy())),
                TraceKind.PyMarl2 => Targets.Lambda(tape, Corrected(), vNext, lambda, ratioNext),
                _ => Targets.Lambda(tape, transitions, vNext, lambda, ratioNext),
            };
            returns.CopyTo(y);

            // Q_tot^- [T, B, M] of given actions in rows first to first + T - 1.
            Tensor Mix(int first, Tensor actions)
                => mixer.Forward(context.Target, new ActionValues(q.Slice(0, first, steps), actions, batch.Available.Slice(first, steps)),
                    batch.States.Slice(first, steps)).Value;

            // x_{t+1}, and 0 in the last row.
            Tensor Next(Tensor x)
            {
                var next = tape.Scratch(x.Shape);
                Transitions.Shift(tape, x, next);
                return next;
            }

            // [T, B, M]: 1 where the action taken, or the joint action, is greedy, times the importance weight.
            Tensor WasGreedy()
            {
                var choices = (tape.Constant(greedy.Slice(0, steps)) - batch.Actions).Abs();
                var differs = (batch.Actions.Shape.Rank == 4 ? choices.Sum(-1) : choices).Clamp(0f, 1f);
                var isGreedy = 1f - (shape[-1] == 1 ? differs.Sum(-1).Reshape(shape).Clamp(0f, 1f) : differs);
                return (trace.IsNone ? isGreedy : isGreedy * trace).Value;
            }

            // Transitions with the reward r_t + V_t - Q_t.
            Transitions Corrected()
            {
                var reward = tape.Constant(transitions.RewardT) + Mix(0, greedy.Slice(0, steps)) - Mix(0, batch.Actions);
                return Transitions.Of(tape, reward.Value, transitions.DiscountT, batch.Mask);
            }
        }
        return y;
    }
}
