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
public sealed class ActorCritic : PolicyObjective
{
    // Places in Metrics.
    private const int ActorLoss = 0, EntropyMean = 1, CriticLoss = 2, Value = 3, Return = 4, ClipFraction = 5;

    private readonly ActorCriticOptions options;
    private readonly ValueCritic? critic;

    private ActorCritic(ActorCriticOptions options, LearnerContext context, ParameterLayout actorLayout, ParameterLayout criticLayout) : base(options)
    {
        this.options = options;
        Agent = new Agent(actorLayout.Scope("agent"), context.Spec, options.Network);
        critic = options.Critic == CriticKind.None ? null
            : new ValueCritic(criticLayout.Scope("critic"), context.Spec, options.Critic, options.Network, options.CriticHidden);
    }

    /// <inheritdoc/>
    public override Agent Agent { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; } = ["actorLoss", "entropy", "criticLoss", "value", "return", "clipFraction"];

    /// <summary>A learner with fresh weights.</summary>
    public static OnPolicyLearner Learner(ActorCriticOptions options, LearnerContext context)
        => new(options, context, (actor, critic) => new ActorCritic(options, context, actor, critic));

    /// <inheritdoc/>
    public override void Estimate(Shard shard)
    {
        var (batch, steps) = (shard.Batch, shard.Batch.Steps);
        if (critic is null)
        {
            shard.Store(Targets.MonteCarlo(shard.Tape, shard.TransitionsOf(options.Gamma)), static estimates => estimates.Returns);
            return;
        }
        var vNext = critic.Forward(shard.TargetOf(Critic), batch).Slice(0, 1, steps).Value;
        shard.Store(critic.Forward(shard.OnlineOf(Critic), batch).Slice(0, 0, steps).Value, static estimates => estimates.Values);
        shard.Store(Returns(shard, vNext), static estimates => estimates.Returns);
    }

    /// <inheritdoc/>
    public override Var Loss(Shard shard)
    {
        var (tape, batch) = (shard.Tape, shard.Batch);
        var logPolicy = LogPolicy(shard);                                                                                   // [T, B, N, A]
        var logChosen = new ActionValues(logPolicy, batch.Actions, default).Chosen;                                         // [T, B, N]
        var (gain, entropy, advantage) = (logChosen * batch.Advantages, logPolicy.Entropy(), batch.Advantages);
        if (options.Clip > 0)
        {
            var ratio = (logChosen - tape.Constant(batch.Probabilities).Log()).Exp();
            gain = (ratio * advantage).Minimum(ratio.Clamp(1f - options.Clip, 1f + options.Clip) * advantage);
            shard.Report(ClipFraction, Outside(ratio));
        }
        var actorLoss = -(gain + options.Entropy * entropy);
        shard.Report(ActorLoss, actorLoss.Value);
        shard.Report(EntropyMean, entropy.Value);
        shard.Report(Return, batch.Returns);
        return critic is null ? shard.Mean(actorLoss) : shard.Mean(actorLoss) + shard.Mean(ValueError(shard));

        // 1 where PPO's ratio left its bounds.
        Tensor Outside(Var ratio) => (tape.Constant((ratio - 1f).Abs().Value) * -1f + options.Clip).Map(default(IsNegative)).Value;
    }

    /// <summary>(G_t - V_t)^2 [T, B, N], or the greater of it and that of a V that has moved no further than is allowed.</summary>
    private Var ValueError(Shard shard)
    {
        var batch = shard.Batch;
        var v = critic!.Forward(shard.OnlineOf(Critic), batch).Slice(0, 0, batch.Steps);
        var error = (v - batch.Returns).Square();
        if (options.ValueClip > 0)
        {
            var near = (v - batch.Values).Clamp(-options.ValueClip, options.ValueClip) + batch.Values;
            error = error.Maximum((near - batch.Returns).Square());
        }
        shard.Report(Value, v.Value);
        shard.Report(CriticLoss, error.Value);
        return error;
    }
}
