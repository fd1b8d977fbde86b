using System.Text.Json;
using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>
/// The algorithms and environments that have a name, one line each. A new algorithm is its file and two lines here (its options, and their JSON), a new
/// environment its file and a line. Libraries add to both, see <see cref="Load(string)"/>; a program needs neither: <see cref="Trainer"/> takes any options and any
/// <c>Func&lt;IEnvironment&gt;</c>.
/// </summary>
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
        new("predator-prey:RxC[?predators=N&prey=M&punishment=P&..]", "predators catch prey together, and catching alone is punished; options " + PredatorPrey.Options,
            ["predator-prey:10x10", "predator-prey:5x7?predators=3&prey=2&needed=3&sight=1&punishment=0.5&reward=1&steps=40"])
            { TryCreate = PredatorPrey.TryCreate },
        new("climbing[?steps=T]", "climbing game: the best joint action is surrounded by the worst",
            ["climbing"]) { TryCreate = MatrixGame.TryCreate },
        new("penalty-K[?steps=T]", "penalty game: two best joint actions, -K for mixing them",
            ["penalty-0", "penalty-100"]) { TryCreate = MatrixGame.TryCreate },
        new("qtran-game", "QTRAN's matrix game, one step: the best joint action is surrounded by the worst, and a sum never finds it",
            ["qtran-game"]) { TryCreate = MatrixGame.TryCreate },
        new("matrix:FILE.json[?steps=T]", "a matrix game of your own, for any number of players",
            []) { TryCreate = MatrixGame.TryCreate },
        new("two-step", "QMIX's two-step game: 8 needs a value that is not a sum",
            ["two-step"]) { TryCreate = TwoStepGame.TryCreate },
        new("identity[?agents=N&actions=K&steps=T]", "every agent repeats the symbol that it sees: a learning test",
            ["identity", "identity?agents=3&actions=2&steps=5"]) { TryCreate = IdentityGame.TryCreate },
        new("against:RUN[?team=K]", "one team of an environment, the first unless told otherwise; a run's policy, or one in a file, plays the others and learns no more",
            []) { TryCreate = id => FixedOpponents.TryCreate(id, CreateEnvironment) },
        new("cmd:PROGRAM ARGUMENTS[?timeout=S]", "a program of your own, in any language; the same as --env-cmd \"PROGRAM ARGUMENTS\"",
            []) { TryCreate = ExternalEnvironment.TryCreate },
    ];

    /// <summary>All algorithms.</summary>
    public static IReadOnlyList<Algorithm> Algorithms => AllAlgorithms;

    /// <summary>All families of environments.</summary>
    public static IReadOnlyList<EnvironmentFamily> Environments => AllEnvironments;

    /// <summary>The examples of all families of environments.</summary>
    public static IReadOnlyList<string> EnvironmentIds => [.. Environments.SelectMany(family => family.Examples)];

    /// <summary>The algorithm of a name.</summary>
    /// <exception cref="UsageException">There is none; names the nearest.</exception>
    public static Algorithm FindAlgorithm(string name) => AllAlgorithms.Find(algorithm => algorithm.Name == name)
        ?? throw UsageException.Unknown("algorithm", name, Algorithms.Select(algorithm => algorithm.Name), "marl list algorithms");

    /// <summary>Creates the environment of an id.</summary>
    /// <exception cref="UsageException">The id is unknown, or a part of it is; names the part or the nearest id.</exception>
    public static IEnvironment CreateEnvironment(string id)
    {
        var parts = new EnvironmentId(id);
        foreach (var family in Environments)
        {
            if (family.TryCreate(parts) is { } environment)
            {
                return environment;
            }
        }
        throw UsageException.Unknown("environment", id, Candidates(parts), "marl list environments");
    }

    /// <summary>What an unknown id may have meant: the id with another family's name, else an example.</summary>
    private static IEnumerable<string> Candidates(EnvironmentId id)
    {
        var names = Environments.SelectMany(family => family.Examples.Append(family.Pattern)).Select(NameOf).Distinct();
        return UsageException.Nearest(id.Name, names) is { } name ? [name + id.Text[id.Name.Length..]] : EnvironmentIds;
    }
}

/// <summary>JSON of options, without reflection.</summary>
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

    /// <summary>With the parts that were added.</summary>
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
