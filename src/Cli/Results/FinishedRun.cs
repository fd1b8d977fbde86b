using System.Globalization;
using System.Text.Json.Nodes;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Results;

/// <summary>A finished run, read from its folder .../task/label/seed.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Task">The task.</param>
/// <param name="Label">The label: an algorithm or a variant of one.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Configuration">The content of config.json.</param>
/// <param name="Steps">Environment steps at each evaluation.</param>
/// <param name="Returns">The mean return of each evaluation.</param>
/// <param name="StepsPerSecond">Environment steps per second.</param>
/// <param name="Seconds">Seconds of training at each evaluation; empty if they were not recorded.</param>
internal sealed record FinishedRun(
    string Path, string Task, string Label, ulong Seed, JsonObject Configuration, double[] Steps, double[] Returns, double StepsPerSecond, double[] Seconds)
{
    /// <summary>The id of the environment.</summary>
    public string Environment => Configuration["environment"]?.ToString() ?? "";

    /// <summary>Reads all runs in and below some folders.</summary>
    /// <param name="folders">Folders of runs, or folders above them.</param>
    /// <param name="unfinished">Receives the folders of runs that are not finished.</param>
    /// <exception cref="UsageException">A folder does not exist or contains no run, or a run cannot be read.</exception>
    public static List<FinishedRun> ReadAll(IEnumerable<string> folders, out List<string> unfinished)
    {
        List<FinishedRun> runs = [];
        unfinished = [];
        HashSet<string> seen = [];
        foreach (string folder in folders)
        {
            if (!Directory.Exists(folder))
            {
                throw new UsageException($"there is no folder '{folder}'");
            }
            int before = seen.Count;
            foreach (string file in Directory.EnumerateFiles(folder, "config.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                string path = System.IO.Path.GetDirectoryName(file)!;
                if (!seen.Add(System.IO.Path.GetFullPath(path)))
                {
                    continue;
                }
                if (Read(path) is { } run)
                {
                    runs.Add(run);
                }
                else
                {
                    unfinished.Add(path);
                }
            }
            if (seen.Count == before)
            {
                throw new UsageException($"there is no run in the folder '{folder}'");
            }
        }
        return runs;
    }

    /// <summary>Reads the run in a folder .../task/label/seed; returns null if it is not finished.</summary>
    private static FinishedRun? Read(string path)
    {
        string[] names = System.IO.Path.GetFullPath(path).Split(System.IO.Path.DirectorySeparatorChar);
        var (task, label, last) = names is [.., var first, var second, var third] ? (first, second, third) : ("", "", "");
        var run = Read(path, task, label);
        return run is null || (task.Length > 0 && label.Length > 0 && last == run.Seed.ToString(CultureInfo.InvariantCulture)) ? run
            : throw new UsageException($"'{path}' holds the run of seed {run.Seed}; its folder must be <task>/<label>/{run.Seed}");
    }

    /// <summary>Reads the run in a folder; returns null if it is not finished.</summary>
    public static FinishedRun? Read(string path, string task, string label)
    {
        RunFolder folder = new(path);
        if (!File.Exists(folder.Summary))
        {
            return null;
        }
        var configuration = ReadObject(folder.Configuration);
        var summary = ReadObject(folder.Summary);
        if (!Value<bool>(summary, "finished", folder.Summary))
        {
            return null;
        }
        var (steps, returns, seconds) = ReadMetrics(System.IO.Path.Combine(path, "metrics.csv"));
        ulong seed = Value<ulong>(summary, "seed", folder.Summary);
        return new(path, task, label, seed, configuration, steps, returns, Value<double>(summary, "stepsPerSecond", folder.Summary), seconds);
    }

    private static (double[] Steps, double[] Returns, double[] Seconds) ReadMetrics(string file)
    {
        string[] lines = File.Exists(file) ? File.ReadAllLines(file) : [];
        string[] names = lines is [var header, ..] ? header.Split(',') : [];
        int steps = Array.IndexOf(names, "steps"), returns = Array.IndexOf(names, "returnMean"), seconds = Array.IndexOf(names, "seconds");
        if (steps < 0 || returns < 0 || lines.Length < 2)
        {
            throw new UsageException($"'{file}' holds no evaluations: columns 'steps' and 'returnMean' are needed, and a row");
        }
        string[][] rows = lines[1..].Select(line => line.Split(',')).ToArray();
        return (Column(steps), Column(returns), seconds < 0 ? [] : Column(seconds));

        double[] Column(int column) => [.. rows.Select(row => Number(row, column))];

        double Number(string[] row, int column)
            => row.Length == names.Length && double.TryParse(row[column], CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
                ? value : throw new UsageException($"'{file}' has a row without a number for '{names[column]}': {string.Join(',', row)}");
    }

    private static JsonObject ReadObject(string file) => RunConfiguration.ReadJson(file);

    private static T Value<T>(JsonObject from, string name, string file) => from[name] is JsonValue value && value.TryGetValue(out T? read) ? read
        : throw new UsageException($"'{file}' lacks '{name}'");
}
