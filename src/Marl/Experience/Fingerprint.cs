namespace Marl.Native.Rl;

/// <summary>
/// The training progress when an episode was played. As an input it lets agents distinguish old from recent experience, in which other agents had other
/// policies (Foerster et al. 2017, "Stabilising experience replay for deep multi-agent reinforcement learning", section 4.2).
/// </summary>
/// <param name="Progress">The fraction of training that was completed, 0 .. 1.</param>
/// <param name="Exploration">The exploration rate, 0 .. 1.</param>
public readonly record struct Fingerprint(float Progress, float Exploration)
{
    /// <summary>The number of elements.</summary>
    public const int Size = 2;

    /// <summary>Returns the fingerprint of a run.</summary>
    /// <param name="steps">The environment steps so far.</param>
    /// <param name="totalSteps">The environment steps of the whole run.</param>
    /// <param name="exploration">The exploration rate.</param>
    internal static Fingerprint Of(long steps, long totalSteps, float exploration) => new(Math.Min(1f, (float)steps / totalSteps), exploration);
}
