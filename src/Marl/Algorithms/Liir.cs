namespace Marl.Native.Rl;

/// <summary>
/// Learning individual intrinsic reward (LIIR, Du et al. 2019, section 4): every agent learns from the team's reward and from one of its own, which is learned
/// so that the step that the agent takes for both is a step towards more of the team's.
/// <code>
/// y_i,t    = lambda or n-step return of r_t + w r_in_i(u_i,t) with the target critic's V_i        A_i  = y_i - V_i            proxy
/// y_ex,t   = the same of r_t alone with the target's V_ex                                         A_ex = y_ex - V_ex          extrinsic
/// theta'   = theta + alpha grad J,  J = mean (A_i log pi_i(u_i) + c H(pi_i))                                                  policies
/// J_ex     = mean A_ex prod_i pi_i(u_i; theta') / pi_i,then(u_i)                                  after the step
/// k_i,t    = grad_theta log pi_i(u_i,t; theta) . grad_theta' J_ex                                 each, in one forward pass
/// dJ_ex/d eta = alpha mean k_i,t dy_i,t / d eta = alpha w mean e_i,t d r_in_i(u_i,t) / d eta      intrinsic rewards eta
/// e_t      = k_t + gamma lambda e_{t-1}
/// L_critic = mean (y_i - V_i)^2,   L_ex = mean (y_ex - V_ex)^2
/// </code>
/// k is the derivative of all log-probabilities at once along one direction, the gradient at the policies after their step; e is how much a reward counts
/// in all the returns that it is a part of. alpha is left out, the optimizer's step is taken for a plain one, and where advantages are normalized their mean
/// and deviation count as constants. All values are those before the update. The authors' code has a product of averages for an average of products, and
/// another sign.
/// </summary>
internal sealed class Liir : PolicyObjective
{
    // Place among the networks.
    private const int Intrinsic = 2;

    // Places in Metrics.
    private const int CriticLoss = 2, Value = 3, Return = 4, ExtrinsicLoss = 5, MetaLoss = 6, Reward = 7;

    /// <summary>G_t [1] of the environment's reward alone.</summary>
    internal static readonly Column ExtrinsicReturns = new("extrinsicReturns");

    /// <summary>A_t [1] likewise: how much better the joint action was than expected.</summary>
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
        context.RequireCommonReward("LIIR learns what makes more of one common reward");
        critics = new IntrinsicRewards(AddNetwork("critic", options.OfCritics).Scope("critic"), AddNetwork("intrinsic", options.OfIntrinsic).Scope("critic"),
            context.Spec, options);
        before = new Parameters(Networks[Actor].Layout, context.Device);
        (direction, policyLoss) = (context.Device.Zeros(before.Values.Shape), context.Device.Zeros(new Shape(1)));
        (actorLoss, surrogate, criticLoss) = (Loss, Surrogate, CriticLosses);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Column> Columns { get; }

