namespace Marl.Native.Rl;

/// <summary>The rules that differ between the releases of the particle environments.</summary>
internal sealed record ParticleRules
{
    private const int DefaultSteps = 25;

    /// <summary>Whether the rules are those of OpenAI's original (ids mpe-v0:...) instead of PettingZoo and MPE2: action 1 is +x instead of -x (and so on),
    /// action vectors are not clipped, agents of cooperative scenarios receive the sum of all rewards, and some distances are squared.</summary>
    public bool Original { get; init; }

    /// <summary>Whether a step updates velocities before positions, as in the original and in PettingZoo before 1.23.1.</summary>
    public bool VelocityFirst { get; init; }

    /// <summary>Whether actions are continuous: vectors of weights in 0 .. 1.</summary>
    public bool Continuous { get; init; }

    /// <summary>The number of steps after which an episode is truncated.</summary>
    public int EpisodeLimit { get; init; } = DefaultSteps;

    /// <summary>Parses the options of all scenarios.</summary>
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

    /// <summary>Returns the id of a scenario under these rules.</summary>
    /// <param name="scenario">The name of the scenario.</param>
    /// <param name="options">The options of the scenario; those with default values are omitted.</param>
    public string Id(string scenario, params ReadOnlySpan<(string Name, object? Value, object? Default)> options) => EnvironmentId.Compose(
        $"{(Original ? ParticleWorlds.Original : ParticleWorlds.Current)}:{scenario}",
        [.. options, ("actions", Continuous ? "continuous" : null, null), ("order", VelocityFirst && !Original ? "original" : null, null),
            ("steps", EpisodeLimit, DefaultSteps)]);
}
