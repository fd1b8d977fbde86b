using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The complete configuration of a run: algorithm, environment, <see cref="TrainingOptions"/> and <see cref="AlgorithmOptions"/>, with all defaults and
/// published values filled in. It is written to config.json; a run with the same configuration trains the same weights.
/// </summary>
/// <example><code>
/// var configuration = RunConfiguration.Of("qmix", "lbf:8x8-2p-2f-coop");    // with the published options for the environment
/// configuration = configuration with { Training = configuration.Training with { Steps = 100_000, Seed = 3 } };
/// using var trainer = new Trainer(configuration, folder: RunFolder.New("runs/qmix-3"));
/// TrainingSummary summary = trainer.Run();
/// </code></example>
public sealed record RunConfiguration
{
    private RunConfiguration(AlgorithmOptions options, string environment, TrainingOptions training, IReadOnlyList<string> load)
        => (Options, Environment, Training, Libraries) = (options, EnvironmentId.WithFullPath(environment), training, load);

    /// <summary>The name of the algorithm.</summary>
    public string Algorithm => Parts.NameOf(Options.GetType(), "Options");

    /// <summary>The id of the environment. A path in it is a full path.</summary>
    public string Environment { get; }

    /// <summary>The options of the run.</summary>
    public TrainingOptions Training { get; init; }

    /// <summary>The options of the algorithm.</summary>
    public AlgorithmOptions Options { get; init; }

    /// <summary>The paths of the libraries that the run needs, see <see cref="Catalog.Load(string)"/>.</summary>
    public IReadOnlyList<string> Libraries { get; init; }

    /// <summary>Creates a configuration. Options that differ from the records' own defaults are kept; the others are set to published values, if there are
    /// any for the algorithm and the environment.</summary>
    /// <param name="options">The options of the algorithm.</param>
    /// <param name="environment">The id of the environment.</param>
    /// <param name="training">The options of the run.</param>
    /// <param name="presets">Whether published values are used; false: all options are kept.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = "A record that JSON knows has its constructor: by source generation, or untrimmed.")]
    public static RunConfiguration Of(AlgorithmOptions options, string environment, TrainingOptions? training = null, bool presets = true)
    {
        training ??= new();
        if (!presets || !OptionTree.Knows(options.GetType()))
        {
            return new(options, environment, training, []);
        }
        var algorithm = new Algorithm(options.GetType());
        var (optionTree, trainingTree) = Presets.Of(algorithm, environment, options.ShareParameters);
        var preset = (TrainingOptions)trainingTree.Read();
        var chosen = OptionTree.Chosen(training, new TrainingOptions());
        optionTree.Overlay(OptionTree.Chosen(options, algorithm.CreateOptions()));
        trainingTree.Overlay(chosen);
        training = ((TrainingOptions)trainingTree.Read()).Fit(preset, chosen.Select(option => option.Key));
        return new((AlgorithmOptions)optionTree.Read(), environment, training, []);
    }

    /// <summary>Creates a configuration with the defaults of an algorithm in an environment.</summary>
    /// <exception cref="UsageException">There is no such algorithm.</exception>
    public static RunConfiguration Of(string algorithm, string environment) => Of(algorithm, environment, null, []);

