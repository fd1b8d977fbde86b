namespace Marl.Native.Rl;

/// <summary>
/// Learning individual intrinsic rewards (LIIR, Du et al. 2019, section 4): every agent learns from the sum of the team's reward and an intrinsic reward of
/// its own. The intrinsic reward is learned by meta-gradient: a policy step on the sum must increase the team's return.
/// <code>
/// y_i,t    = lambda or n-step return of r_t + w r_in_i(u_i,t) with the target critic's V_i        A_i  = y_i - V_i            proxy
/// y_ex,t   = the same return of r_t alone with the target critic's V_ex                           A_ex = y_ex - V_ex          extrinsic
/// theta'   = theta + alpha grad J,  J = mean (A_i log pi_i(u_i) + c H(pi_i))                                                  policies
/// J_ex     = mean A_ex prod_i pi_i(u_i; theta') / pi_i,old(u_i)                                   after the step
/// k_i,t    = grad_theta log pi_i(u_i,t; theta) . grad_theta' J_ex                                 all, in one forward-mode pass
/// dJ_ex/d eta = alpha mean k_i,t dy_i,t / d eta = alpha w mean e_i,t d r_in_i(u_i,t) / d eta      intrinsic rewards eta
/// e_t      = k_t + gamma lambda e_{t-1}
/// L_critic = mean (y_i - V_i)^2,   L_ex = mean (y_ex - V_ex)^2
/// </code>
/// k is the directional derivative of all log-probabilities along the gradient at the policies after their step; e is the weight of a reward in all returns
/// that contain it. alpha is left out, the optimizer's step is treated as plain gradient ascent, and the mean and deviation of normalized advantages are
/// constants. All values are those before the update. The authors' code has a product of averages instead of an average of products, and the opposite sign.
/// </summary>
internal sealed class Liir : PolicyObjective
{
    // Index of the network.
    private const int Intrinsic = 2;

    // Indices in Metrics.
    private const int CriticError = 2, Value = 3, Return = 4, ExtrinsicLoss = 5, MetaLoss = 6, Reward = 7;

    /// <summary>The return G_t [1] of the environment's reward alone.</summary>
    internal static readonly Column ExtrinsicReturns = new("extrinsicReturns");

    /// <summary>The advantage A_t [1] of the joint action for the environment's reward alone.</summary>
    internal static readonly Column ExtrinsicAdvantages = new("extrinsicAdvantages");

    private readonly LiirOptions options;
    private readonly IntrinsicRewards critics;
    private readonly Parameters before;
    private readonly Tensor direction, policyLoss;
    private readonly Func<LossContext, Var> actorLoss, surrogate, criticLoss;

    public Liir(LiirOptions options, LearningContext context) : base(options, context)
    {
        this.options = options;
        Columns = [.. base.Columns, ExtrinsicReturns, ExtrinsicAdvantages];
        context.RequireCommonReward("LIIR maximizes one common reward");
        critics = new IntrinsicRewards(AddNetwork("critic", options.CriticTraining).Scope("critic"),
            AddNetwork("intrinsic", options.IntrinsicTraining).Scope("critic"), context.Spec, options);
        before = new Parameters(Networks[Actor].Layout, context.Device);
        (direction, policyLoss) = (context.Device.Zeros(before.Values.Shape), context.Device.Zeros(new Shape(1)));
        (actorLoss, surrogate, criticLoss) = (Loss, Surrogate, CriticLosses);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Column> Columns { get; }

    /// <inheritdoc/>
    internal override IEnumerable<Critic> Critics => [critics.Critic];

    /// <inheritdoc/>
    public override bool NeedsBootstrapAction => options.CriticActions;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; }
        = ["actorLoss", "entropy", "criticLoss", "value", "return", "extrinsicLoss", "metaLoss", "intrinsicReward"];

    /// <inheritdoc/>
    public override void ComputeReturns(LossContext context)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var h = critics.Features(context.OnlineOf(Critic), batch).Slice(0, 0, steps);
        var hNext = critics.Features(context.TargetOf(Critic), batch).Slice(0, 1, steps);
        var rewards = critics.Reward(context.OnlineOf(Intrinsic), h, batch);

        var extrinsic = context.TransitionsOf(options.Gamma);
        var proxy = extrinsic.WithBonus(tape, (rewards * options.IntrinsicWeight).Value);
        context.Store(Returns(context, proxy, critics.ProxyValue(context.TargetOf(Critic), hNext).Value), Column.Returns);
        context.Store(critics.ProxyValue(context.OnlineOf(Critic), h).Value, Column.Values);

