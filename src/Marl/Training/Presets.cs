using System.Text.Json.Nodes;

namespace Marl.Native.Rl;

/// <summary>
/// Published hyperparameters: the JSON files of <c>src/Marl/Training/Published</c>, one per publication, with its source. A preset names its algorithms (by
/// name, or a family: "replay", "value", "q-learning", "on-policy", "actor-critic", "algorithm"), its environments (by the start of their ids, or a family of
/// the file; by default all) and whether agents share parameters (by default both); a table gives options by environment. Presets are overlaid in the order
/// of the files and of their entries.
/// </summary>
internal static class Presets
{
    private const int MaxDepth = 8;

    private static readonly Lazy<JsonObject[]> Files = new(Read);

    /// <summary>Returns the options of an algorithm and of training in an environment: the records' defaults, overlaid with the presets.</summary>
    /// <param name="algorithm">The algorithm.</param>
    /// <param name="environment">The id of the environment; presets for the one that a policy in it was trained in apply too.</param>
    /// <param name="shareParameters">The algorithm's <see cref="AlgorithmOptions.ShareParameters"/>.</param>
    public static (OptionTree Options, OptionTree Training) Of(Algorithm algorithm, string environment, bool shareParameters)
    {
        var (options, training) = (OptionTree.Of(algorithm.CreateOptions()), OptionTree.Of(new TrainingOptions()));
        string[] ids = [.. Ids(environment)];
        foreach (var file in Files.Value)
        {
            foreach (var preset in file["presets"]!.AsArray().Select(preset => preset!.AsObject()))
            {
                if (Words(preset["algorithms"]).Any(word => IsOf(algorithm, word))
                    && (preset["shareParameters"] is not { } shared || shared.GetValue<bool>() == shareParameters)
                    && (preset["environments"] is not { } environments || Words(environments).Any(word => IsIn(file, word))))
                {
                    training.Overlay(preset["training"]?.AsObject() ?? []);
                    options.Overlay(preset["options"]?.AsObject() ?? []);
                    foreach (var (_, row) in (preset["table"]?.AsObject() ?? []).Where(row => IsIn(file, row.Key)))
                    {
                        options.Overlay(row!.AsObject());
                    }
                }
            }
        }
        return (options, training);

        bool IsIn(JsonObject file, string word)
        {
            string[] starts = file["families"]?[word] is { } family ? [.. Words(family)] : [word];
            return ids.Any(id => starts.Any(start => id.StartsWith(start, StringComparison.Ordinal)));
        }
    }

    /// <summary>The id of an environment, and those of the environments inside it.</summary>
    private static IEnumerable<string> Ids(string environment)
    {
        int depth = 0;
        for (string? id = environment; id is not null && depth < MaxDepth; id = FixedOpponents.EnvironmentOf(id), depth++)
        {
            yield return id;
        }
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
