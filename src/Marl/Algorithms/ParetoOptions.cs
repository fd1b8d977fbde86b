using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>Hyper-parameters of Pareto actor-critic. Its <see cref="OnPolicyOptions.Entropy"/> is what a unit is worth in the end.</summary>
public sealed record ParetoOptions : OnPolicyOptions
{
    /// <summary>What a unit of entropy of the policy is worth at the beginning ..</summary>
    public float EntropyStart { get; init; } = 20f;

    /// <summary>.. from which it falls to <see cref="OnPolicyOptions.Entropy"/> over this share of the training, linearly.</summary>
    public float EntropyAnneal { get; init; } = 0.5f;

    /// <summary>What a unit of entropy is worth in a training of so many steps.</summary>
    internal Schedule EntropyOver(long steps) => Schedule.Linear(EntropyStart, Entropy, (long)(EntropyAnneal * (double)steps));

    internal override void Validate()
    {
        base.Validate();
        UsageException.Require(EntropyStart >= 0, EntropyStart, "at least 0");
        UsageException.Require(EntropyAnneal is >= 0 and <= 1, EntropyAnneal, "in 0 .. 1");
    }
}
