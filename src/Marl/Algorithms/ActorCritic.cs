using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Policy gradients with a critic of state values or of action values, independent (IA2C, IPPO) or centralized (MAA2C, MAPPO; Papoudakis et al. 2021, Yu et
/// al. 2022; COMA, Foerster et al. 2018), or without a critic (REINFORCE, Williams 1992):
/// <code>
/// G_t = n-step or lambda return with the target critic's V(x_t), or Q_i(x_t, u_t) of a critic of action values
/// A_t = G_t - V(x_t)                                                                  return
///     = Q_i(x, u)                                                                     actionValue
///     = Q_i(x, u) - V(x)                                                              stateBaseline
///     = Q_i(x, u) - sum_a pi_i(a) Q_i(x, (a, u_-i))                                   counterfactual (COMA, equation 4)
/// L_critic = mean (G_t - V(x_t))^2 or mean (G_t - Q_i(x_t, u_t))^2 or their sum
/// L_actor  = -mean (A_t log pi(u_t) + c H(pi))                   A2C (Mnih et al. 2016)
///          = -mean (min(rho_t A_t, clip(rho_t, 1 - e, 1 + e) A_t) + c H(pi)),  rho_t = pi(u_t) / pi_old(u_t)       PPO (Schulman et al. 2017, eq. 7)
/// </code>
/// Advantages are those of the critics before their first step. The counterfactual baseline is the aristocratic utility of Wolpert and Tumer 2002, estimated by
/// a critic. Agents that do not share weights have critics of their own (EPyMARL, Papoudakis et al. 2021).
/// </summary>
internal sealed class ActorCritic : PolicyObjective
{
    // Indices in Metrics.
    private const int CriticError = 2, Value = 3, Return = 4, ClipFraction = 5;

    private readonly OnPolicyOptions options;
    private readonly AdvantageKind advantage;
    private readonly float clipRange, valueClipRange;
    private readonly Critic? critic, baseline;

    /// <summary>Creates policies and critics.</summary>
    /// <param name="options">The options of the algorithm.</param>
    /// <param name="context">The environment and the run.</param>
    /// <param name="advantage">The advantage, which says what critics there are.</param>
    /// <param name="input">Returns the input of a critic of state values (false) or of action values (true); null: no critic.</param>
    /// <param name="clipRange">e of PPO. 0: A2C.</param>
    /// <param name="valueClipRange">The clip range of <see cref="ValueError"/>.</param>
    /// <exception cref="UsageException">The rollouts are segments, and there is no critic.</exception>
    public ActorCritic(OnPolicyOptions options, LearningContext context, AdvantageKind advantage, Func<bool, NetworkInput>? input, float clipRange = 0f,
        float valueClipRange = 0f) : base(options, context)
    {
        (this.options, this.advantage, this.clipRange, this.valueClipRange) = (options, advantage, clipRange, valueClipRange);
        if (HasActionValues)
        {
            context.RequireOneBranch("a critic of action values has one value per choice of a single branch; use advantage=return");
        }
        Metrics = ["actorLoss", "entropy", "criticLoss", "value", "return", .. clipRange > 0 ? ["clipFraction"] : (string[])[]];
        if (input is null)
        {
            if (context.RolloutLength > 0)
            {
                throw new UsageException("without a critic the return after the end of a rollout is unknown; use whole episodes (rolloutLength=0) or a critic");
            }
            return;
        }
        var layout = AddNetwork("critic", options.CriticTraining);
        critic = NewCritic(layout.Scope("critic"), input(HasActionValues), HasActionValues ? context.Spec.ActionCount : 1);
        baseline = advantage != AdvantageKind.StateBaseline ? null : NewCritic(layout.Scope("state_value"), input(false), outputs: 1);
    }

    /// <inheritdoc/>
    public override bool NeedsBootstrapAction => HasActionValues;

    /// <inheritdoc/>
    internal override IEnumerable<Critic> Critics => ((Critic?[])[critic, baseline]).OfType<Critic>();

    /// <inheritdoc/>
    internal override Critic? ValueCritic => HasActionValues ? null : critic;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; }

    private bool HasActionValues => advantage != AdvantageKind.Return;

    /// <summary>Computes PPO's clipped loss, -min(rho A, clip(rho, 1 - e, 1 + e) A) (Schulman et al. 2017, equation 7).</summary>
    /// <param name="ratio">rho = pi(u) / pi_old(u).</param>
    /// <param name="advantages">A.</param>
    /// <param name="clipRange">e.</param>
    public static Var ClippedLoss(Var ratio, Tensor advantages, float clipRange)
        => -(ratio * advantages).Minimum(ratio.Clamp(1f - clipRange, 1f + clipRange) * advantages);

    /// <summary>Returns 1 where a ratio is outside of 1 +- <paramref name="clipRange"/>, else 0.</summary>
    public static Tensor IsClipped(Var ratio, float clipRange)
    {
        var tape = ratio.Tape;
        return (clipRange - (tape.Constant(ratio.Value) - 1f).Abs()).Map(default(IsNegative)).Value;
    }

    /// <summary>Computes the squared error (v - G)^2, or the maximum of it and the squared error of the clipped value, v_old + clip(v - v_old, -e,
    /// e).</summary>
    /// <param name="v">v, the critic's values.</param>
    /// <param name="returns">G.</param>
    /// <param name="oldValues">v_old, the values before the first step.</param>
    /// <param name="clipRange">e. 0: no clipping.</param>
    public static Var ValueError(Var v, Tensor returns, Tensor oldValues, float clipRange)
    {
        var error = (v - returns).Square();
        return clipRange == 0 ? error : error.Maximum(((v - oldValues).Clamp(-clipRange, clipRange) + oldValues - returns).Square());
    }

    /// <summary>Computes the counterfactual advantage A_i = Q_i(u_i) - sum_a pi_i(a) Q_i(a) [T, B, N] (Foerster et al. 2018, equation 4).</summary>
    /// <param name="q">Q_i(x, ., u_-i) and the actions taken.</param>
    /// <param name="logPolicy">[T, B, N, A], see <see cref="Exploration.LogPolicy"/>.</param>
    public static Var CounterfactualAdvantage(in ActionValues q, Var logPolicy) => q.Chosen - (logPolicy.Exp() * q.Available * q.All).Sum(-1);

    /// <inheritdoc/>
    public override void ComputeReturns(LossContext context)
    {
        var (batch, steps) = (context.Batch, context.Batch.Steps);
        if (critic is null)
        {
            context.Store(Targets.MonteCarlo(context.Tape, context.TransitionsOf(options.Gamma)), Column.Returns);
            return;
        }
        var next = critic.Forward(context.TargetOf(Critic), batch).Slice(0, 1, steps);                      // [T, B, N, 1 or A]
        if (!HasActionValues)
        {
            context.Store(Values(critic, context).Value, Column.Values);
            context.Store(Returns(context, next.Reshape(next.Shape.Without(-1)).Value), Column.Returns);
            return;
        }
        var q = ActionValues(critic, context);
        context.Store(q.Chosen.Value, Column.Values);
        context.Store(Returns(context, Chosen(next, batch.BootstrapActions.Slice(1, steps)).Value), Column.Returns);
        context.Store((advantage switch
        {
            AdvantageKind.ActionValue => q.Chosen,
            AdvantageKind.StateBaseline => q.Chosen - Values(baseline!, context),
            _ => CounterfactualAdvantage(q, LogPolicy(context, context.Online)),
        }).Value, Column.Advantages);
    }

    /// <summary>Computes G - v; advantages of action values are those of <see cref="ComputeReturns"/>.</summary>
    public override void ComputeAdvantages(Episode episode)
    {
        if (!HasActionValues)
        {
            base.ComputeAdvantages(episode);
        }
    }

    /// <inheritdoc/>
    public override Var Loss(LossContext context)
    {
        context.Report(Return, context.Batch.Returns);
        var loss = context.Mean(clipRange > 0 ? ClippedLoss(context) : ActorLoss(context, options.EntropyCoefficient));
        return critic is null ? loss : loss + CriticLoss(context);
    }

    /// <inheritdoc/>
    public override Var CriticLoss(LossContext context)
    {
        var batch = context.Batch;
        var v = HasActionValues ? ActionValues(critic!, context).Chosen : Values(critic!, context);
        var error = ValueError(v, batch.Returns, batch.Values, valueClipRange);
        if (baseline is not null)
        {
            error += (Values(baseline, context) - batch.Returns).Square();
        }
        context.Report(Value, v.Value);
        context.Report(CriticError, error.Value);
        return context.Mean(error);
    }

    private Critic NewCritic(ParameterLayout layout, NetworkInput input, int outputs)
        => new(layout, input, options.CriticNetwork, options.CriticHidden, options.ShareParameters, outputs);

    /// <summary>Computes V(x_t) [T, B, N].</summary>
    private static Var Values(Critic critic, LossContext context) => critic.Values(context.OnlineOf(Critic), context.Batch).Slice(0, 0, context.Batch.Steps);

    /// <summary>Computes Q_i(x_t, ., u_-i) [T, B, N, A].</summary>
    private static ActionValues ActionValues(Critic critic, LossContext context)
    {
        var (batch, steps) = (context.Batch, context.Batch.Steps);
        return new(critic.Forward(context.OnlineOf(Critic), batch).Slice(0, 0, steps), batch.Actions, batch.Available.Slice(0, steps));
    }

    private Var ClippedLoss(LossContext context)
    {
        var batch = context.Batch;
        var (logChosen, entropy) = LogPolicyAndEntropy(context, context.Online);
        var ratio = (logChosen - context.Tape.Constant(batch.Probabilities).Log()).Exp();
        var loss = ClippedLoss(ratio, batch.Advantages, clipRange) - options.EntropyCoefficient * entropy;
        ReportActor(context, loss, entropy);
        context.Report(ClipFraction, IsClipped(ratio, clipRange));
        return loss;
    }
}
