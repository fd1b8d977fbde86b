namespace Marl.Native.Rl;

/// <summary>
/// Counterfactual multi-agent policy gradients (COMA, Foerster et al. 2018): a centralized action-value critic, and an advantage that compares an agent's
/// action with the average over its policy, the others' actions fixed (equation 4; the aristocratic utility of Wolpert and Tumer 2002, estimated by a critic):
/// <code>
/// G_t      = lambda or n-step return with the target critic's Q_i(s_t, u_t)
/// L_critic = mean (G_t - Q_i(s_t, u_t))^2
/// A_i      = Q_i(s, u) - sum_a pi_i(a) Q_i(s, (a, u_-i))                              by the critic before its step
/// L_actor  = -mean (A_i log pi_i(u_i) + c H(pi_i)),   pi = (1 - floor) softmax + floor / k
/// </code>
/// Agents that do not share weights have critics of their own (EPyMARL, Papoudakis et al. 2021).
/// </summary>
internal sealed class Coma : PolicyObjective
{
    // Indices in Metrics.
    private const int CriticLoss = 2, Value = 3, Return = 4;

    private readonly ComaOptions options;
    private readonly Critic critic;

    public Coma(ComaOptions options, LearningContext context) : base(options, context)
    {
        this.options = options;
        var spec = context.Spec;
        if (!options.CriticObservation)
        {
            NetworkInput.RequireState(spec, "the critic", "use criticObservation=true");
        }
        // Q_i(s, ., u_-i): one output per action of the agent, given the others' actions.
        var input = new NetworkInput(spec, common: [InputColumn.State], own: NetworkInput.Columns(
            (InputColumn.Observation, options.CriticObservation), (InputColumn.MaskedJointAction, true),
            (InputColumn.LastActions, options.CriticLastActions), (InputColumn.AgentId, options.ShareParameters)));
        critic = new Critic(AddNetwork("critic", options.CriticTraining).Scope("critic"), input, options.CriticNetwork, options.CriticHidden,
            options.ShareParameters, spec.ActionCount);
    }

    /// <inheritdoc/>
    public override bool NeedsBootstrapAction => true;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; } = ["actorLoss", "entropy", "criticLoss", "value", "return"];

    /// <summary>Computes A_i = Q_i(u_i) - sum_a pi_i(a) Q_i(a) [T, B, N] (equation 4).</summary>
    /// <param name="q">Q_i(s, ., u_-i) and the actions taken.</param>
    /// <param name="logPolicy">[T, B, N, A], see <see cref="Exploration.LogPolicy"/>.</param>
    public static Var Advantage(in ActionValues q, Var logPolicy) => q.Chosen - (logPolicy.Exp() * q.Available * q.All).Sum(-1);

    /// <inheritdoc/>
    public override void ComputeReturns(LossContext context)
    {
        var (batch, steps) = (context.Batch, context.Batch.Steps);
        var all = critic.Forward(context.TargetOf(Critic), batch).Slice(0, 1, steps);
        var qNext = new ActionValues(all, batch.BootstrapActions.Slice(1, steps), default).Chosen;
        var q = Values(context);
        context.Store(Returns(context, qNext.Value), Column.Returns);
        context.Store(q.Chosen.Value, Column.Values);
        context.Store(Advantage(q, LogPolicy(context, context.Online)).Value, Column.Advantages);
    }

    /// <summary>Does nothing: <see cref="ComputeReturns"/> has computed the advantages.</summary>
    public override void ComputeAdvantages(Episode episode)
    {
    }

    /// <inheritdoc/>
    public override Var Loss(LossContext context)
    {
        var batch = context.Batch;
        var q = Values(context).Chosen;
        var error = (q - batch.Returns).Square();
        context.Report(CriticLoss, error.Value);
        context.Report(Value, q.Value);
        context.Report(Return, batch.Returns);
        return context.Mean(ActorLoss(context, options.EntropyCoefficient)) + context.Mean(error);
    }

    /// <summary>Computes Q_i(s_t, ., u_-i) [T, B, N, A].</summary>
    private ActionValues Values(LossContext context)
    {
        var (batch, steps) = (context.Batch, context.Batch.Steps);
        return new(critic.Forward(context.OnlineOf(Critic), batch).Slice(0, 0, steps), batch.Actions, batch.Available.Slice(0, steps));
    }
}
