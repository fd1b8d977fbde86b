namespace Marl.Native.Rl;

/// <summary>
/// What a learner minimizes: the networks of an algorithm and its loss, as its paper has them. The loss is a pure function of a shard of the
/// batch, so any number of workers can differentiate the shards side by side.
/// </summary>
public abstract class Objective
{
    private readonly List<NetworkSpec> networks = [];

    /// <summary>What is trained, in the order of a loss context's networks; those that act first.</summary>
    internal IReadOnlyList<NetworkSpec> Networks => networks;

    /// <summary>The network that acts.</summary>
    public abstract Agent Agent { get; }

    /// <summary>K, the members of the ensemble of policies that acts, which are the first networks; 1: there is but one.</summary>
    public virtual int Members => 1;

    /// <summary>Columns of experience that it needs besides the common ones. Asked once, before anything is recorded.</summary>
    public virtual IReadOnlyList<Column> Columns => [];

    /// <summary>Whether a loss asks for <see cref="LossContext.MeanOverAvailableActions"/>.</summary>
    public virtual bool CountsChoices => false;

    /// <summary>Adds a network.</summary>
    /// <param name="name">Its name in checkpoints, errors and metrics.</param>
    /// <param name="training">Its optimizer, clipping, and how its target is updated.</param>
    /// <param name="layout">Its parameters; by default a new layout.</param>
    /// <returns>The layout, for layers to add their parameters to.</returns>
    protected ParameterLayout AddNetwork(string name, AlgorithmOptions training, ParameterLayout? layout = null)
    {
        networks.Add(new(name, layout ??= new ParameterLayout(), training));
        return layout;
    }

    /// <summary>Names of what losses report, each by one phase, see <see cref="LossContext.Report"/>.</summary>
    public abstract IReadOnlyList<string> Metrics { get; }

    /// <summary>This shard's part of the loss of the whole batch; of the phase that the others serve where there are several.</summary>
    public abstract Var Loss(LossContext shard);

    /// <summary>The steps that an update consists of, one after the other; by default one, of the only network along <see cref="Loss"/>.</summary>
    public virtual IReadOnlyList<Phase> Phases => [new("network", 0, Loss)];

    /// <summary>Place of the metric by whose mean over the whole batch loss and gradient are divided, where it is above 0; none: they stay.</summary>
    public virtual int? Divisor => null;

    /// <summary>Somebody asks for the metrics, so those that follow from others are computed.</summary>
    /// <param name="metrics">the means over the whole batch of what was reported, in the order of <see cref="Metrics"/>; may be changed.</param>
    public virtual void Complete(Span<float> metrics)
    {
    }
}

/// <summary>A step of an update: one network moves against the gradient of one loss, which may read all networks.</summary>
/// <param name="Name">in metrics.</param>
/// <param name="Network">place of the network that moves; the others are constants.</param>
/// <param name="Loss">a shard's part of the loss of the whole batch.</param>
public sealed record Phase(string Name, int Network, Func<LossContext, Var> Loss)
{
    /// <summary>It is taken in one of so many updates. Targets follow when the rarest phase is taken.</summary>
    public int Every { get; init; } = 1;

    /// <summary>The member of an ensemble that learns from the episodes that it played and from no others; -1: all learn from all.</summary>
    public int Member { get; init; } = -1;
}

/// <summary>A network of a learner.</summary>
/// <param name="Name">Its name in checkpoints and errors.</param>
/// <param name="Layout">Its parameters.</param>
/// <param name="Training">Its optimizer, clipping, and how its target is updated.</param>
internal sealed record NetworkSpec(string Name, ParameterLayout Layout, AlgorithmOptions Training);
