using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>
/// Everything that decides a run: algorithm, environment, <see cref="TrainingOptions"/> and the algorithm's own options, with every default
/// filled in. Written as config.json it trains the same weights again.
/// </summary>
public sealed record RunConfiguration
{
    private RunConfiguration(Algorithm algorithm, string environment, TrainingOptions training, object options)
        => (Algorithm, Environment, Training, Options) = (algorithm, environment, training, options);

    /// <summary>What learns.</summary>
    public Algorithm Algorithm { get; }

    /// <summary>The id of what is played.</summary>
    public string Environment { get; }

    /// <summary>How the run is conducted.</summary>
    public TrainingOptions Training { get; init; }

    /// <summary>The algorithm's record of hyper-parameters.</summary>
    public object Options { get; init; }

    /// <summary>The defaults of an algorithm.</summary>
    /// <exception cref="UsageException">there is no such algorithm; names the nearest.</exception>
    public static RunConfiguration Of(string algorithm, string environment) => Of(algorithm, environment, null, []);

    /// <summary>Defaults, then what a JSON object says, then single settings.</summary>
    /// <param name="algorithm">its name.</param>
    /// <param name="environment">its id.</param>
    /// <param name="file">{"training": {..}, "options": {..}}, any of it left out; null: nothing.</param>
    /// <param name="settings">name=value, of either record.</param>
    /// <exception cref="UsageException">an unknown name or an impossible value; names it and the nearest valid one.</exception>
    public static RunConfiguration Of(string algorithm, string environment, JsonObject? file, IEnumerable<string> settings)
    {
        var entry = Algorithm.Find(algorithm);
        var training = Json.ToNode(entry.DefaultTraining(environment), RunJson.Default.TrainingOptions);
        var options = entry.DefaultOptions(environment);
        foreach (var (part, values) in file ?? [])
        {
            switch (part)
            {
                case "algorithm" or "environment":
                    break;
                case "training":
                    Overlay(training, part, values);
                    break;
                case "options":
                    Overlay(options, part, values);
                    break;
                default:
                    throw UsageException.Unknown("part of the configuration", part, ["algorithm", "environment", "training", "options"]);
            }
        }
        foreach (string setting in settings)
        {
            int equals = setting.IndexOf('=');
            if (equals <= 0)
            {
                throw new UsageException($"'{setting}' is no setting; name=value is needed");
            }
            string name = setting[..equals];
            var into = options.ContainsKey(name) ? options : training.ContainsKey(name) ? training
                : throw UsageException.Unknown("option", name, options.Concat(training).Select(p => p.Key));
            Replace(into, name, setting[(equals + 1)..]);
        }
        return new(entry, environment, Json.FromNode(training, RunJson.Default.TrainingOptions), entry.ReadOptions(options));
    }

    /// <summary>As read from a run's config.json, or from a file of that form that says less.</summary>
    /// <param name="json">its text.</param>
    /// <param name="source">what errors call it.</param>
    /// <param name="algorithm">takes the place of the file's, if it is not null.</param>
    /// <param name="environment">takes the place of the file's, if it is not null.</param>
    /// <param name="settings">name=value, taking the place of the file's.</param>
    /// <exception cref="UsageException">it is no configuration, or names what does not exist.</exception>
    public static RunConfiguration Parse(string json, string source = "config.json", string? algorithm = null, string? environment = null,
        params IEnumerable<string> settings)
    {
        var file = Json.ParseObject(json, source);
        string Text(string part) => file[part] is JsonValue value && value.TryGetValue(out string? text) ? text
            : throw new UsageException($"{source} names no {part}");
        return Of(algorithm ?? Text("algorithm"), environment ?? Text("environment"), file, settings);
    }

    /// <summary>config.json</summary>
    public string ToJson() => new JsonObject
    {
        ["algorithm"] = Algorithm.Name,
        ["environment"] = Environment,
        ["training"] = Json.ToNode(Training, RunJson.Default.TrainingOptions),
        ["options"] = Algorithm.WriteOptions(Options),
    }.ToJsonString(RunJson.Default.Options);

    /// <summary>The options of the algorithm.</summary>
    public IEnumerable<OptionListing> ListOptions() => OptionListing.Of(Algorithm.WriteOptions(Options), Algorithm.OptionsType);

    /// <summary>The options of training.</summary>
    public IEnumerable<OptionListing> ListTraining()
        => OptionListing.Of(Json.ToNode(Training, RunJson.Default.TrainingOptions), RunJson.Default.TrainingOptions);

    /// <summary>The learner of this run.</summary>
    public ILearner CreateLearner(LearningContext context) => Algorithm.Create(Options, context);

    /// <summary>Puts all values of a part of a file in the places of a record's.</summary>
    private static void Overlay(JsonObject record, string part, JsonNode? values)
    {
        foreach (var (name, value) in values as JsonObject ?? throw new UsageException($"the configuration's '{part}' is no object"))
        {
            if (!record.ContainsKey(name))
            {
                throw UsageException.Unknown("option", name, record.Select(p => p.Key));
            }
            Replace(record, name, value?.ToJsonString() ?? "null");
        }
    }

    /// <summary>Puts a value in the place of one of the same kind.</summary>
    private static void Replace(JsonObject record, string name, string text)
    {
        string word = text.Trim('"');
        record[name] = record[name]!.GetValueKind() switch
        {
            JsonValueKind.True or JsonValueKind.False => bool.TryParse(word, out bool flag) ? flag : throw Bad("true or false"),
            JsonValueKind.Number => decimal.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal number)
                ? number : throw Bad("a number"),
            _ => word,
        };

        UsageException Bad(string needed) => new($"option '{name}' cannot be '{word}'; {needed} is needed");
    }
}

/// <summary>JSON of typed records, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(TrainingOptions))]
[JsonSerializable(typeof(QLearningOptions))]
[JsonSerializable(typeof(ActorCriticOptions))]
[JsonSerializable(typeof(ComaOptions))]
[JsonSerializable(typeof(LiirOptions))]
[JsonSerializable(typeof(ParetoOptions))]
[JsonSerializable(typeof(QtranOptions))]
[JsonSerializable(typeof(MaddpgOptions))]
[JsonSerializable(typeof(WeightedQmixOptions))]
[JsonSerializable(typeof(TrainingSummary))]
internal sealed partial class RunJson : JsonSerializerContext;
