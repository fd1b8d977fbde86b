namespace Marl.Native.Rl;

/// <summary>
/// Policy gradients with a state-value critic, independent (IA2C, IPPO) or centralized (MAA2C, MAPPO; Papoudakis et al. 2021, Yu et al. 2022), or without a
/// critic (REINFORCE, Williams 1992):
/// <code>
/// G_t = n-step or lambda return with the target critic           A_t = G_t - V(x_t)
/// L_critic = mean (G_t - V(x_t))^2
/// L_actor  = -mean (A_t log pi(u_t) + c H(pi))                   A2C (Mnih et al. 2016)
///          = -mean (min(rho_t A_t, clip(rho_t, 1 - e, 1 + e) A_t) + c H(pi)),  rho_t = pi(u_t) / pi_old(u_t)       PPO (Schulman et al. 2017, eq. 7)
/// </code>
/// </summary>
internal sealed class ActorCritic : PolicyObjective
{
    // Indices in Metrics.
    private const int CriticLoss = 2, Value = 3, Return = 4, ClipFraction = 5;

    private readonly ActorCriticOptions options;
    private readonly Critic? critic;

    public ActorCritic(ActorCriticOptions options, LearningContext context) : base(options, context)
    {
        this.options = options;
        if (options.Critic == CriticKind.None && context.RolloutLength > 0)
        {
            throw new UsageException("without a critic the return after the end of a rollout is unknown; use whole episodes (rolloutLength=0) or a critic");
        }
        critic = options.Critic == CriticKind.None ? null : NewCritic(AddNetwork("critic", options.CriticTraining).Scope("critic"), context.Spec, options);
    }

    /// <inheritdoc/>
    internal override Critic? ValueCritic => critic;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; } = ["actorLoss", "entropy", "criticLoss", "value", "return", "clipFraction"];

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

    /// <summary>Creates the critic. Its input is the state or the agent's own input or both, and the agent's index if weights are shared (Papoudakis et al.
    /// 2021).</summary>
    private static Critic NewCritic(ParameterLayout layout, EnvironmentSpec spec, ActorCriticOptions options)
    {
        var local = options.Network with { AgentId = options.ShareParameters };
        if (options.Critic != CriticKind.Local)
        {
            NetworkInput.RequireState(spec, "the critic", "ia2c and ippo need none");
        }
        return new(layout, options.Critic switch
        {
            CriticKind.Local => new(spec, common: [], own: local.Columns),
            CriticKind.Both => new(spec, common: [InputColumn.State], own: local.Columns),
            _ => new(spec, common: [InputColumn.State], own: options.ShareParameters ? [InputColumn.AgentId] : []),
        }, options.CriticNetwork, options.CriticHidden, options.ShareParameters, outputs: 1);
    }

    /// <inheritdoc/>
    public override void ComputeReturns(LossContext context)
    {
        var (batch, steps) = (context.Batch, context.Batch.Steps);
        if (critic is null)
        {
            context.Store(Targets.MonteCarlo(context.Tape, context.TransitionsOf(options.Gamma)), Column.Returns);
            return;
        }
        var vNext = critic.Values(context.TargetOf(Critic), batch).Slice(0, 1, steps).Value;
        context.Store(critic.Values(context.OnlineOf(Critic), batch).Slice(0, 0, steps).Value, Column.Values);
        context.Store(Returns(context, vNext), Column.Returns);
    }

    /// <inheritdoc/>
    public override Var Loss(LossContext context)
    {
        var batch = context.Batch;
        context.Report(Return, batch.Returns);
        var loss = context.Mean(options.ClipRange > 0 ? ClippedLoss(context) : ActorLoss(context, options.EntropyCoefficient));
        if (critic is null)
        {
            return loss;
        }
        var v = critic.Values(context.OnlineOf(Critic), batch).Slice(0, 0, batch.Steps);
        var error = ValueError(v, batch.Returns, batch.Values, options.ValueClipRange);
        context.Report(Value, v.Value);
        context.Report(CriticLoss, error.Value);
        return loss + context.Mean(error);
    }

    private Var ClippedLoss(LossContext context)
    {
        var batch = context.Batch;
        var (logChosen, entropy) = LogPolicyAndEntropy(context, context.Online);
        var ratio = (logChosen - context.Tape.Constant(batch.Probabilities).Log()).Exp();
        var loss = ClippedLoss(ratio, batch.Advantages, options.ClipRange) - options.EntropyCoefficient * entropy;
        ReportActor(context, loss, entropy);
        context.Report(ClipFraction, IsClipped(ratio, options.ClipRange));
        return loss;
    }
}