    /// <inheritdoc/>
    public override bool NeedsNextAction => options.CriticActions;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; }
        = ["actorLoss", "entropy", "criticLoss", "value", "return", "extrinsicLoss", "metaLoss", "intrinsicReward"];

    /// <inheritdoc/>
    public override void ComputeReturns(LossContext shard)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var h = critics.Features(shard.OnlineOf(Critic), batch).Slice(0, 0, steps);
        var hNext = critics.Features(shard.TargetOf(Critic), batch).Slice(0, 1, steps);
        var rewards = critics.Reward(shard.OnlineOf(Intrinsic), h, batch.Actions);

        var extrinsic = shard.TransitionsOf(options.Gamma);
        var proxy = extrinsic.Plus(tape, (rewards * options.IntrinsicWeight).Value);
        shard.Store(Returns(shard, proxy, critics.ProxyValue(shard.TargetOf(Critic), hNext).Value), Column.Returns);
        shard.Store(critics.ProxyValue(shard.OnlineOf(Critic), h).Value, Column.Values);

        var y = Returns(shard, extrinsic, critics.ExtrinsicValue(shard.TargetOf(Intrinsic), hNext).Value);
        shard.Store(y, ExtrinsicReturns);
        shard.Store((tape.Constant(y) - critics.ExtrinsicValue(shard.OnlineOf(Intrinsic), h)).Value, ExtrinsicAdvantages);
    }

    /// <summary>Both kinds, as the authors do: with the variance of a sample.</summary>
    internal override void NormalizeAdvantages(ReadOnlySpan<Episode> episodes)
    {
        ColumnStatistics.Normalize(episodes, Column.Advantages, unbiased: true);
        ColumnStatistics.Normalize(episodes, ExtrinsicAdvantages, unbiased: true);
    }

    /// <summary>The policies take their step; then what it did to the team's return is seen, and the intrinsic rewards and the critics take theirs.</summary>
    internal override void Step(BatchGradient gradient, ReadOnlySpan<Episode> episodes, in LossContext.Setting setting, LossReport report)
    {
        var (actor, critic, intrinsic) = (gradient.Networks[Actor], gradient.Networks[Critic], gradient.Networks[Intrinsic]);
        before.CopyFrom(actor.Online);
        gradient.Of(actorLoss, episodes, setting, report, actor.Online.Gradient, default, default);
        actor.Step(report.Loss);
        report.Loss.CopyTo(policyLoss);
        gradient.Of(surrogate, episodes, setting, report, direction, default, default);
        gradient.Of(criticLoss, episodes, setting, report, default, critic.Online.Gradient, intrinsic.Online.Gradient);
        policyLoss.Device.Zip(default(Add), policyLoss, report.Loss, report.Loss);
        critic.Step(report.Loss);
        intrinsic.Step(report.Loss);
    }

    /// <summary>-J, by policies that have not taken their step.</summary>
    public override Var Loss(LossContext shard) => shard.Mean(ActorLoss(shard, options.EntropyCoefficient));

    /// <summary>J_ex, by policies that have. The episodes keep how likely an action was when it was done.</summary>
    private Var Surrogate(LossContext shard)
    {
        var batch = shard.Batch;
        var logChosen = Chosen(LogPolicy(shard, shard.Online), batch.Actions);
        var logRatio = logChosen - shard.Tape.Constant(batch.Probabilities).Log();
        return shard.Mean(logRatio.Sum(-1).Reshape(batch.Mask.Shape).Exp() * batch[ExtrinsicAdvantages]);
    }

    /// <summary>L_critic + L_ex - w mean e r_in: the gradient of the last is that of -J_ex / alpha.</summary>
    private Var CriticLosses(LossContext shard)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        // The policies before their step, on the tape so that they can be differentiated forwards.
        var (logChosen, entropy) = LogPolicyAndEntropy(shard, tape.Bind(before));
        tape.PushForward(before, direction);
        var k = logChosen.Tangent;

        var h = critics.Features(shard.OnlineOf(Critic), batch).Slice(0, 0, steps);
        var v = critics.ProxyValue(shard.OnlineOf(Critic), h);
        var features = tape.Constant(h.Value);
        var rewards = critics.Reward(shard.OnlineOf(Intrinsic), features, batch.Actions);
        var e = Trace(shard, k);
        var error = (v - batch.Returns).Square();
        var extrinsicError = (critics.ExtrinsicValue(shard.OnlineOf(Intrinsic), features) - batch[ExtrinsicReturns]).Square();

        // Metrics are those of the last loss.
        ReportActor(shard, ActorLoss(logChosen, batch.Advantages, entropy, options.EntropyCoefficient), entropy);
        shard.Report(CriticLoss, error.Value);
        shard.Report(Value, v.Value);
        shard.Report(Return, batch.Returns);
        shard.Report(ExtrinsicLoss, extrinsicError.Value);
        shard.Report(MetaLoss, (tape.Constant(k) * batch.Returns * -1f).Value);
        shard.Report(Reward, rewards.Value);
        return shard.Mean(error) + shard.Mean(extrinsicError) - options.IntrinsicWeight * shard.Mean(rewards * e);
    }

    /// <summary>e [T, B, N]</summary>
    private Tensor Trace(LossContext shard, Tensor k)
    {
        var transitions = shard.TransitionsOf(options.Gamma);
        return options.Lambda > 0 ? Targets.LambdaTrace(shard.Tape, transitions, k, options.Lambda)
            : Targets.NStepTrace(shard.Tape, transitions, k, options.NStep);
    }
}