    /// <summary>Creates a configuration from defaults and published values, overlaid with a JSON object and then with single settings.</summary>
    /// <param name="algorithm">The name of the algorithm.</param>
    /// <param name="environment">The id of the environment.</param>
    /// <param name="file">An object of the form of config.json, <c>{"training": {..}, "options": {..}}</c>; any key may be missing. null: none.</param>
    /// <param name="settings">Settings of the form name=value, of training or of the algorithm.</param>
    /// <exception cref="UsageException">A name is unknown or a value is invalid; the message names it.</exception>
    public static RunConfiguration Of(string algorithm, string environment, JsonObject? file, IEnumerable<string> settings)
    {
        var load = LibrariesOf(file);
        // Libraries are compared by file name: they may have been moved.
        if (load.FirstOrDefault(path => !Catalog.LoadedLibraries.Any(loaded => Path.GetFileName(loaded) == Path.GetFileName(path))) is { } missing)
        {
            throw new UsageException($"the configuration uses the library '{missing}', which runs code of its own; if you trust it, add --load '{missing}'");
        }
        var known = Catalog.FindAlgorithm(algorithm);
        var (options, training) = Presets.Of(known, environment, SharesParameters(known, file, settings));
        var preset = (TrainingOptions)training.Read();
        List<string> given = [];
        foreach (var (key, value) in file ?? [])
        {
            switch (key)
            {
                case "algorithm" or "environment" or "load":
                    break;
                case "training":
                    RequireOwn(ObjectOf(key, value), key, training, "options", options);
                    training.Overlay(ObjectOf(key, value));
                    given.AddRange(ObjectOf(key, value).Select(option => option.Key));
                    break;
                case "options":
                    RequireOwn(ObjectOf(key, value), key, options, "training", training);
                    options.Overlay(ObjectOf(key, value));
                    break;
                default:
                    string? home = training.Contains(key) ? "training" : options.Contains(key) ? "options" : null;
                    throw home is null ? UsageException.Unknown("key of the configuration", key, ["algorithm", "environment", "load", "training", "options"])
                        : new UsageException($"'{key}' is a key of the configuration's '{home}': {{\"{home}\": {{\"{key}\": ..}}}}");
            }
        }
        // The type of a part first, because its options depend on it.
        foreach (var (name, value) in settings.Select(Split).OrderByDescending(setting => options.IsPart(setting.Name)).ToArray())
        {
            var tree = options.Contains(name) ? options : training.Contains(name) ? training
                : throw RenamedOptions.Unknown(name, options.Names.Concat(training.Names), options.ListCommand);
            tree.Set(name, value);
            given.Add(name);
        }
        return new((AlgorithmOptions)options.Read(), environment, ((TrainingOptions)training.Read()).Fit(preset, given), load);
    }

    /// <summary>Parses the config.json of a run, or a file of the same form with fewer keys.</summary>
    /// <param name="json">The content of the file.</param>
    /// <param name="source">The name of the file in error messages.</param>
    /// <param name="algorithm">Overrides the algorithm of the file, if not null.</param>
    /// <param name="environment">Overrides the environment of the file, if not null.</param>
    /// <param name="settings">Settings of the form name=value, which override those of the file.</param>
    /// <exception cref="UsageException">The file is not a configuration, a name is unknown, or a value is invalid.</exception>
    public static RunConfiguration Parse(string json, string source = "config.json", string? algorithm = null, string? environment = null,
        params IEnumerable<string> settings)
        => Of(Json.ParseObject(json, source), source, null, algorithm, environment, settings);

    private static RunConfiguration Of(JsonObject file, string source, string? folder, string? algorithm, string? environment, IEnumerable<string> settings)
    {
        string Text(string part) => file[part] is JsonValue value && value.TryGetValue(out string? text) ? text
            : throw new UsageException($"{source} names no {part}");
        return Of(algorithm ?? Text("algorithm"), environment ?? EnvironmentId.WithFullPath(Text("environment"), folder), file, settings);
    }

    /// <summary>Reads a configuration file, see <see cref="Parse"/>. A path in its environment is relative to the folder of the file.</summary>
    /// <param name="path">The file, of at most 64 MiB.</param>
    /// <param name="algorithm">Overrides the algorithm of the file, if not null.</param>
    /// <param name="environment">Overrides the environment of the file, if not null.</param>
    /// <param name="settings">Settings of the form name=value, which override those of the file.</param>
    /// <exception cref="UsageException">There is no such file, it is not a configuration, a name is unknown, or a value is invalid.</exception>
    /// <exception cref="IOException">The file cannot be read, or is a pipe or a device.</exception>
    public static RunConfiguration Read(string path, string? algorithm = null, string? environment = null, params IEnumerable<string> settings)
        => Of(ReadJson(path), $"'{path}'", Path.GetDirectoryName(Path.GetFullPath(path)), algorithm, environment, settings);

    /// <summary>Reads a JSON object from a file that a user wrote: comments and trailing commas are allowed, duplicate keys are not.</summary>
    /// <param name="path">The file, of at most 64 MiB.</param>
    /// <exception cref="UsageException">There is no such file, or it is not a JSON object.</exception>
    /// <exception cref="IOException">The file cannot be read, or is a pipe or a device.</exception>
    public static JsonObject ReadJson(string path) => Directory.Exists(path) ? throw new UsageException($"the configuration file '{path}' is a folder; name a file")
        : File.Exists(path) ? Json.ParseObject(Disk.ReadText(path), $"'{path}'")
        : throw new UsageException($"the configuration file '{path}' does not exist");

