namespace Marl.Native.Rl;

/// <summary>The particle worlds that have an id.</summary>
internal static class ParticleWorlds
{
    /// <summary>What ids begin with.</summary>
    public const string Current = "mpe", Original = "mpe-v0";

    private const int MostBodies = 100;

    /// <summary>A family for each world, and one for all of them under the original's rules.</summary>
    public static IReadOnlyList<EnvironmentFamily> Families { get; } =
    [
        Family("spread[?agents=N&landmarks=L&ratio=Q]", "cooperative navigation: cover every landmark, do not collide",
            "spread", "spread?agents=5&ratio=0.25", "spread?actions=continuous"),
        Family("speaker-listener", "one sees the goal, the other can go there", "speaker-listener"),
        Family("adversary[?good=G]", "physical deception: an adversary shall not find out the goal", "adversary"),
        Family("tag[?good=G&adversaries=A&obstacles=O&prey=scripted]", "slow adversaries hunt fast prey, which learns or flees by a rule",
            "tag", "tag?prey=scripted"),
        Family("reference[?ratio=Q]", "each knows where the other shall go; both move and talk", "reference"),
        Family("push", "an adversary pushes the other away from its goal", "push"),
        Family("crypto", "Alice and Bob share a key, Eve listens", "crypto"),
        Family("world-comm[?good=G&adversaries=A&obstacles=O&food=F&forests=W]", "a leader directs the hunt for prey in forests",
            "world-comm"),
        new($"{Original}:WORLD[?..]", $"these worlds as in OpenAI's original; all take steps=T and actions=continuous, those of {Current} order=original too",
            [.. Names.Select(name => $"{Original}:{name}")]) { TryCreate = TryCreate },
    ];

    private static string[] Names => ["spread", "speaker-listener", "adversary", "tag", "reference", "push", "crypto", "world-comm"];

    /// <summary>Of the ids mpe:... and mpe-v0:...</summary>
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

    /// <summary>An option that counts bodies.</summary>
    public static int? Count(EnvironmentId id, string option, int min = 1)
    {
        int? count = id.Integer(option, min);
        return count <= MostBodies || count is null ? count : throw id.Error($"{option}={count} is more than {MostBodies}");
    }

    /// <summary>The option ratio, q: the weight of the own reward beside the common one.</summary>
    public static double? Ratio(EnvironmentId id)
    {
        double? ratio = id.Number("ratio");
        return ratio is null or <= 1 ? ratio : throw id.Error(FormattableString.Invariant($"ratio={ratio} is more than 1"));
    }

    /// <summary>So many of the same.</summary>
    public static T[] Repeat<T>(int count, T one) => [.. Enumerable.Repeat(one, count)];

    private static EnvironmentFamily Family(string pattern, string description, params string[] examples)
        => new($"{Current}:{pattern}", description, [.. examples.Select(example => $"{Current}:{example}")]) { TryCreate = TryCreate };
}
