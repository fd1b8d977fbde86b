namespace Marl.Native.Rl;

/// <summary>
/// The objective of an algorithm: its networks and its loss. The learner does the rest: replay or rounds, gradients, optimizers, target networks and
/// checkpoints. The loss must be a pure function of a shard of the batch, because threads differentiate shards concurrently.
/// </summary>
/// <example>
/// Values that are regressed on the immediate reward. <see cref="ReplayOptions.Create"/> of the algorithm's options returns it:
/// <code>
/// public sealed class Myopic : Objective
/// {
///     public Myopic(ReplayOptions options, LearningContext context)
///         => Agent = new Agent(AddNetwork("network", options).Scope("agent"), context.Spec, options.Network);
///     public override Agent Agent { get; }
///     public override IReadOnlyList&lt;string&gt; Metrics => ["value"];
///     public override Var Loss(LossContext context)
///     {
///         var batch = context.Batch;
///         var values = Agent.Forward(context.Online, batch).Slice(0, 0, batch.Steps);         // [T, B, N, A]
///         var chosen = new ActionValues(values, batch.Actions, batch.Available).Chosen;       // [T, B, N]
///         context.Report(0, chosen.Value);
///         return context.Mean((chosen - batch.Rewards).Square());
///     }
/// }
/// </code></example>
public abstract class Objective
{
    private readonly List<NetworkSpec> networks = [];

    /// <summary>The networks in the order of their indices, the agents' first.</summary>
    internal IReadOnlyList<NetworkSpec> Networks => networks;

    /// <summary>The agents' network.</summary>
    public abstract Agent Agent { get; }

    /// <summary>The number K of policies in the ensemble, which are the first K networks; 1: no ensemble.</summary>
    public virtual int EnsembleSize => 1;

    /// <summary>The columns of experience that the loss needs besides the common ones. Read once, before anything is recorded.</summary>
    public virtual IReadOnlyList<Column> Columns => [];

    /// <summary>Whether a loss uses <see cref="LossContext.MeanOverAvailableActions"/>.</summary>
    public virtual bool CountsAvailableActions => false;

    /// <summary>Adds a network to train.</summary>
    /// <param name="name">The name in checkpoints, errors and metrics.</param>
    /// <param name="options">Optimizer, gradient clipping and target updates.</param>
    /// <param name="layout">The layout of its parameters; by default a new one.</param>
    /// <returns>The layout, for layers to add their parameters to.</returns>
    protected ParameterLayout AddNetwork(string name, AlgorithmOptions options, ParameterLayout? layout = null)
    {
        networks.Add(new(name, layout ??= new ParameterLayout(), options));
        return layout;
    }

    /// <summary>The names of the metrics that losses report (<see cref="LossContext.Report"/>), in camelCase. Each metric is reported by one phase.</summary>
    public abstract IReadOnlyList<string> Metrics { get; }

    /// <summary>Computes the shard's part of the loss: a scalar whose sum over shards is the loss of the batch, see <see cref="LossContext.Mean"/>.</summary>
    /// <param name="context">The shard, the weights and the tape.</param>
    public abstract Var Loss(LossContext context);

    /// <summary>The steps of an update, in order; by default one step of network 0 with <see cref="Loss"/>.</summary>
    public virtual IReadOnlyList<Phase> Phases => [new("network", 0, Loss)];

    /// <summary>Reads an episode that was played, and writes columns of it. Replay learners call it once per episode, in order, before they store the
    /// episode.</summary>
    public virtual void Record(Episode episode)
    {
    }

    /// <summary>Saves or restores state of the objective besides its networks.</summary>
    public virtual void Archive(IArchive archive)
    {
    }

    /// <summary>The index of a metric by whose batch mean loss and gradient are divided if it is above 0; null: none.</summary>
    public virtual int? DivisorMetric => null;

    /// <summary>Computes metrics that are functions of others. Called when the metrics are read.</summary>
    /// <param name="metrics">The batch means of the reported values in the order of <see cref="Metrics"/>; may be changed in place.</param>
    public virtual void CompleteMetrics(Span<float> metrics)
    {
    }
}

/// <summary>A step of an update: one optimizer step of one network. The loss may read all networks.</summary>
/// <param name="Name">The name in metrics.</param>
/// <param name="Network">The index of the network that is trained; the others are constants.</param>
/// <param name="Loss">Computes a shard's part of the loss of the batch.</param>
public sealed record Phase(string Name, int Network, Func<LossContext, Var> Loss)
{
    /// <summary>Updates between two steps of this phase. Target networks are updated together with the phase of the longest interval.</summary>
    public int Interval { get; init; } = 1;

    /// <summary>The ensemble member to train, on the episodes that it played; -1: all episodes.</summary>
    public int Member { get; init; } = -1;

    /// <summary>Whether the batch is the latest episodes instead of a random sample of the replay buffer.</summary>
    public bool OnLatest { get; init; }
}

/// <summary>A network to train.</summary>
/// <param name="Name">The name in checkpoints, errors and metrics.</param>
/// <param name="Layout">The layout of its parameters.</param>
/// <param name="Options">Optimizer, gradient clipping and target updates.</param>
internal sealed record NetworkSpec(string Name, ParameterLayout Layout, AlgorithmOptions Options);
