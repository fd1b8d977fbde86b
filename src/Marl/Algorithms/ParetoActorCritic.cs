using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Pareto actor-critic (Christianos, Papoudakis and Albrecht 2023): in a game without conflict the others want what is best for the agent, so it values its
/// actions by the best that the others could do with them, and learns towards the equilibrium that is best for all:
/// <code>
/// Q_i^+(s, u_i) = max over u_-i, of what is available, of Q_i(s, u_i, u_-i)
/// G_t      = n-step return with the target critic's Q_i^+(s_t, u_t,i)
/// L_critic = mean (G_t - Q_i(s_t, u_t))^2 + mean (G_t - V_i(s_t))^2
/// A_i      = Q_i^+(s_t, u_t,i) - V_i(s_t)                                             by the critics before their step
/// L_actor  = -mean (A_i log pi_i(u_i) + c H(pi_i)),   c falling over the training
/// </code>
/// </summary>
internal sealed class ParetoActorCritic : PolicyObjective
{
    // Places in Metrics.
    private const int CriticLoss = 2, Value = 3, Return = 4;

    private readonly Critic critic, stateValue;
    private readonly JointActionValues joint;
    private readonly Schedule entropyWorth;

    public ParetoActorCritic(ParetoAcOptions options, LearningContext context) : base(options, context)
    {
        var (layout, spec, network, hidden) = (AddNetwork("critic", options.OfCritics), context.Spec, options.CriticNetwork, options.CriticHidden);
        NetworkInput.RequireState(spec, "the critic", "ia2c and ippo need none");
        critic = new Critic(layout.Scope("critic"), new NetworkInput(spec, common: [InputColumn.State], own: [InputColumn.OthersActions]), network, hidden, options.ShareParameters,
            spec.ActionCount);
        stateValue = new Critic(layout.Scope("state_value"), new NetworkInput(spec, common: [InputColumn.State], own: options.ShareParameters ? [InputColumn.AgentId] : []),
            network, hidden, options.ShareParameters, outputs: 1);
        joint = new JointActionValues(critic, spec, options.ShareParameters);
        entropyWorth = options.EntropyOver(context.TotalSteps);
    }

    /// <inheritdoc/>
    public override bool NeedsNextAction => true;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; } = ["actorLoss", "entropy", "criticLoss", "value", "return"];

    /// <inheritdoc/>
    public override void ComputeReturns(LossContext shard)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var bestNext = joint.Best(shard.TargetOf(Critic), batch).Slice(1, steps);
        var best = tape.Constant(joint.Best(shard.OnlineOf(Critic), batch).Slice(0, steps));
        var v = stateValue.Values(shard.OnlineOf(Critic), batch).Slice(0, 0, steps);
        shard.Store(Returns(shard, bestNext), Column.Returns);
        shard.Store(v.Value, Column.Values);
        shard.Store((best - v).Value, Column.Advantages);
    }

    /// <summary>Nothing: <see cref="ComputeReturns"/> has the advantages already.</summary>
    public override void ComputeAdvantages(Episode episode)
    {
    }

    /// <inheritdoc/>
    public override Var Loss(LossContext shard)
    {
        var (batch, steps) = (shard.Batch, shard.Batch.Steps);
        var q = Chosen(critic.Forward(shard.OnlineOf(Critic), critic.Input.Build(shard.Tape, batch, 0, steps)), batch.Actions);
        var v = stateValue.Values(shard.OnlineOf(Critic), batch).Slice(0, 0, steps);
        var error = (q - batch.Returns).Square() + (v - batch.Returns).Square();
        shard.Report(CriticLoss, error.Value);
        shard.Report(Value, v.Value);
        shard.Report(Return, batch.Returns);
        return shard.Mean(ActorLoss(shard, entropyWorth.At(shard.Steps))) + shard.Mean(error);
    }
}
