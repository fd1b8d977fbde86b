using System.Numerics.Tensors;

namespace Marl.Native.Rl;

/// <summary>
/// What an on-policy learner minimizes: the loss of a policy, the shard's first network, and of the critics beside it. By default their gradients do not touch,
/// so all is one loss; an algorithm that takes its steps one after the other says so in <see cref="Step"/>.
/// </summary>
public abstract class PolicyObjective : Objective
{
    /// <summary>Place of the policy among the networks of a shard.</summary>
    protected const int Actor = 0;

    /// <summary>Place of the critic, where there is one.</summary>
    protected const int Critic = 1;

    // Places in Metrics.
    private const int ActorLossMetric = 0, EntropyMetric = 1;

    private readonly OnPolicyOptions options;
    private readonly Func<LossContext, Var> loss;

    /// <summary>The network that acts; critics follow in the constructor of the algorithm.</summary>
    /// <param name="options">of the family.</param>
    /// <param name="context">where.</param>
    /// <exception cref="UsageException">an option is out of its range.</exception>
    protected PolicyObjective(OnPolicyOptions options, LearningContext context)
    {
        this.options = options;
        loss = Loss;
        Agent = new Agent(AddNetwork("actor", options).Scope("agent"), context.Spec, options.Network);
    }

    /// <inheritdoc/>
    public sealed override Agent Agent { get; }

    /// <summary>Whether the critic values what would have been done next, see <see cref="ILearner.NeedsNextAction"/>.</summary>
    public virtual bool NeedsNextAction => false;

    /// <summary>Values, returns and advantages; an algorithm that estimates more adds to them.</summary>
    public override IReadOnlyList<Column> Columns { get; } = [Column.Values, Column.Returns, Column.Advantages];

    /// <summary>Before the first step: the critic's values and returns of the episodes, stored with them (<see cref="LossContext.Store"/>). No gradient.</summary>
    public abstract void ComputeReturns(LossContext shard);

    /// <summary>Advantages of an episode whose values and returns are there, and standardized; by default A_t = G_t - v_t.</summary>
    public virtual void ComputeAdvantages(Episode episode)
        => TensorPrimitives.Subtract(episode[Column.Returns], episode[Column.Values], episode[Column.Advantages]);

    /// <summary>Brings the advantages of all episodes of a round to mean 0 and standard deviation 1.</summary>
    internal virtual void NormalizeAdvantages(ReadOnlySpan<Episode> episodes) => ColumnStatistics.Normalize(episodes, Column.Advantages);

    /// <summary>A step on some episodes: by default of all networks at once, against the gradient of <see cref="Objective.Loss"/>.</summary>
    /// <param name="gradient">of losses by all networks.</param>
    /// <param name="episodes">a minibatch.</param>
    /// <param name="setting">of all shards.</param>
    /// <param name="report">receives the loss and what it says.</param>
    internal virtual void Step(BatchGradient gradient, ReadOnlySpan<Episode> episodes, in LossContext.Setting setting, LossReport report)
    {
        gradient.Of(loss, episodes, setting, report);
        foreach (var network in gradient.Networks)
        {
            network.Step(report.Loss);
        }
    }

    /// <summary>-(A log pi(u) + c H): the policy gradient with a bonus for entropy (Williams 1992, Mnih et al. 2016).</summary>
    /// <param name="logChosen">log pi(u).</param>
    /// <param name="advantages">A.</param>
    /// <param name="entropy">H.</param>
    /// <param name="entropyWorth">c.</param>
    public static Var ActorLoss(Var logChosen, Tensor advantages, Var entropy, float entropyWorth) => -(logChosen * advantages + entropyWorth * entropy);

    /// <summary>The same of a shard [T, B, N], with its metrics.</summary>
    protected Var ActorLoss(LossContext shard, float entropyWorth)
    {
        var (logChosen, entropy) = LogPolicyAndEntropy(shard, shard.Online);
        var actorLoss = ActorLoss(logChosen, shard.Batch.Advantages, entropy, entropyWorth);
        ReportActor(shard, actorLoss, entropy);
        return actorLoss;
    }

    /// <summary>The metrics that all have.</summary>
    protected static void ReportActor(LossContext shard, Var actorLoss, Var entropy)
    {
        shard.Report(ActorLossMetric, actorLoss.Value);
        shard.Report(EntropyMetric, entropy.Value);
    }

    /// <summary>log pi(.) [T, B, N, A] of what was seen before each action.</summary>
    protected Var LogPolicy(LossContext shard, Weights w)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var input = Agent.Input.Build(tape, batch);
        var logits = Agent.Forward(w, input, shard.InitialState(Agent), batch.ContinueMask).Output.Slice(0, 0, steps);
        return options.Exploration.LogPolicy(logits, batch.Available.Slice(0, steps), shard.Exploration);
    }

    /// <summary>log pi(u_t) and the entropy of pi, [T, B, N].</summary>
    protected (Var LogChosen, Var Entropy) LogPolicyAndEntropy(LossContext shard, Weights w)
    {
        var logPolicy = LogPolicy(shard, w);
        return (Chosen(logPolicy, shard.Batch.Actions), logPolicy.Entropy());
    }

    /// <summary>x(u) [.., N] of x [.., N, A].</summary>
    protected static Var Chosen(Var x, Tensor actions) => new ActionValues(x, actions, default).Chosen;

    /// <summary>G_t [T, B, N]: lambda or n-step returns.</summary>
    /// <param name="shard">what was earned.</param>
    /// <param name="vNext">[T, B, N] the value of what came next, as the target critic says; changed in place.</param>
    protected Tensor Returns(LossContext shard, Tensor vNext) => Returns(shard, shard.TransitionsOf(options.Gamma), vNext);

    /// <summary>The same of given transitions.</summary>
    protected Tensor Returns(LossContext shard, Transitions transitions, Tensor vNext) => shard.Returns(options, transitions, shard.Destandardized(vNext));
}
