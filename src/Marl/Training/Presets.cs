using System.Text.Json.Nodes;

namespace Marl.Native.Rl;

/// <summary>
/// Published hyperparameters: the JSON files of <c>src/Marl/Training/Published</c>, one per publication, with its source. A preset names its algorithms (by
/// name, or a family: "replay", "value", "q-learning", "on-policy", "actor-critic", "algorithm") and its environments (by the start of their ids; by default
/// all). Presets are overlaid in the order of the files and of their entries.
/// </summary>
internal static class Presets
{
    private static readonly Lazy<JsonObject[]> Files = new(Read);

    /// <summary>Returns the options of an algorithm and of training in an environment: the records' defaults, overlaid with the presets.</summary>
    public static (OptionTree Options, OptionTree Training) Of(Algorithm algorithm, string environment)
    {
        var (options, training) = (OptionTree.Of(algorithm.CreateOptions()), OptionTree.Of(new TrainingOptions()));
        foreach (var preset in Files.Value.SelectMany(file => file["presets"]!.AsArray()).Select(preset => preset!.AsObject()))
        {
            if (Words(preset["algorithms"]).Any(word => IsOf(algorithm, word)) && (preset["environments"] is not JsonArray environments
                || Words(environments).Any(word => environment.StartsWith(word, StringComparison.Ordinal))))
            {
                training.Overlay(preset["training"]?.AsObject() ?? []);
                options.Overlay(preset["options"]?.AsObject() ?? []);
            }
        }
        return (options, training);
    }

    private static bool IsOf(Algorithm algorithm, string word)
    {
        for (var type = algorithm.Options; type is not null && type != typeof(object); type = type.BaseType)
        {
            if (Parts.NameOf(type, "Options") == word)
            {
                return true;
            }
        }
        return false;
    }

    private static IEnumerable<string> Words(JsonNode? list) => list!.AsArray().Select(word => word!.GetValue<string>());

    private static JsonObject[] Read()
    {
        var assembly = typeof(Presets).Assembly;
        return [.. assembly.GetManifestResourceNames().Where(name => name.StartsWith("Published.", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(name =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return Json.ParseObject(reader.ReadToEnd(), name);
        })];
    }
}
