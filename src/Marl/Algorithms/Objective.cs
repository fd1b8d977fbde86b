namespace Marl.Native.Rl;

/// <summary>
/// What a learner minimises: the networks of an algorithm and its loss, as its paper has them. The loss is a pure function of a shard of the
/// batch, so any number of workers can differentiate the shards side by side.
/// </summary>
public abstract class Objective
{
    /// <summary>The network that acts.</summary>
    public abstract Agent Agent { get; }

    /// <summary>Names of what <see cref="Loss"/> reports, see <see cref="Shard.Report"/>.</summary>
    public abstract IReadOnlyList<string> Metrics { get; }

    /// <summary>This shard's part of the loss of the whole batch.</summary>
    public abstract Var Loss(Shard shard);

    /// <summary>All shards are done, so statistics of the whole batch are known.</summary>
    /// <param name="metrics">the means of what was reported, in the order of <see cref="Metrics"/>; may be changed.</param>
    /// <returns>what loss and gradient are multiplied with; by default 1.</returns>
    public virtual float Complete(Span<float> metrics) => 1f;
}
