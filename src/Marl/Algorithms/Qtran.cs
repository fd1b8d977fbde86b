using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// QTRAN (Son et al. 2019) learns an unrestricted joint action value, and agents' values whose sum has its maximum at the same joint action.
/// With Q'(u) = sum_i Q_i(u_i), u* the agents' greedy actions, Q^ = Q_jt as a constant, and
/// D(u) = Q'(u) - Q^(u) + V, all functions of the histories tau:
/// <code>
/// L       = L_td + lambda_opt L_opt + lambda_nopt L_nopt
/// L_td    = (Q_jt(u) - y)^2,  y = r + gamma (1 - terminated) Q_jt^-(tau', u'*)
/// L_opt   = D(u*)^2                                            D(u*) = 0                  equation 4a
/// L_nopt  = min(D(u), 0)^2                         base        D(u) >= 0                  equation 4b
///           1/N sum_i (min_{u_i} D(u_i, u_-i))^2   alt         min_{u_i} D(u_i, u_-i) = 0  Theorem 2
/// </code>
/// In QTRAN-alt Q_jt is counterfactual, one Q_jt(., u_-i) for each agent, and L_td and L_opt are means over agents. The joint action u'* in y is that of the
/// target networks (the paper) or of the online networks (double Q, as in PyMARL); y may be an n-step or lambda return as well.
/// </summary>
internal sealed class Qtran : Objective
{
    // Indices in Metrics.
    private const int TdLoss = 0, OptLoss = 1, NoptLoss = 2, Prediction = 3, Target = 4;

    private readonly QtranOptions options;
    private readonly JointValues joint;
    private readonly Mlp value;

    public Qtran(QtranOptions options, LearningContext context)
    {
        this.options = options;
        var layout = AddNetwork("network", options);
        context.RequireCommonReward("QTRAN learns one value for the team");
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
    public override Var Loss(LossContext context)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var input = Agent.Input.Build(tape, batch);
        var (all, features, _) = Agent.Forward(context.Online, input, context.InitialState(Agent));                        // [T+1, B, N, A], [T+1, B, N, H]
        var best = tape.ArgMax(all.Value, batch.Available).Reshape(steps + 1, batch.Count, Agent.Agents);               // u*
        var q = all.Slice(0, 0, steps);
        var (qChosen, qBest) = (Pick(q, batch.Actions), Pick(q, best.Slice(0, steps)));                                 // Q_i(u_i), Q_i(u*_i) [T, B, N]
        var v = value.Forward(context.Online, tape.Constant(batch.States.Slice(0, steps)));                               // [T, B, 1]
        var history = joint.Encode(context.Online, batch, 0, features);
        var qJoint = joint.Forward(context.Online, history, batch.Actions);
        var qJointChosen = joint.Chosen(qJoint, batch.Actions);                                                         // Q_jt(u) [T, B, M]
        var qJointBest = tape.Scratch(qJointChosen.Shape);                                                              // Q^(u*)
        using (tape.NoGrad())
        {
            joint.Chosen(joint.Forward(context.Online, history, best.Slice(0, steps)), best.Slice(0, steps)).Value.CopyTo(qJointBest);
        }
        var y = TargetReturns(context, input, best, qJointChosen.Shape);
        context.Report(Prediction, qJointChosen.Value);
        context.Report(Target, y);

        var td = Term(TdLoss, qJointChosen - y);
        var opt = Term(OptLoss, Sum(qBest) - qJointBest + v);
        var nopt = Term(NoptLoss, options.IsAlternative
            ? Sum(qChosen) - qChosen - Max(tape.Constant(qJoint.Value) - q, batch.Available.Slice(0, steps)) + v
            : (Sum(qChosen) - qJointChosen.Value + v).Clamp(float.NegativeInfinity, 0f));
        return td + opt * options.LambdaOpt + nopt * options.LambdaNopt;

        Var Term(int metric, Var error)
        {
            var squared = error.Square();
            context.Report(metric, squared.Value);
            return context.Mean(squared);
        }
    }

    /// <summary>Computes the targets y [T, B, M] with the target networks. Without gradients.</summary>
    private Tensor TargetReturns(LossContext context, in InputRows input, Tensor best, Shape shape)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var y = tape.Scratch(shape);
        using (tape.NoGrad())
        {
            Var features = default;
            if (joint.ReadsFeatures || !options.DoubleQ)
            {
                (var q, features, _) = Agent.Forward(context.Target, input, context.InitialState(Agent));
                best = options.DoubleQ ? best : tape.ArgMax(q.Value, batch.Available).Reshape(best.Shape);
            }
            var bestNext = best.Slice(1, steps);
            var history = joint.Encode(context.Target, batch, 1, features);
            var vNext = joint.Chosen(joint.Forward(context.Target, history, bestNext), bestNext).Value;
            var transitions = context.TransitionsOf(options.Gamma);
            var returns = options.Lambda == 0 ? Targets.NStep(tape, transitions, vNext, options.NStep)
                : Targets.Lambda(tape, transitions, vNext, options.Lambda);
            returns.CopyTo(y);
        }
        return y;
    }

    /// <summary>Returns Q_i(u_i) [T, B, N].</summary>
    private static Var Pick(Var q, Tensor actions) => q.Gather(actions.Reshape(actions.Shape.Append(1))).Reshape(actions.Shape);

    /// <summary>Returns max_{u_i} x(u_i) [T, B, N] over the available actions.</summary>
    private static Var Max(Var x, Tensor available) => x.Gather(x.Tape.ArgMax(x.Value, available)).Reshape(x.Shape.Without(-1));

    /// <summary>Returns Q'(u) = sum_i Q_i(u_i) [T, B, 1].</summary>
    private static Var Sum(Var q) => q.Sum(-1).Reshape(q.Shape.With(-1, 1));
}
