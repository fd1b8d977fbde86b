using System.Numerics.Tensors;

namespace Marl.Native.Rl;

/// <summary>
/// The objective of an on-policy algorithm: the loss of the policy, which is network 0, and of its critics. By default all networks are updated from one loss,
/// because their gradients are independent.
/// </summary>
public abstract class PolicyObjective : Objective
{
    /// <summary>The index of the policy's network.</summary>
    protected const int Actor = 0;

    /// <summary>The index of the critic's network, if there is one.</summary>
    protected const int Critic = 1;

    // Indices in Metrics.
    private const int ActorLossMetric = 0, EntropyMetric = 1;

    private readonly OnPolicyOptions options;
    private readonly Func<LossContext, Var> loss, criticLoss;
    private Tensor[] criticGradients = [];

    /// <summary>Adds the policy's network. The derived constructor adds critics.</summary>
    /// <param name="options">The options of the algorithm.</param>
    /// <param name="context">The environment and the run.</param>
    /// <exception cref="UsageException">An option is out of range.</exception>
    protected PolicyObjective(OnPolicyOptions options, LearningContext context)
    {
        this.options = options;
        (loss, criticLoss) = (Loss, CriticLoss);
        Agent = new Agent(AddNetwork("actor", options).Scope("agent"), context.Spec, options.Network);
    }

    /// <inheritdoc/>
    public sealed override Agent Agent { get; }

    /// <summary>The critics, whose network is number 1. The recurrent ones keep their state from segment to segment.</summary>
    internal virtual IEnumerable<Critic> Critics => [];

    /// <summary>Whether the critic needs the action after a truncated episode, see <see cref="ILearner.NeedsBootstrapAction"/>.</summary>
    public virtual bool NeedsBootstrapAction => false;

    /// <summary>The critic of state values, network 1; null: there is none, or its outputs are not values alone.</summary>
    internal virtual Critic? ValueCritic => null;

    /// <summary>Values, returns and advantages; derived classes may add columns.</summary>
    public override IReadOnlyList<Column> Columns { get; } = [Column.Values, Column.Returns, Column.Advantages];

    /// <summary>Computes the critic's values and the returns of a shard before the first epoch, and stores them (<see cref="LossContext.Store"/>). Without
    /// gradients.</summary>
    public abstract void ComputeReturns(LossContext context);

    /// <summary>Computes the advantages of an episode from its stored values and returns (standardized, if they are); by default A_t = G_t - v_t.</summary>
    public virtual void ComputeAdvantages(Episode episode)
        => TensorPrimitives.Subtract(episode[Column.Returns], episode[Column.Values], episode[Column.Advantages]);

    /// <summary>Normalizes the advantages of all episodes of a round to mean 0 and standard deviation 1.</summary>
    internal virtual void NormalizeAdvantages(ReadOnlySpan<Episode> episodes) => ColumnStatistics.Normalize(episodes, Column.Advantages);

    /// <summary>Computes the part of <see cref="Objective.Loss"/> that depends on the critics, which additional steps of the critics minimize
    /// (<see cref="OnPolicyOptions.CriticSteps"/>).</summary>
    /// <param name="context">The shard.</param>
    /// <returns>A scalar.</returns>
    /// <exception cref="UsageException">The objective does not state it.</exception>
    public virtual Var CriticLoss(LossContext context)
        => throw new UsageException($"{GetType().Name} has no loss of critics alone; use criticSteps=1");

    /// <summary>Takes an optimizer step on a minibatch; by default of all networks with the gradient of <see cref="Objective.Loss"/>, after
    /// criticSteps - 1 steps of the critics alone.</summary>
    /// <param name="gradient">Computes gradients with respect to all networks.</param>
    /// <param name="episodes">The minibatch.</param>
    /// <param name="info">The values that all shards share.</param>
    /// <param name="report">Receives the loss and the metrics.</param>
    internal virtual void Step(BatchGradient gradient, ReadOnlySpan<Episode> episodes, in LossContext.BatchInfo info, LossReport report)
    {
        for (int step = 1; step < options.CriticSteps; step++)
        {
            StepCritics(gradient, episodes, info, report);
        }
        gradient.Compute(loss, episodes, info, report);
        foreach (var network in gradient.Networks)
        {
            network.Step(report.Loss);
        }
    }

