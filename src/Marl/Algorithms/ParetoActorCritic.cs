using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Pareto actor-critic (Christianos, Papoudakis and Albrecht 2023). In a no-conflict game all agents prefer the same joint action, so the value of an agent's
/// action is the maximum over the others' actions; policies converge to the Pareto-optimal equilibrium:
/// <code>
/// Q_i^+(s, u_i) = max over available u_-i of Q_i(s, u_i, u_-i)
/// G_t      = n-step return with the target critic's Q_i^+(s_t, u_t,i)
/// L_critic = mean (G_t - Q_i(s_t, u_t))^2 + mean (G_t - V_i(s_t))^2
/// A_i      = Q_i^+(s_t, u_t,i) - V_i(s_t)                                             by the critics before their step
/// L_actor  = -mean (A_i log pi_i(u_i) + c H(pi_i)),   c annealed
/// </code>
/// </summary>
internal sealed class ParetoActorCritic : PolicyObjective
{
    // Indices in Metrics.
    private const int CriticError = 2, Value = 3, Return = 4;

    private readonly Critic critic, stateValue;
    private readonly JointActionValues joint;
    private readonly Schedule entropyCoefficient;

    public ParetoActorCritic(ParetoAcOptions options, LearningContext context) : base(options, context)
    {
        var (layout, spec, network, hidden) = (AddNetwork("critic", options.CriticTraining), context.Spec, options.CriticNetwork, options.CriticHidden);
        NetworkInput.RequireState(spec, "the critic", "ia2c and ippo need none");
        InputColumn[] id = options.ShareParameters && options.CriticAgentId ? [InputColumn.AgentId] : [];
        var input = new NetworkInput(spec, common: [InputColumn.State], own: [InputColumn.OthersActions, .. id]);
        critic = new Critic(layout.Scope("critic"), input, network, hidden, options.ShareParameters, spec.ActionCount);
        var stateInput = new NetworkInput(spec, common: [InputColumn.State], own: options.ShareParameters ? [InputColumn.AgentId] : []);
        stateValue = new Critic(layout.Scope("state_value"), stateInput, network, hidden, options.ShareParameters, outputs: 1);
        joint = new JointActionValues(critic, spec, isSame: options.ShareParameters && !options.CriticAgentId);
        entropyCoefficient = options.EntropyOver(context.TotalSteps);
    }

    /// <inheritdoc/>
    internal override IEnumerable<Critic> Critics => [critic, stateValue];

    /// <inheritdoc/>
    public override bool NeedsBootstrapAction => true;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; } = ["actorLoss", "entropy", "criticLoss", "value", "return"];

    /// <inheritdoc/>
    public override void ComputeReturns(LossContext context)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var bestNext = joint.MaxOverOthers(context.TargetOf(Critic), batch).Slice(1, steps);
        var best = tape.Constant(joint.MaxOverOthers(context.OnlineOf(Critic), batch).Slice(0, steps));
        var v = stateValue.Values(context.OnlineOf(Critic), batch).Slice(0, 0, steps);
        context.Store(Returns(context, bestNext), Column.Returns);
        context.Store(v.Value, Column.Values);
        context.Store((best - v).Value, Column.Advantages);
    }

    /// <summary>Does nothing: <see cref="ComputeReturns"/> has computed the advantages.</summary>
    public override void ComputeAdvantages(Episode episode)
    {
    }

    /// <inheritdoc/>
    public override Var Loss(LossContext context) => context.Mean(ActorLoss(context, entropyCoefficient.At(context.Steps))) + CriticLoss(context);

    /// <inheritdoc/>
    public override Var CriticLoss(LossContext context)
    {
        var (batch, steps) = (context.Batch, context.Batch.Steps);
        var q = Chosen(critic.Forward(context.OnlineOf(Critic), critic.Input.Build(context.Tape, batch, 0, steps)), batch.Actions);
        var v = stateValue.Values(context.OnlineOf(Critic), batch).Slice(0, 0, steps);
        var error = (q - batch.Returns).Square() + (v - batch.Returns).Square();
        context.Report(CriticError, error.Value);
        context.Report(Value, v.Value);
        context.Report(Return, batch.Returns);
        return context.Mean(error);
    }
}
