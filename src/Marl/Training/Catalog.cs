using System.Text.Json;
using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>
/// The algorithms and environments that are known by name. Libraries add to them, see <see cref="Load(string)"/>. <see cref="Trainer"/> does not need the
/// catalog: it takes any options and any <c>Func&lt;IEnvironment&gt;</c>.
/// </summary>
/// <example><code>
/// Catalog.Load("MyAlgorithms.dll");                                         // adds its algorithms, parts and environments
/// AlgorithmOptions options = Catalog.FindAlgorithm("qmix").CreateOptions();
/// IEnvironment environment = Catalog.CreateEnvironment("lbf:8x8-2p-2f-coop");
/// foreach (Algorithm algorithm in Catalog.Algorithms)
/// {
///     Console.WriteLine($"{algorithm.Name,-10} {algorithm.Description}");
/// }
/// </code></example>
public static partial class Catalog
{
    private static readonly List<Algorithm> AllAlgorithms =
    [
        new(typeof(IqlOptions)),
        new(typeof(VdnOptions)),
        new(typeof(QmixOptions)),
        new(typeof(QtranOptions)),
        new(typeof(QtranAltOptions)),
        new(typeof(QplexOptions)),
        new(typeof(CwQmixOptions)),
        new(typeof(OwQmixOptions)),
        new(typeof(ReinforceOptions)),
        new(typeof(Ia2cOptions)),
        new(typeof(IppoOptions)),
        new(typeof(Maa2cOptions)),
        new(typeof(MappoOptions)),
        new(typeof(ComaOptions)),
        new(typeof(LiirOptions)),
        new(typeof(MaddpgOptions)),
        new(typeof(Matd3Options)),
        new(typeof(DdpgOptions)),
        new(typeof(ParetoAcOptions)),
        new(typeof(VdacOptions)),
    ];

    private static readonly List<EnvironmentFamily> AllEnvironments =
    [
        new("lbf:RxC-Pp-Ff[-Ss][-coop][-pen][?steps=T&..]", "Level-Based Foraging v3: collect food that may need several players; options " +
            LbfConfig.Options,
            ["lbf:8x8-2p-2f-coop", "lbf:8x8-2p-2f", "lbf:8x8-2p-2f-2s-coop", "lbf:8x8-2p-2f-pen", "lbf:10x10-3p-3f-2s",
            "lbf:15x15-4p-5f"]) { TryCreate = LevelBasedForaging.TryCreate },
        new("lbf-v1:RxC-Pp-Ff[-Ss][-coop][-pen][?steps=T&..]", "Level-Based Foraging with the food levels of versions 1 and 2; the same options",
            ["lbf-v1:8x8-2p-2f"]) { TryCreate = LevelBasedForaging.TryCreate },
        new("rware:SIZE-Nag[-easy|-hard][?queue=Q&..]", "Multi-Robot Warehouse v2: deliver shelves; SIZE is tiny .. large, RxC or drawn; options " +
            RwareConfig.Options,
            ["rware:tiny-2ag", "rware:tiny-4ag", "rware:tiny-2ag-hard", "rware:small-4ag", "rware:small-4ag-easy", "rware:medium-6ag",
            "rware:large-8ag-hard", "rware:.xx./.xx./.gg.-2ag-hard?sensor=2&reward=two-stage&idle=50"])
            { TryCreate = RoboticWarehouse.TryCreate },
        .. ParticleWorlds.Families,
        new("predator-prey:RxC[?predators=N&prey=M&punishment=P&..]", "predators must catch prey together; catching alone is punished; options " +
            PredatorPrey.Options,
            ["predator-prey:10x10", "predator-prey:5x7?predators=3&prey=2&needed=3&sight=1&punishment=0.5&reward=1&steps=40"])
            { TryCreate = PredatorPrey.TryCreate },
        new("climbing[?steps=T]", "climbing game: miscoordination around the best joint action is punished most",
            ["climbing"]) { TryCreate = MatrixGame.TryCreate },
        new("penalty-K[?steps=T]", "penalty game: two optimal joint actions, and -K for mixing them",
            ["penalty-0", "penalty-100"]) { TryCreate = MatrixGame.TryCreate },
        new("qtran-game", "QTRAN's one-step matrix game: its best joint action cannot be represented by a sum of values",
            ["qtran-game"]) { TryCreate = MatrixGame.TryCreate },
        new("matrix:FILE.json[?steps=T]", "a matrix game for any number of players from a file; {\"payoff\": [[8, 0], [0, 5]], \"steps\": 25}: " +
            "payoffs nested by the actions of agent 0, 1, ..; \"payoffs\" instead: a list of such tensors, one per agent",
            []) { TryCreate = MatrixGame.TryCreate },
        new("two-step", "QMIX's two-step game: the best return, 8, needs a value that is not a sum",
            ["two-step"]) { TryCreate = TwoStepGame.TryCreate },
        new("identity[?agents=N&actions=K&branches=B&points=P&steps=T]", "every agent must repeat the symbols, one for each branch of its action, and the points in " +
            "[-1, 1] that it observes: a test of learning",
            ["identity", "identity?agents=3&actions=2&steps=5", "identity?branches=2", "identity?points=1"]) { TryCreate = IdentityGame.TryCreate },
        new("against:RUN[?team=K]", "one team of an environment (by default the first) against the fixed policy of a run or a file",
            []) { TryCreate = id => FixedOpponents.TryCreate(id, Create) },
        new("cmd:PROGRAM ARGUMENTS[?timeout=S]", "an external program in any language; the same as --env-cmd \"PROGRAM ARGUMENTS\"",
            []) { TryCreate = ExternalEnvironment.TryCreate },
    ];