    /// <summary>Returns the content of config.json; a path in the environment is a full path.</summary>
    public string ToJson() => ToJson(Environment);

    /// <summary>Returns the content of config.json; a path in the environment is relative to a folder, that of the file.</summary>
    internal string ToJsonIn(string folder) => ToJson(EnvironmentId.WithRelativePath(Environment, folder));

    private string ToJson(string environment)
    {
        var json = new JsonObject { ["algorithm"] = Algorithm, ["environment"] = environment };
        if (Libraries.Count > 0)
        {
            json["load"] = new JsonArray([.. Libraries.Select(path => JsonValue.Create(path))]);
        }
        json["training"] = OptionTree.Of(Training).Json;
        json["options"] = OptionTree.Of(Options).Json;
        return json.ToJsonString(OptionsJson.Present);
    }

    /// <summary>Lists the options of the algorithm.</summary>
    public IEnumerable<OptionListing> ListOptions() => OptionTree.Of(Options).List();

    /// <summary>Lists the options of training.</summary>
    public IEnumerable<OptionListing> ListTraining() => OptionTree.Of(Training).List();

    /// <summary>Creates the learner of this run.</summary>
    /// <exception cref="UsageException">An option is out of range, or the algorithm does not support the environment.</exception>
    public ILearner CreateLearner(LearningContext context)
    {
        var layout = context.Spec.ActionLayout;
        if (layout.VectorSize > 0 && !Options.SupportsContinuousActions)
        {
            throw Unsupported("discrete actions", layout.Branches > 0 ? "have a continuous part" : "are continuous", static options => options.SupportsContinuousActions);
        }
        if (layout.Branches > 1 && !Options.SupportsBranches)
        {
            throw Unsupported("actions of one branch", $"have {layout.Branches} branches", static options => options.SupportsBranches);
        }
        return Options.CreateLearner(context);

        UsageException Unsupported(string learned, string actual, Func<AlgorithmOptions, bool> supports)
            => new($"{Algorithm} learns {learned}, and those of {context.Spec.Id} {actual}; these algorithms learn them: " +
                string.Join(", ", Catalog.Algorithms.Where(algorithm => supports(algorithm.CreateOptions())).Select(algorithm => algorithm.Name)));
    }

    /// <summary>Returns the <see cref="AlgorithmOptions.ShareParameters"/> of an algorithm with given values: presets depend on it.</summary>
    private static bool SharesParameters(Algorithm algorithm, JsonObject? file, IEnumerable<string> settings)
    {
        const string name = "shareParameters";
        var own = OptionTree.Of(algorithm.CreateOptions());
        if (file?["options"] is JsonObject options && options[name] is { } given)
        {
            own.Overlay(new JsonObject { [name] = given.DeepClone() });
        }
        foreach (var (_, value) in settings.Select(Split).Where(setting => setting.Name == name))
        {
            own.Set(name, value);
        }
        return ((AlgorithmOptions)own.Read()).ShareParameters;
    }

    private static IReadOnlyList<string> LibrariesOf(JsonObject? file) => file?["load"] switch
    {
        null => [],
        JsonArray paths when paths.All(path => path is JsonValue word && word.TryGetValue(out string? _))
            => [.. paths.Select(path => path!.GetValue<string>())],
        _ => throw new UsageException("the configuration's 'load' is not a list of paths"),
    };

    private static (string Name, string Value) Split(string setting)
    {
        int equals = setting.IndexOf('=');
        return equals > 0 ? (setting[..equals], setting[(equals + 1)..]) : throw new UsageException($"'{setting}' is not a setting; name=value is required");
    }

    /// <summary>Throws if a key is in the wrong object of the configuration.</summary>
    private static void RequireOwn(JsonObject values, string home, OptionTree own, string otherHome, OptionTree other)
    {
        if (values.Select(value => value.Key).FirstOrDefault(key => !own.Contains(key) && other.Contains(key)) is { } stray)
        {
            throw new UsageException($"'{stray}' is a key of the configuration's '{otherHome}', and stands in its '{home}'");
        }
    }

    private static JsonObject ObjectOf(string part, JsonNode? values)
        => values as JsonObject ?? throw new UsageException($"the configuration's '{part}' is not an object");
}
