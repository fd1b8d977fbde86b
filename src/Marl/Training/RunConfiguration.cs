using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Marl.Native.Rl;

/// <summary>
/// Everything that decides a run: algorithm, environment, <see cref="TrainingOptions"/> and the algorithm's own options, with every default filled in. Written as
/// config.json it trains the same weights again.
/// </summary>
public sealed record RunConfiguration
{
    private RunConfiguration(AlgorithmOptions options, string environment, TrainingOptions training, IReadOnlyList<string> load)
        => (Options, Environment, Training, Load) = (options, environment, training, load);

    /// <summary>The algorithm's name.</summary>
    public string Algorithm => Parts.NameOf(Options.GetType(), "Options");

    /// <summary>The environment's id.</summary>
    public string Environment { get; }

    /// <summary>How the run is conducted.</summary>
    public TrainingOptions Training { get; init; }

    /// <summary>The algorithm.</summary>
    public AlgorithmOptions Options { get; init; }

    /// <summary>The libraries that it needs, see <see cref="Catalog.Load(string)"/>.</summary>
    public IReadOnlyList<string> Load { get; init; }

    /// <summary>An algorithm in an environment. What differs from the records' own defaults is kept; the rest is as published, where presets have it.</summary>
    /// <param name="options">The algorithm.</param>
    /// <param name="environment">The environment's id.</param>
    /// <param name="training">How the run is conducted.</param>
    /// <param name="presets">False: every option is taken as it is.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = "A record that JSON knows has its constructor: by source generation, or untrimmed.")]
    public static RunConfiguration Of(AlgorithmOptions options, string environment, TrainingOptions? training = null, bool presets = true)
    {
        training ??= new();
        if (!presets || !OptionTree.Knows(options.GetType()))
        {
            return new(options, environment, training, []);
        }
        var algorithm = new Algorithm(options.GetType());
        var (optionTree, trainingTree) = Presets.Of(algorithm, environment);
        var preset = (TrainingOptions)trainingTree.Read();
        var chosen = OptionTree.Chosen(training, new TrainingOptions());
        optionTree.Overlay(OptionTree.Chosen(options, algorithm.CreateOptions()));
        trainingTree.Overlay(chosen);
        return new((AlgorithmOptions)optionTree.Read(), environment, ((TrainingOptions)trainingTree.Read()).Fit(preset, chosen.Select(option => option.Key)), []);
    }

    /// <summary>The defaults of an algorithm in an environment.</summary>
    /// <exception cref="UsageException">There is no such algorithm; names the nearest.</exception>
    public static RunConfiguration Of(string algorithm, string environment) => Of(algorithm, environment, null, []);

    /// <summary>Defaults and presets, then a JSON object, then single settings.</summary>
    /// <param name="algorithm">Its name.</param>
    /// <param name="environment">Its id.</param>
    /// <param name="file">{"algorithm": .., "environment": .., "training": {..}, "options": {..}}, any of it left out; null: nothing.</param>
    /// <param name="settings">name=value, of either record.</param>
    /// <exception cref="UsageException">An unknown name or an impossible value; names it and the nearest valid one.</exception>
    public static RunConfiguration Of(string algorithm, string environment, JsonObject? file, IEnumerable<string> settings)
    {
        var load = LibrariesOf(file);
        // A library that was moved is still the same one.
        if (load.FirstOrDefault(path => !Catalog.Loaded.Any(loaded => Path.GetFileName(loaded) == Path.GetFileName(path))) is { } missing)
        {
            throw new UsageException($"the configuration uses the library '{missing}', which runs code of its own; if you trust it, add --load '{missing}'");
        }
        var (options, training) = Presets.Of(Catalog.FindAlgorithm(algorithm), environment);
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
        // The type of a part first: its options depend on it.
        foreach (var (name, value) in settings.Select(Split).OrderByDescending(setting => options.IsPart(setting.Name)).ToArray())
        {
            var tree = options.Contains(name) ? options : training.Contains(name) ? training
                : throw RenamedOptions.Unknown(name, options.Names.Concat(training.Names), options.ListCommand);
            tree.Set(name, value);
            given.Add(name);
        }
        return new((AlgorithmOptions)options.Read(), environment, ((TrainingOptions)training.Read()).Fit(preset, given), load);
    }

