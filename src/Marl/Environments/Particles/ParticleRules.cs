namespace Marl.Native.Rl;

/// <summary>The rules in which the releases of the particle worlds differ.</summary>
internal sealed record ParticleRules
{
    private const int DefaultSteps = 25;

    /// <summary>OpenAI's original (ids mpe-v0:...) and not PettingZoo's and MPE2's revision: action 1 is +x and not -x (and so on), action
    /// vectors are not clipped, rewards of cooperative worlds are summed over the agents and given to all, and some distances are
    /// squared.</summary>
    public bool Original { get; init; }

    /// <summary>A step changes velocities before positions: the original, and PettingZoo before 1.23.1.</summary>
    public bool VelocityFirst { get; init; }

    /// <summary>Actions are vectors of weights in 0..1, and not one of the moves and symbols.</summary>
    public bool Continuous { get; init; }

    /// <summary>Steps until an episode is truncated.</summary>
    public int EpisodeLimit { get; init; } = DefaultSteps;

    /// <summary>Reads what all worlds have in common.</summary>
    public static ParticleRules Parse(EnvironmentId id)
    {
        bool original = id.Name == ParticleWorlds.Original;
        return new()
        {
            Original = original,
            VelocityFirst = original || id.Choice("order", ("current", false), ("original", true)),
            Continuous = id.Choice("actions", ("discrete", false), ("continuous", true)),
            EpisodeLimit = id.Integer("steps") ?? DefaultSteps,
        };
    }

    /// <summary>The id of a world under these rules.</summary>
    /// <param name="world">its name.</param>
    /// <param name="options">its own options; those at their usual value are left out.</param>
    public string Id(string world, params ReadOnlySpan<(string Name, object? Value, object? Usual)> options) => EnvironmentId.Compose(
        $"{(Original ? ParticleWorlds.Original : ParticleWorlds.Current)}:{world}",
        [.. options, ("actions", Continuous ? "continuous" : null, null), ("order", VelocityFirst && !Original ? "original" : null, null), ("steps", EpisodeLimit, DefaultSteps)]);
}
