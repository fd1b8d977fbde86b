using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Deep Q-learning of many agents: independent (IQL), with a sum (VDN), a monotone (QMIX) or a duplex dueling mixer (QPLEX), by the mixer of its options.
/// <code>
/// Q_tot = mix(Q_1(u_1), .., Q_n(u_n); s)
/// y_t   = r_t + gamma (1 - terminated_t) Q_tot^-(s_{t+1}, argmax_u Q_a(u))      argmax by the online networks (double Q) or by the target's
/// L     = sum_t mask_t w_t (y_t - Q_tot,t)^2 / sum_t mask_t
/// </code>
/// with n-step or lambda returns in place of y where asked for, and w = 1 except for <see cref="IndependentQLearning"/>. Greedy
/// actions are each agent's own, which is the team's best because the mixers keep it so (Rashid et al. 2018, equation 4).
/// </summary>
internal class QLearning : Objective
{
    // Places in Metrics.
    private const int Prediction = 0, Goal = 1;

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
            context.RequireCommonReward("a mixer learns one common value");
        }
    }

    /// <inheritdoc/>
    public override Agent Agent { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics => ["prediction", "target"];

    /// <inheritdoc/>
    public override Var Loss(LossContext shard)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var input = Agent.Input.Build(tape, batch);
        var all = Agent.Forward(shard.Online, input, shard.InitialState(Agent)).Output;                                             // [T+1, B, N, A]
        var q = new ActionValues(all.Slice(0, 0, steps), batch.Actions, batch.Available.Slice(0, steps));
        var qTot = mixer.Forward(shard.Online, q, batch.States.Slice(0, steps));                                            // [T, B, M]
        var y = TargetReturns(shard, input, all.Value, qTot.Shape);
        shard.Report(Prediction, qTot.Value);
        shard.Report(Goal, y);
        var squaredError = (qTot - y).Square();
        var weight = Weights(shard, q, y, qTot.Value);
        return shard.Mean(weight.IsNone ? squaredError : squaredError * weight) * options.LossScale;
    }

    /// <summary>w_t [T, B, M], the weight of each squared error; none: 1.</summary>
    protected virtual Tensor Weights(LossContext shard, in ActionValues q, Tensor y, Tensor qTot) => default;

    /// <summary>y_t [T, B, M]: what Q_tot should have been, by the target networks. A function of tensors: no gradient.</summary>
    private Tensor TargetReturns(LossContext shard, in InputRows input, Tensor qOnline, Shape shape)
    {
        var (tape, batch, steps, lambda) = (shard.Tape, shard.Batch, shard.Batch.Steps, options.Lambda);
        var y = tape.Scratch(shape);
        using (tape.NoGrad())
        {
            var q = Agent.Forward(shard.Target, input, shard.InitialState(Agent)).Output;                                           // [T+1, B, N, A]
            var greedy = tape.ArgMax(options.DoubleQ ? qOnline : q.Value, batch.Available).Reshape(steps + 1, batch.Count, Agent.Agents);
            var transitions = shard.TransitionsOf(options.Gamma);
            var vNext = Mix(first: 1, greedy.Slice(1, steps));
            var returns = lambda == 0 ? Targets.NStep(tape, transitions, vNext, options.NStep) : options.Trace switch
            {
                TraceKind.QLambda => Targets.Backup(tape, transitions, vNext, Next(Mix(0, batch.Actions)), lambda),
                TraceKind.Retrace => Targets.Lambda(tape, transitions, vNext, lambda, Next(WasGreedy())),
                TraceKind.PyMarl2 => Targets.Lambda(tape, Corrected(), vNext, lambda),
                _ => Targets.Lambda(tape, transitions, vNext, lambda),
            };
            returns.CopyTo(y);

            // Q_tot^- of some actions in rows first .. first + T - 1.
            Tensor Mix(int first, Tensor actions)
                => mixer.Forward(shard.Target, new ActionValues(q.Slice(0, first, steps), actions, batch.Available.Slice(first, steps)),
                    batch.States.Slice(first, steps)).Value;

            // x_{t+1}; nothing follows the last row.
            Tensor Next(Tensor x)
            {
                var next = tape.Scratch(x.Shape);
                Transitions.Shift(tape, x, next);
                return next;
            }

            // [T, B, M]: 1 where what was done is what the evaluated policy would have done: an agent, or all of them.
            Tensor WasGreedy()
            {
                var differs = (tape.Constant(greedy.Slice(0, steps)) - batch.Actions).Abs().Clamp(0f, 1f);
                return (1f - (shape[-1] == 1 ? differs.Sum(-1).Reshape(shape).Clamp(0f, 1f) : differs)).Value;
            }

            // r_t + V_t - Q_t in place of r_t.
            Transitions Corrected()
            {
                var reward = tape.Constant(transitions.RewardT) + Mix(0, greedy.Slice(0, steps)) - Mix(0, batch.Actions);
                return Transitions.Of(tape, reward.Value, transitions.DiscountT, batch.Mask);
            }
        }
        return y;
    }
}
