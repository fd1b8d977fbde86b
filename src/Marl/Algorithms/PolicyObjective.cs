namespace Marl.Native.Rl;

/// <summary>
/// What an on-policy learner minimises: the loss of a policy, the shard's first network, and of the critic beside it, the second. Their gradients do not
/// touch, so both are one loss.
/// </summary>
/// <param name="options">of the family.</param>
public abstract class PolicyObjective(OnPolicyOptions options) : Objective
{
    /// <summary>Place of the critic among the networks of a shard.</summary>
    protected const int Critic = 1;

    /// <summary>The policy: how actions are drawn from what the agents say.</summary>
    public PolicySampler Selector { get; } = new() { MaskBeforeSoftmax = options.MaskBeforeSoftmax };

    /// <summary>Whether the critic values what would have been done next, see <see cref="ILearner.NeedsNextAction"/>.</summary>
    public virtual bool NeedsNextAction => false;

    /// <summary>Before the first step: what the critic makes of the episodes, stored with them (<see cref="Shard.Store"/>). No gradient.</summary>
    public abstract void Estimate(Shard shard);

    /// <summary>Advantages of an episode whose <see cref="Estimates"/> are there and standardised; by default A_t = G_t - v_t.</summary>
    public virtual void Appraise(Episode episode, Estimates estimates)
        => System.Numerics.Tensors.TensorPrimitives.Subtract(estimates.Returns, estimates.Values, estimates.Advantages);

    /// <summary>log pi(.) [T, B, N, A] of what was seen before each action.</summary>
    protected Var LogPolicy(Shard shard)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var input = tape.Constant(Agent.Input.Build(tape, batch));
        var logits = Agent.Forward(shard.Online, input, shard.Rest(Agent)).Output.Slice(0, 0, steps);
        return Selector.LogPolicy(logits, batch.Available.Slice(0, steps));
    }

    /// <summary>G_t [T, B, N]: lambda or n-step returns.</summary>
    /// <param name="shard">what was earned.</param>
    /// <param name="vNext">[T, B, N] the value of what came next, as the target critic says; changed in place.</param>
    protected Tensor Returns(Shard shard, Tensor vNext)
    {
        var transitions = shard.TransitionsOf(options.Gamma);
        vNext = shard.Destandardised(vNext);
        return options.Lambda > 0
            ? Targets.Lambda(shard.Tape, transitions, vNext, options.Lambda)
            : Targets.NStep(shard.Tape, transitions, vNext, options.NStep);
    }
}
