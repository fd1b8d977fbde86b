namespace Marl.Native.Rl;

/// <summary>
/// Counterfactual multi-agent policy gradients (COMA, Foerster et al. 2018): a central critic of actions, and an advantage that compares an agent's action with
/// its policy while the others do what they did (equation 4, the aristocratic utility of Wolpert and Tumer 2002 by a critic):
/// <code>
/// G_t      = lambda or n-step return with the target critic's Q_i(s_t, u_t)
/// L_critic = mean (G_t - Q_i(s_t, u_t))^2
/// A_i      = Q_i(s, u) - sum_a pi_i(a) Q_i(s, (a, u_-i))                              by the critic before its step
/// L_actor  = -mean (A_i log pi_i(u_i) + c H(pi_i)),   pi = (1 - floor) softmax + floor / k
/// </code>
/// Weights of agents that are not shared have critics that are not shared (EPyMARL, Papoudakis et al. 2021).
/// </summary>
internal sealed class Coma : PolicyObjective
{
    // Places in Metrics.
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
        // Q_i(s, ., u_-i): one output per action of the agent, for what the others did.
        var input = new NetworkInput(spec, common: [InputColumn.State], own: NetworkInput.Columns(
            (InputColumn.Observation, options.CriticObservation), (InputColumn.MaskedJointAction, true),
            (InputColumn.LastActions, options.CriticLastActions), (InputColumn.AgentId, options.ShareParameters)));
        critic = new Critic(AddNetwork("critic", options.OfCritics).Scope("critic"), input, options.CriticNetwork, options.CriticHidden, options.ShareParameters, spec.ActionCount);
    }

    /// <inheritdoc/>
    public override bool NeedsNextAction => true;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; } = ["actorLoss", "entropy", "criticLoss", "value", "return"];

    /// <summary>A_i = Q_i(u_i) - sum_a pi_i(a) Q_i(a) [T, B, N] (equation 4).</summary>
    /// <param name="q">Q_i(s, ., u_-i) and what was done.</param>
    /// <param name="logPolicy">[T, B, N, A], see <see cref="Exploration.LogPolicy"/>.</param>
    public static Var Advantage(in ActionValues q, Var logPolicy) => q.Chosen - (logPolicy.Exp() * q.Available * q.All).Sum(-1);

    /// <inheritdoc/>
    public override void ComputeReturns(LossContext shard)
    {
        var (batch, steps) = (shard.Batch, shard.Batch.Steps);
        var qNext = new ActionValues(critic.Forward(shard.TargetOf(Critic), batch).Slice(0, 1, steps), batch.BootstrapActions.Slice(1, steps), default).Chosen;
        var q = Values(shard);
        shard.Store(Returns(shard, qNext.Value), Column.Returns);
        shard.Store(q.Chosen.Value, Column.Values);
        shard.Store(Advantage(q, LogPolicy(shard, shard.Online)).Value, Column.Advantages);
    }

    /// <summary>Nothing: <see cref="ComputeReturns"/> has the advantages already.</summary>
    public override void ComputeAdvantages(Episode episode)
    {
    }

    /// <inheritdoc/>
    public override Var Loss(LossContext shard)
    {
        var batch = shard.Batch;
        var q = Values(shard).Chosen;
        var error = (q - batch.Returns).Square();
        shard.Report(CriticLoss, error.Value);
        shard.Report(Value, q.Value);
        shard.Report(Return, batch.Returns);
        return shard.Mean(ActorLoss(shard, options.EntropyCoefficient)) + shard.Mean(error);
    }

    /// <summary>Q_i(s_t, ., u_-i) and u_t.</summary>
    private ActionValues Values(LossContext shard)
    {
        var (batch, steps) = (shard.Batch, shard.Batch.Steps);
        return new(critic.Forward(shard.OnlineOf(Critic), batch).Slice(0, 0, steps), batch.Actions, batch.Available.Slice(0, steps));
    }
}
