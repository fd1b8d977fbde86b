using System.Text.Json.Nodes;
using Marl.Native.Cli.Commands;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Sweeps;

/// <summary>
/// The file of a sweep: algorithms x environments x seeds x the values of options. An option whose value is a list is swept over its values; an option that is
/// a list itself has a list of lists. "runs" is a list of such objects, each merged over the others' common keys.
/// </summary>
internal static class SweepFile
{
    private const int MaxRuns = 100_000;

    private static readonly string[] Keys = ["label", "algorithms", "environments", "seeds", "training", "options"];

    /// <summary>Reads a sweep and checks every run of it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="folder">The folder of the runs: each is in folder/environment/label/seed.</param>
    /// <returns>The runs in the order in which they are trained: the first seed of all, then the second.</returns>
    /// <exception cref="UsageException">The file is not a sweep; the message names the file, the key and the remedy.</exception>
    public static IReadOnlyList<SweepRun> Read(string path, string folder)
    {
        var file = RunConfiguration.ReadJson(path);
        List<(int Turn, SweepRun Run)> runs = [];
        if (!file.TryGetPropertyValue("runs", out var list))
        {
            Add(file, $"'{path}'");
        }
        else if (list is JsonArray { Count: > 0 } items)
        {
            foreach (var (item, index) in items.Select((item, index) => (item, index)))
            {
                string place = $"'{path}', runs[{index}]";
                Add(Merge(file, item as JsonObject ?? throw new UsageException($"{place} is not an object")), place);
            }
        }
        else
        {
            throw new UsageException($"'{path}': 'runs' is not a list of objects");
        }
        if (runs.GroupBy(one => one.Run.Folder).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new UsageException($"'{path}' has two runs for the folder '{twice.Key}'; give one of them a \"label\"");
        }
        return [.. runs.OrderBy(one => one.Turn).Select(one => one.Run)];

        void Add(JsonObject item, string place)
        {
            try
            {
                foreach (var run in Expand(item, folder))
                {
                    runs.Add(run);
                    if (runs.Count > MaxRuns)
                    {
                        throw new UsageException($"more than {MaxRuns} runs");
                    }
                }
            }
            catch (UsageException e)
            {
                throw new UsageException($"{place}: {e.Message}");
            }
        }
    }

    /// <summary>Returns an item over the common keys; training and options are merged key by key.</summary>
    private static JsonObject Merge(JsonObject common, JsonObject item)
    {
        var merged = common.DeepClone().AsObject();
        merged.Remove("runs");
        foreach (var (key, value) in item)
        {
            if (value is JsonObject values && merged[key] is JsonObject present)
            {
                foreach (var (name, option) in values)
                {
                    present[name] = option?.DeepClone();
                }
            }
            else
            {
                merged[key] = value?.DeepClone();
            }
        }
        return merged;
    }

    private static IEnumerable<(int Turn, SweepRun Run)> Expand(JsonObject item, string folder)
    {
        if (item.Select(entry => entry.Key).FirstOrDefault(key => !Keys.Contains(key)) is { } unknown)
        {
            throw UsageException.Unknown("key of the sweep", unknown, Keys.Append("runs"));
        }
        string? label = item["label"] is null ? null : TextOf(item["label"], "label");
        var (algorithms, environments) = (Texts(item, "algorithms"), Texts(item, "environments"));
        var seeds = SeedList.Parse(item["seeds"] ?? throw Missing("seeds")).Values;
        var combinations = Combinations(item).ToArray();
        for (int turn = 0; turn < seeds.Count; turn++)
        {
            foreach (string environment in environments)
            {
                foreach (string algorithm in algorithms)
                {
                    foreach (var (suffix, values) in combinations)
                    {
                        var configuration = RunConfiguration.Of(algorithm, environment, values, [$"seed={seeds[turn]}"]) with { Libraries = Catalog.LoadedLibraries };
                        var (task, name) = (SweepRun.FolderName(environment), SweepRun.FolderName((label ?? algorithm) + suffix));
                        yield return (turn, new(task, name, Path.Combine(folder, task, name, $"{seeds[turn]}"), configuration));
                    }
                }
            }
        }
    }

    /// <summary>Returns every combination of the values of the options that have lists, with its suffix of the label: "-hidden-64".</summary>
    private static IEnumerable<(string Suffix, JsonObject Values)> Combinations(JsonObject item)
    {
        IEnumerable<(string Suffix, JsonObject Values)> all = [("", [])];
        long count = 1;
        foreach (string part in (string[])["training", "options"])
        {
            if (item[part] is not { } values)
            {
                continue;
            }
            foreach (var (name, value) in values as JsonObject ?? throw new UsageException($"'{part}' is not an object"))
            {
                if (name == "seed")
                {
                    throw new UsageException("'seed' is set by the key 'seeds' of the sweep");
                }
                JsonArray list = value as JsonArray ?? [value?.DeepClone()];
                count = list.Count == 0 ? throw new UsageException($"'{name}' has no values") : count * list.Count;
                if (count > MaxRuns)
                {
                    throw new UsageException($"more than {MaxRuns} runs");
                }
                all = [.. from combination in all
                          from choice in list.ToArray()
                          select (combination.Suffix + (list.Count > 1 ? $"-{name}-{choice?.ToJsonString().Trim('"') ?? "null"}" : ""), With(combination.Values, part, name, choice))];
            }
        }
        return all;
    }

    private static JsonObject With(JsonObject values, string part, string name, JsonNode? choice)
    {
        var copy = values.DeepClone().AsObject();
        var options = copy[part] as JsonObject ?? [];
        copy[part] = options;
        options[name] = choice?.DeepClone();
        return copy;
    }

    private static string[] Texts(JsonObject item, string key) => item[key] switch
    {
        null => throw Missing(key),
        JsonArray { Count: > 0 } list => [.. list.Select(one => TextOf(one, key))],
        JsonValue one => [TextOf(one, key)],
        _ => throw new UsageException($"'{key}' is not a list of names"),
    };

    private static string TextOf(JsonNode? value, string key) => value is JsonValue text && text.TryGetValue(out string? word) && word.Length > 0 ? word
        : throw new UsageException($"'{key}' is not a name");

    private static UsageException Missing(string key) => new($"the key '{key}' is missing");
}