    /// <summary>All algorithms.</summary>
    public static IReadOnlyList<Algorithm> Algorithms => AllAlgorithms;

    /// <summary>All families of environments.</summary>
    public static IReadOnlyList<EnvironmentFamily> Environments => AllEnvironments;

    /// <summary>The example ids of all families of environments.</summary>
    public static IReadOnlyList<string> EnvironmentIds => [.. Environments.SelectMany(family => family.Examples)];

    /// <summary>Finds the algorithm of a name.</summary>
    /// <exception cref="UsageException">There is no such algorithm.</exception>
    public static Algorithm FindAlgorithm(string name) => AllAlgorithms.Find(algorithm => algorithm.Name == name)
        ?? throw UsageException.Unknown("algorithm", name, Algorithms.Select(algorithm => algorithm.Name), "marl list algorithms");

    /// <summary>Creates an environment from its id, see <see cref="EnvironmentIds"/>.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="program">The command that may be started if the environment, or the one that a policy in the id was trained in, is a program (<c>cmd:</c>); null: none.
    /// An id may come from a file, and no file decides what is started.</param>
    /// <exception cref="UsageException">The id or a part of it is unknown, and the message names it; or it would start another program than <paramref name="program"/>.</exception>
    public static IEnvironment CreateEnvironment(string id, string? program = null) => Create(new EnvironmentId(id, program));

    private static IEnvironment Create(EnvironmentId id)
    {
        foreach (var family in Environments)
        {
            if (family.TryCreate(id) is { } environment)
            {
                return environment;
            }
        }
        throw UsageException.Unknown("environment", id.Text, Candidates(id), "marl list environments");
    }

    /// <summary>What an unknown id may have meant: the id with another family's name, or an example.</summary>
    private static IEnumerable<string> Candidates(EnvironmentId id)
    {
        var names = Environments.SelectMany(family => family.Examples.Append(family.Pattern)).Select(NameOf).Distinct();
        return UsageException.Nearest(id.Name, names) is { } name ? [name + id.Text[id.Name.Length..], .. EnvironmentIds] : EnvironmentIds;
    }
}

/// <summary>The source-generated JSON serializer of options.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, IgnoreReadOnlyProperties = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(TrainingOptions))]
[JsonSerializable(typeof(TrainingSummary))]
[JsonSerializable(typeof(IqlOptions))]
[JsonSerializable(typeof(VdnOptions))]
[JsonSerializable(typeof(QmixOptions))]
[JsonSerializable(typeof(QtranOptions))]
[JsonSerializable(typeof(QtranAltOptions))]
[JsonSerializable(typeof(QplexOptions))]
[JsonSerializable(typeof(CwQmixOptions))]
[JsonSerializable(typeof(OwQmixOptions))]
[JsonSerializable(typeof(ReinforceOptions))]
[JsonSerializable(typeof(Ia2cOptions))]
[JsonSerializable(typeof(IppoOptions))]
[JsonSerializable(typeof(Maa2cOptions))]
[JsonSerializable(typeof(MappoOptions))]
[JsonSerializable(typeof(ComaOptions))]
[JsonSerializable(typeof(LiirOptions))]
[JsonSerializable(typeof(MaddpgOptions))]
[JsonSerializable(typeof(Matd3Options))]
[JsonSerializable(typeof(DdpgOptions))]
[JsonSerializable(typeof(ParetoAcOptions))]
[JsonSerializable(typeof(VdacOptions))]
internal sealed partial class OptionsJson : JsonSerializerContext
{
    private static volatile Tuple<int, JsonSerializerOptions>? present;

    /// <summary>The serializer options, with the parts that were added.</summary>
    public static JsonSerializerOptions Present
    {
        get
        {
            int version = Parts.Version;
            if (present is not { } last || last.Item1 != version)
            {
                present = last = new(version, Parts.Options(Default));
            }
            return last.Item2;
        }
    }
}
