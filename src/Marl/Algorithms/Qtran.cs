using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// QTRAN (Son et al. 2019): the joint action-value is learned freely, and agents' values are learned whose sum is greatest for the same joint action.
/// With Q'(u) = sum_i Q_i(u_i), u* the agents' greedy actions, Q^ = Q_jt as a constant, and
/// D(u) = Q'(u) - Q^(u) + V, all given the histories tau:
/// <code>
/// L       = L_td + lambda_opt L_opt + lambda_nopt L_nopt
/// L_td    = (Q_jt(u) - y)^2,  y = r + gamma (1 - terminated) Q_jt^-(tau', u'*)
/// L_opt   = D(u*)^2                                            D(u*) = 0                  equation 4a
/// L_nopt  = min(D(u), 0)^2                         base        D(u) >= 0                  equation 4b
///           1/N sum_i (min_{u_i} D(u_i, u_-i))^2   alt         min_{u_i} D(u_i, u_-i) = 0  Theorem 2
/// </code>
/// QTRAN-alt's Q_jt is counterfactual, one Q_jt(., u_-i) for each agent, and L_td and L_opt are means over them. In y the joint action u'* is the target
/// agents' in the paper and the online agents' with double Q, as in PyMARL; y may be an n-step or lambda return as well.
/// </summary>
internal sealed class Qtran : Objective
{
    // Places in Metrics.
    private const int TdLoss = 0, OptLoss = 1, NoptLoss = 2, Prediction = 3, Goal = 4;

    private readonly QtranOptions options;
    private readonly JointValues joint;
    private readonly Mlp value;

    public Qtran(QtranOptions options, LearningContext context)
    {
        this.options = options;
        var layout = AddNetwork("network", options);
        context.RequireCommonReward("QTRAN learns one common value");
        var (spec, size) = (context.Spec, new JointSize(options.MixingEmbed, options.JointLayers));
        Agent = new Agent(layout.Scope("agent"), spec, options.Network);
        bool alt = options.IsAlternative;
        layout = layout.Scope("mixer");
        joint = alt ? new CounterfactualValues(layout, spec, size)
            : options.Architecture == QtranArchitecture.ComaCritic ? new PlainJointValues(layout, spec, size)
            : new EncodedJointValues(layout, spec, size, Agent.FeatureSize);
        value = new Mlp(layout.Scope("V"), [spec.StateSize, .. Enumerable.Repeat(size.Embed, alt ? size.Layers - 1 : size.Layers), 1]);
    }

    /// <inheritdoc/>
    public override Agent Agent { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; } = ["tdLoss", "optLoss", "noptLoss", "prediction", "target"];

    /// <inheritdoc/>
    public override Var Loss(LossContext shard)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var input = Agent.Input.Build(tape, batch);
        var (all, features, _) = Agent.Forward(shard.Online, input, shard.InitialState(Agent));                                 // [T+1, B, N, A], [T+1, B, N, H]
        var best = tape.ArgMax(all.Value, batch.Available).Reshape(steps + 1, batch.Count, Agent.Agents);               // u*
        var q = all.Slice(0, 0, steps);
        var (qChosen, qBest) = (Pick(q, batch.Actions), Pick(q, best.Slice(0, steps)));                                 // Q_i(u_i), Q_i(u*_i) [T, B, N]
        var v = value.Forward(shard.Online, tape.Constant(batch.States.Slice(0, steps)));                               // [T, B, 1]
        var history = joint.Read(shard.Online, batch, 0, features);
        var qJoint = joint.Forward(shard.Online, history, batch.Actions);
        var qJointChosen = joint.Chosen(qJoint, batch.Actions);                                                         // Q_jt(u) [T, B, M]
        var qJointBest = tape.Scratch(qJointChosen.Shape);                                                              // Q^(u*)
        using (tape.NoGrad())
        {
            joint.Chosen(joint.Forward(shard.Online, history, best.Slice(0, steps)), best.Slice(0, steps)).Value.CopyTo(qJointBest);
        }
        var y = TargetReturns(shard, input, best, qJointChosen.Shape);
        shard.Report(Prediction, qJointChosen.Value);
        shard.Report(Goal, y);

        var td = Term(TdLoss, qJointChosen - y);
        var opt = Term(OptLoss, Total(qBest) - qJointBest + v);
        var nopt = Term(NoptLoss, options.IsAlternative
            ? Total(qChosen) - qChosen - Greatest(tape.Constant(qJoint.Value) - q, batch.Available.Slice(0, steps)) + v
            : (Total(qChosen) - qJointChosen.Value + v).Clamp(float.NegativeInfinity, 0f));
        return td + opt * options.LambdaOpt + nopt * options.LambdaNopt;

        Var Term(int metric, Var error)
        {
            var squared = error.Square();
            shard.Report(metric, squared.Value);
            return shard.Mean(squared);
        }
    }

    /// <summary>y [T, B, M]: what Q_jt should have been, by the target networks. A function of tensors: no gradient.</summary>
    private Tensor TargetReturns(LossContext shard, in InputRows input, Tensor best, Shape shape)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var y = tape.Scratch(shape);
        using (tape.NoGrad())
        {
            Var features = default;
            if (joint.ReadsFeatures || !options.DoubleQ)
            {
                (var q, features, _) = Agent.Forward(shard.Target, input, shard.InitialState(Agent));
                best = options.DoubleQ ? best : tape.ArgMax(q.Value, batch.Available).Reshape(best.Shape);
            }
            var bestNext = best.Slice(1, steps);
            var history = joint.Read(shard.Target, batch, 1, features);
            var vNext = joint.Chosen(joint.Forward(shard.Target, history, bestNext), bestNext).Value;
            var transitions = shard.TransitionsOf(options.Gamma);
            var returns = options.Lambda == 0 ? Targets.NStep(tape, transitions, vNext, options.NStep)
                : Targets.Lambda(tape, transitions, vNext, options.Lambda);
            returns.CopyTo(y);
        }
        return y;
    }

    /// <summary>Q_i(u_i) [T, B, N]</summary>
    private static Var Pick(Var q, Tensor actions) => q.Gather(actions.Reshape(actions.Shape.Append(1))).Reshape(actions.Shape);

    /// <summary>max_{u_i} x(u_i) [T, B, N] over the available actions.</summary>
    private static Var Greatest(Var x, Tensor available) => x.Gather(x.Tape.ArgMax(x.Value, available)).Reshape(x.Shape.Without(-1));

    /// <summary>Q'(u) = sum_i Q_i(u_i) [T, B, 1]</summary>
    private static Var Total(Var q) => q.Sum(-1).Reshape(q.Shape.With(-1, 1));
}