    /// <summary>As read from a run's config.json, or from a file of that form that says less.</summary>
    /// <param name="json">Its text.</param>
    /// <param name="source">What errors call it.</param>
    /// <param name="algorithm">Takes the place of the file's, if it is not null.</param>
    /// <param name="environment">Takes the place of the file's, if it is not null.</param>
    /// <param name="settings">name=value, taking the place of the file's.</param>
    /// <exception cref="UsageException">It is no configuration, or names what does not exist.</exception>
    public static RunConfiguration Parse(string json, string source = "config.json", string? algorithm = null, string? environment = null,
        params IEnumerable<string> settings)
    {
        var file = Json.ParseObject(json, source);
        string Text(string part) => file[part] is JsonValue value && value.TryGetValue(out string? text) ? text
            : throw new UsageException($"{source} names no {part}");
        return Of(algorithm ?? Text("algorithm"), environment ?? Text("environment"), file, settings);
    }

    /// <summary>config.json</summary>
    public string ToJson()
    {
        var json = new JsonObject { ["algorithm"] = Algorithm, ["environment"] = Environment };
        if (Load.Count > 0)
        {
            json["load"] = new JsonArray([.. Load.Select(path => JsonValue.Create(path))]);
        }
        json["training"] = OptionTree.Of(Training).Json;
        json["options"] = OptionTree.Of(Options).Json;
        return json.ToJsonString(OptionsJson.Present);
    }

    /// <summary>The options of the algorithm.</summary>
    public IEnumerable<OptionListing> ListOptions() => OptionTree.Of(Options).List();

    /// <summary>The options of training.</summary>
    public IEnumerable<OptionListing> ListTraining() => OptionTree.Of(Training).List();

    /// <summary>The learner of this run.</summary>
    /// <exception cref="UsageException">An option is out of range, or the environment has something that the algorithm cannot learn.</exception>
    public ILearner CreateLearner(LearningContext context)
    {
        if (context.Spec.IsContinuous && !Options.IsContinuous)
        {
            throw new UsageException($"{Algorithm} learns discrete actions, and those of {context.Spec.Id} are continuous; these algorithms learn them: " +
                string.Join(", ", Catalog.Algorithms.Where(algorithm => algorithm.CreateOptions().IsContinuous).Select(algorithm => algorithm.Name)));
        }
        return Options.CreateLearner(context);
    }

    private static IReadOnlyList<string> LibrariesOf(JsonObject? file) => file?["load"] switch
    {
        null => [],
        JsonArray paths when paths.All(path => path is JsonValue word && word.TryGetValue(out string? _)) => [.. paths.Select(path => path!.GetValue<string>())],
        _ => throw new UsageException("the configuration's 'load' is no list of paths"),
    };

    private static (string Name, string Value) Split(string setting)
    {
        int equals = setting.IndexOf('=');
        return equals > 0 ? (setting[..equals], setting[(equals + 1)..]) : throw new UsageException($"'{setting}' is no setting; name=value is needed");
    }

    /// <summary>Refuses a key that stands in the wrong object of the configuration.</summary>
    private static void RequireOwn(JsonObject values, string home, OptionTree own, string otherHome, OptionTree other)
    {
        if (values.Select(value => value.Key).FirstOrDefault(key => !own.Contains(key) && other.Contains(key)) is { } stray)
        {
            throw new UsageException($"'{stray}' is a key of the configuration's '{otherHome}', and stands in its '{home}'");
        }
    }

    private static JsonObject ObjectOf(string part, JsonNode? values)
        => values as JsonObject ?? throw new UsageException($"the configuration's '{part}' is no object");
}