    /// <summary>Takes an optimizer step of the critics with the gradient of <see cref="CriticLoss"/>.</summary>
    private protected void StepCritics(BatchGradient gradient, ReadOnlySpan<Episode> episodes, in LossContext.BatchInfo info, LossReport report)
    {
        if (criticGradients.Length == 0)
        {
            criticGradients = new Tensor[gradient.Networks.Length];
            for (int i = 0; i < criticGradients.Length; i++)
            {
                criticGradients[i] = IsCritic(i) ? gradient.Networks[i].Online.Gradient : default;
            }
        }
        gradient.Compute(criticLoss, episodes, info, report, criticGradients);
        for (int i = 0; i < criticGradients.Length; i++)
        {
            if (IsCritic(i))
            {
                gradient.Networks[i].Step(report.Loss);
            }
        }
    }

    /// <summary>Whether a network is trained by <see cref="CriticLoss"/>; by default all but the policy's.</summary>
    private protected virtual bool IsCritic(int network) => network != Actor;

    /// <summary>Computes the policy-gradient loss with an entropy bonus, -(A log pi(u) + c H) (Williams 1992, Mnih et al. 2016).</summary>
    /// <param name="logChosen">log pi(u).</param>
    /// <param name="advantages">A.</param>
    /// <param name="entropy">H.</param>
    /// <param name="entropyCoefficient">c.</param>
    public static Var ActorLoss(Var logChosen, Tensor advantages, Var entropy, float entropyCoefficient)
        => -(logChosen * advantages + entropyCoefficient * entropy);

    /// <summary>Computes the policy-gradient loss [T, B, N] of a shard, and reports actorLoss and entropy.</summary>
    protected Var ActorLoss(LossContext context, float entropyCoefficient)
    {
        var (logChosen, entropy) = LogPolicyAndEntropy(context, context.Online);
        var actorLoss = ActorLoss(logChosen, context.Batch.Advantages, entropy, entropyCoefficient);
        ReportActor(context, actorLoss, entropy);
        return actorLoss;
    }

    /// <summary>Reports the metrics actorLoss and entropy.</summary>
    protected static void ReportActor(LossContext context, Var actorLoss, Var entropy)
    {
        context.Report(ActorLossMetric, actorLoss.Value);
        context.Report(EntropyMetric, entropy.Value);
    }

    /// <summary>Computes log pi [T, B, N, A] for the observations of a shard; with K branches of W choices log pi_k of each branch, [T, B, N K, W].</summary>
    protected Var LogPolicy(LossContext context, Weights w)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var input = Agent.Input.Build(tape, batch);
        var logits = Agent.Forward(w, input, context.InitialState(Agent), batch.ContinueMask).Output.Slice(0, 0, steps);
        var available = batch.Available.Slice(0, steps).Branches(Agent.Layout, tape);
        return options.Exploration.LogPolicy(logits.Branches(Agent.Layout), available, context.Exploration);
    }

    /// <summary>Computes log pi(u_t) and the entropy of pi (nats), [T, B, N]. The branches of an action are independent, pi(u) = prod_k pi_k(u_k): both are
    /// sums over branches.</summary>
    protected (Var LogChosen, Var Entropy) LogPolicyAndEntropy(LossContext context, Weights w)
    {
        var logPolicy = LogPolicy(context, w);
        return (Chosen(logPolicy, context.Batch.Actions), logPolicy.Entropy().SumOverBranches(Agent.Layout.Branches));
    }

    /// <summary>Returns x(u) [T, B, N] of x [T, B, N, A]; with K branches the sum over branches of x [T, B, N K, W].</summary>
    /// <param name="x">A value for each action.</param>
    /// <param name="actions">The actions u [T, B, N] or [T, B, N, K].</param>
    protected static Var Chosen(Var x, Tensor actions) => x.OfChoices(actions).SumOverBranches(x.Shape[2] / actions.Shape[2]);

    /// <summary>Computes lambda or n-step returns G_t [T, B, N].</summary>
    /// <param name="context">The shard.</param>
    /// <param name="vNext">v_{t+1} [T, B, N] by the target critic; changed in place.</param>
    protected Tensor Returns(LossContext context, Tensor vNext) => Returns(context, context.TransitionsOf(options.Gamma), vNext);

    /// <summary>Computes the returns of given transitions.</summary>
    protected Tensor Returns(LossContext context, Transitions transitions, Tensor vNext)
        => context.Returns(options, transitions, context.Destandardized(vNext));
}
