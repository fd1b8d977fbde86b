namespace Marl.Native.Rl;

/// <summary>
/// What an on-policy learner minimises: the loss of a policy, the shard's first network, and of the critic beside it, the second. Their gradients do not
/// touch, so both are one loss.
/// </summary>
public abstract class PolicyObjective : Objective
{
    /// <summary>Place of the critic among the networks of a shard.</summary>
    protected const int Critic = 1;

    /// <summary>How actions are drawn.</summary>
    public abstract IActionSelector Selector { get; }

    /// <summary>Before the first step: what the critic makes of the episodes, stored with them (<see cref="Shard.Store"/>). No gradient.</summary>
    public abstract void Estimate(Shard shard);

    /// <summary>Advantages of an episode whose <see cref="Estimates"/> are there and standardised; by default A_t = G_t - v_t.</summary>
    public virtual void Appraise(Episode episode, Estimates estimates)
        => System.Numerics.Tensors.TensorPrimitives.Subtract(estimates.Returns, estimates.Values, estimates.Advantages);
}
