namespace Marl.Native.Rl;

/// <summary>The particle environments and their ids.</summary>
internal static class ParticleWorlds
{
    /// <summary>The names of the ids: the rules of PettingZoo and MPE2, and of OpenAI's original.</summary>
    public const string Current = "mpe", Original = "mpe-v0";

    private const int MaxBodies = 100;

    /// <summary>A family for each scenario, and one for all of them under the original rules.</summary>
    public static IReadOnlyList<EnvironmentFamily> Families { get; } =
    [
        Family("spread[?agents=N&landmarks=L&ratio=Q]", "cooperative navigation: cover every landmark, do not collide",
            "spread", "spread?agents=5&ratio=0.25", "spread?actions=continuous"),
        Family("speaker-listener", "cooperative communication: the speaker observes the goal, the listener can move", "speaker-listener"),
        Family("adversary[?good=G]", "physical deception: the adversary must not find out the goal", "adversary"),
        Family("tag[?good=G&adversaries=A&obstacles=O&prey=scripted]", "predator and prey: slow adversaries hunt fast prey, which learns or is scripted",
            "tag", "tag?prey=scripted"),
        Family("reference[?ratio=Q]", "each agent observes the goal of the other; both move and communicate", "reference"),
        Family("push", "keep-away: the adversary pushes the other agent away from its goal", "push"),
        Family("crypto", "covert communication: Alice and Bob share a key, Eve listens", "crypto"),
        Family("world-comm[?good=G&adversaries=A&obstacles=O&food=F&forests=W]", "predator and prey with food, forests and a leader who communicates",
            "world-comm"),
        new($"{Original}:SCENARIO[?..]",
            $"the same with the rules of OpenAI's original; all have steps=T and actions=continuous, those of {Current} also order=original",
            [.. Names.Select(name => $"{Original}:{name}")]) { TryCreate = TryCreate },
    ];

    private static string[] Names => ["spread", "speaker-listener", "adversary", "tag", "reference", "push", "crypto", "world-comm"];

    /// <summary>Creates the environments mpe:... and mpe-v0:...; returns null for other ids.</summary>
    public static IEnvironment? TryCreate(EnvironmentId id)
    {
        if (id.Name is not (Current or Original))
        {
            return null;
        }

        ParticleRules rules = ParticleRules.Parse(id);
        ParticleEnvironment world = id.Layout switch
        {
            "spread" => SpreadScenario.Create(id, rules),
            "speaker-listener" => new SpeakerListenerScenario(rules),
            "adversary" => AdversaryScenario.Create(id, rules),
            "tag" => TagScenario.Create(id, rules),
            "reference" => ReferenceScenario.Create(id, rules),
            "push" => new PushScenario(rules),
            "crypto" => new CryptoScenario(rules),
            "world-comm" => WorldCommScenario.Create(id, rules),
            _ => throw UsageException.Unknown("environment", $"{id.Name}:{id.Layout}", Names.Select(name => $"{id.Name}:{name}"), "marl list environments"),
        };
        id.EnsureAllRead(hasLayout: true);
        return world;
    }

    /// <summary>Reads an option that is a number of bodies.</summary>
    public static int? Count(EnvironmentId id, string option, int min = 1)
    {
        int? count = id.Integer(option, min);
        return count <= MaxBodies || count is null ? count : throw id.Error($"{option}={count} must be at most {MaxBodies}");
    }

    /// <summary>Reads the option ratio, q: the weight of an agent's own reward relative to the common reward.</summary>
    public static double? Ratio(EnvironmentId id)
    {
        double? ratio = id.Number("ratio");
        return ratio is null or <= 1 ? ratio : throw id.Error(FormattableString.Invariant($"ratio={ratio} must be at most 1"));
    }

    /// <summary>Returns an array of <paramref name="count"/> references to a value.</summary>
    public static T[] Repeat<T>(int count, T value) => [.. Enumerable.Repeat(value, count)];

    private static EnvironmentFamily Family(string pattern, string description, params string[] examples)
        => new($"{Current}:{pattern}", description, [.. examples.Select(example => $"{Current}:{example}")]) { TryCreate = TryCreate };
}
