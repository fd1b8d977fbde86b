namespace Marl.Native.Rl;

/// <summary>
/// Policy gradients of many agents with a state-value critic, independent (IA2C, IPPO) or centralised (MAA2C, MAPPO; Papoudakis et al. 2021, Yu et al. 2022),
/// or with none (REINFORCE, Williams 1992):
/// <code>
/// G_t = n-step or lambda return with the target critic           A_t = G_t - V(x_t)
/// L_critic = mean (G_t - V(x_t))^2
/// L_actor  = -mean (A_t log pi(u_t) + c H(pi))                   A2C (Mnih et al. 2016)
///          = -mean (min(rho_t A_t, clip(rho_t, 1 - e, 1 + e) A_t) + c H(pi)),  rho_t = pi(u_t) / pi_then(u_t)      PPO (Schulman et al. 2017, eq. 7)
/// </code>
/// </summary>
internal sealed class ActorCritic : PolicyObjective
{
    // Places in Metrics.
    private const int CriticLoss = 2, Value = 3, Return = 4, ClipFraction = 5;

    private readonly ActorCriticOptions options;
    private readonly Critic? critic;

    public ActorCritic(ActorCriticOptions options, LearningContext context) : base(options, context)
    {
        this.options = options;
        if (options.Critic == CriticKind.None && context.RolloutLength > 0)
        {
            throw new UsageException("without a critic nothing tells what comes after the end of a rollout; use whole episodes, rolloutLength=0, or a critic");
        }
        critic = options.Critic == CriticKind.None ? null : ValueCritic(AddNetwork("critic", options.OfCritics).Scope("critic"), context.Spec, options);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; } = ["actorLoss", "entropy", "criticLoss", "value", "return", "clipFraction"];

    /// <summary>-min(rho A, clip(rho, 1 - e, 1 + e) A), PPO's bound on what a step may gain (Schulman et al. 2017, equation 7).</summary>
    /// <param name="ratio">rho = pi(u) / pi_then(u).</param>
    /// <param name="advantages">A.</param>
    /// <param name="clip">e.</param>
    public static Var ClippedLoss(Var ratio, Tensor advantages, float clip)
        => -(ratio * advantages).Minimum(ratio.Clamp(1f - clip, 1f + clip) * advantages);

    /// <summary>1 where a ratio is further than e from 1.</summary>
    public static Tensor Outside(Var ratio, float clip)
    {
        var tape = ratio.Tape;
        return (clip - (tape.Constant(ratio.Value) - 1f).Abs()).Map(default(IsNegative)).Value;
    }

    /// <summary>(v - G)^2, or the greater of it and that of a v that has moved no further than <paramref name="clip"/> from what it was (0: any way).</summary>
    /// <param name="v">what is expected.</param>
    /// <param name="returns">G.</param>
    /// <param name="before">what was expected before the first step.</param>
    /// <param name="clip">how far.</param>
    public static Var ValueError(Var v, Tensor returns, Tensor before, float clip)
    {
        var error = (v - returns).Square();
        return clip == 0 ? error : error.Maximum(((v - before).Clamp(-clip, clip) + before - returns).Square());
    }

    /// <summary>V of [state, what the agent sees], as chosen, and the agent's index if weights are shared (Papoudakis et al. 2021).</summary>
    private static Critic ValueCritic(ParameterLayout layout, EnvironmentSpec spec, ActorCriticOptions options)
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
    public override void ComputeReturns(LossContext shard)
    {
        var (batch, steps) = (shard.Batch, shard.Batch.Steps);
        if (critic is null)
        {
            shard.Store(Targets.MonteCarlo(shard.Tape, shard.TransitionsOf(options.Gamma)), Column.Returns);
            return;
        }
        var vNext = critic.Values(shard.TargetOf(Critic), batch).Slice(0, 1, steps).Value;
        shard.Store(critic.Values(shard.OnlineOf(Critic), batch).Slice(0, 0, steps).Value, Column.Values);
        shard.Store(Returns(shard, vNext), Column.Returns);
    }

    /// <inheritdoc/>
    public override Var Loss(LossContext shard)
    {
        var batch = shard.Batch;
        shard.Report(Return, batch.Returns);
        var loss = shard.Mean(options.ClipRange > 0 ? ClippedLoss(shard) : ActorLoss(shard, options.EntropyCoefficient));
        if (critic is null)
        {
            return loss;
        }
        var v = critic.Values(shard.OnlineOf(Critic), batch).Slice(0, 0, batch.Steps);
        var error = ValueError(v, batch.Returns, batch.Values, options.ValueClipRange);
        shard.Report(Value, v.Value);
        shard.Report(CriticLoss, error.Value);
        return loss + shard.Mean(error);
    }

    private Var ClippedLoss(LossContext shard)
    {
        var batch = shard.Batch;
        var (logChosen, entropy) = LogPolicyAndEntropy(shard, shard.Online);
        var ratio = (logChosen - shard.Tape.Constant(batch.Probabilities).Log()).Exp();
        var loss = ClippedLoss(ratio, batch.Advantages, options.ClipRange) - options.EntropyCoefficient * entropy;
        ReportActor(shard, loss, entropy);
        shard.Report(ClipFraction, Outside(ratio, options.ClipRange));
        return loss;
    }
}