        var y = Returns(context, extrinsic, critics.ExtrinsicValue(context.TargetOf(Intrinsic), hNext).Value);
        context.Store(y, ExtrinsicReturns);
        context.Store((tape.Constant(y) - critics.ExtrinsicValue(context.OnlineOf(Intrinsic), h)).Value, ExtrinsicAdvantages);
    }

    /// <summary>Normalizes both kinds of advantages with the unbiased variance, as the authors' code does.</summary>
    internal override void NormalizeAdvantages(ReadOnlySpan<Episode> episodes)
    {
        ColumnStatistics.Normalize(episodes, Column.Advantages, unbiased: true);
        ColumnStatistics.Normalize(episodes, ExtrinsicAdvantages, unbiased: true);
    }

    /// <summary>Updates the policies; then computes the effect of that step on the team's return, and updates the intrinsic rewards and the critics.</summary>
    internal override void Step(BatchGradient gradient, ReadOnlySpan<Episode> episodes, in LossContext.BatchInfo info, LossReport report)
    {
        for (int step = 1; step < options.CriticSteps; step++)
        {
            StepCritics(gradient, episodes, info, report);
        }
        var (actor, critic, intrinsic) = (gradient.Networks[Actor], gradient.Networks[Critic], gradient.Networks[Intrinsic]);
        before.CopyFrom(actor.Online);
        gradient.Compute(actorLoss, episodes, info, report, actor.Online.Gradient, default, default);
        actor.Step(report.Loss);
        report.Loss.CopyTo(policyLoss);
        gradient.Compute(surrogate, episodes, info, report, direction, default, default);
        gradient.Compute(criticLoss, episodes, info, report, default, critic.Online.Gradient, intrinsic.Online.Gradient);
        policyLoss.Device.Zip(default(Add), policyLoss, report.Loss, report.Loss);
        critic.Step(report.Loss);
        intrinsic.Step(report.Loss);
    }

    /// <summary>Computes -J with the policies before their step.</summary>
    public override Var Loss(LossContext context) => context.Mean(ActorLoss(context, options.EntropyCoefficient));

    /// <summary>Computes L_critic.</summary>
    public override Var CriticLoss(LossContext context)
    {
        var (batch, steps) = (context.Batch, context.Batch.Steps);
        var w = context.OnlineOf(Critic);
        return context.Mean((critics.ProxyValue(w, critics.Features(w, batch).Slice(0, 0, steps)) - batch.Returns).Square());
    }

    /// <summary>Of the critics, the one of proxy values.</summary>
    private protected override bool IsCritic(int network) => network == Critic;

    /// <summary>Computes J_ex with the policies after their step. The episodes hold the probabilities of the actions when they were taken.</summary>
    private Var Surrogate(LossContext context)
    {
        var batch = context.Batch;
        var logChosen = Chosen(LogPolicy(context, context.Online), batch.Actions);
        var logRatio = logChosen - context.Tape.Constant(batch.Probabilities).Log();
        return context.Mean(logRatio.Sum(-1).Reshape(batch.Mask.Shape).Exp() * batch[ExtrinsicAdvantages]);
    }

    /// <summary>Computes L_critic + L_ex - w mean e r_in; the gradient of the last term is that of -J_ex / alpha.</summary>
    private Var CriticLosses(LossContext context)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        // The policies before their step, on the tape for forward-mode differentiation.
        var (logChosen, entropy) = LogPolicyAndEntropy(context, tape.Bind(before));
        tape.PushForward(before, direction);
        var k = logChosen.Tangent;

        var h = critics.Features(context.OnlineOf(Critic), batch).Slice(0, 0, steps);
        var v = critics.ProxyValue(context.OnlineOf(Critic), h);
        var features = tape.Constant(h.Value);
        var rewards = critics.Reward(context.OnlineOf(Intrinsic), features, batch);
        var e = Trace(context, k);
        var error = (v - batch.Returns).Square();
        var extrinsicError = (critics.ExtrinsicValue(context.OnlineOf(Intrinsic), features) - batch[ExtrinsicReturns]).Square();

        // Metrics are reported by the last loss only.
        ReportActor(context, ActorLoss(logChosen, batch.Advantages, entropy, options.EntropyCoefficient), entropy);
        context.Report(CriticError, error.Value);
        context.Report(Value, v.Value);
        context.Report(Return, batch.Returns);
        context.Report(ExtrinsicLoss, extrinsicError.Value);
        context.Report(MetaLoss, (tape.Constant(k) * batch.Returns * -1f).Value);
        context.Report(Reward, rewards.Value);
        return context.Mean(error) + context.Mean(extrinsicError) - options.IntrinsicWeight * context.Mean(rewards * e);
    }

    /// <summary>Computes e [T, B, N].</summary>
    private Tensor Trace(LossContext context, Tensor k)
    {
        var transitions = context.TransitionsOf(options.Gamma);
        return options.Lambda > 0 ? Targets.LambdaTrace(context.Tape, transitions, k, options.Lambda)
            : Targets.NStepTrace(context.Tape, transitions, k, options.NStep);
    }
}
