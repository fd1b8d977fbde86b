namespace Marl.Native.Rl;

/// <summary>
/// When in training an episode was played: what lets an agent tell old experience from new, in which the others act otherwise (Foerster et al. 2017,
/// "Stabilising experience replay for deep multi-agent reinforcement learning", section 4.2).
/// </summary>
/// <param name="Progress">the training iteration as a share of all, 0 .. 1.</param>
/// <param name="Exploration">how much was left to chance, 0 .. 1.</param>
public readonly record struct Fingerprint(float Progress, float Exploration)
{
    /// <summary>How many numbers it is.</summary>
    public const int Size = 2;
}
