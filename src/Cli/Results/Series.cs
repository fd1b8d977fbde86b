using System.Text.Json.Nodes;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Results;

/// <summary>
/// The runs of one label in one task, which differ in the seed only. The k-th evaluations of all runs are at the same step up to a part of a round, so curves
/// are aligned by k.
/// </summary>
internal sealed class Series
{
    private static readonly string[] Indifferent = ["seed", "threads", "checkpointInterval"];

    private readonly FinishedRun[] runs;

    /// <summary>Runs of one task and label.</summary>
    /// <exception cref="UsageException">Two runs have the same seed, or differ in more than the seed; the message names both.</exception>
    public Series(IEnumerable<FinishedRun> of)
    {
        runs = [.. of.OrderBy(run => run.Seed)];
        Task = runs[0].Task;
        Label = runs[0].Label;
        for (int i = 1; i < runs.Length; i++)
        {
            string? problem = runs[i].Seed == runs[i - 1].Seed ? "have the same seed"
                : Difference(runs[0].Configuration, runs[i].Configuration) is { } option ? $"differ in '{option}'"
                : !Aligned(runs[0].Steps, runs[i].Steps) ? "were not evaluated at the same steps" : null;
            if (problem is not null)
            {
                throw new UsageException($"runs of one label must differ in the seed alone, but '{runs[i - 1].Path}' and '{runs[i].Path}' {problem}");
            }
        }
        Returns = [.. Enumerable.Range(0, runs[0].Returns.Length).Select(k => Of(run => run.Returns[k]))];
        Steps = [.. Enumerable.Range(0, Returns.Length).Select(k => Of(run => run.Steps[k]).Average())];
        bool recorded = runs.All(run => run.Seconds.Length == Steps.Length);
        Seconds = recorded ? [.. Enumerable.Range(0, Steps.Length).Select(k => Of(run => run.Seconds[k]).Average())] : [];
        Means = [.. Returns.Select(returns => new MeanEstimate(returns))];
    }

    /// <summary>The task.</summary>
    public string Task { get; }

    /// <summary>The label.</summary>
    public string Label { get; }

    /// <summary>The id of the environment.</summary>
    public string Environment => runs[0].Environment;

    /// <summary>The number of runs.</summary>
    public int Seeds => runs.Length;

    /// <summary>The mean over seeds of the environment steps at each evaluation.</summary>
    public double[] Steps { get; }

    /// <summary>The mean over seeds of the seconds of training at each evaluation; empty if they were not recorded.</summary>
    public double[] Seconds { get; }

    /// <summary>Returns [evaluations][seeds].</summary>
    public double[][] Returns { get; }

    /// <summary>The mean return over seeds at each evaluation.</summary>
    public MeanEstimate[] Means { get; }

    /// <summary>The index of the first evaluation with the largest mean over seeds: the maximum that Papoudakis et al. 2021 report.</summary>
    public int Best => Array.FindIndex(Means, mean => mean.Mean == Means.Max(other => other.Mean));

    /// <summary>The mean over seeds of the mean return over all evaluations: the normalized area under the curve.</summary>
    public MeanEstimate Area => new(Of(run => run.Returns.Average()));

    /// <summary>Mean over seeds.</summary>
    public double StepsPerSecond => Of(run => run.StepsPerSecond).Average();

    /// <summary>Groups runs into series, ordered by task and label.</summary>
    public static List<Series> Group(IEnumerable<FinishedRun> runs) =>
    [
        .. runs.GroupBy(run => (run.Task, run.Label)).OrderBy(group => group.Key.Task, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Label, StringComparer.Ordinal).Select(group => new Series(group)),
    ];

    private double[] Of(Func<FinishedRun, double> number) => [.. runs.Select(number)];

    /// <summary>Returns the name of an option that both configurations have with different values; null if there is none.</summary>
    private static string? Difference(JsonObject a, JsonObject b)
    {
        foreach (var (name, value) in a)
        {
            string? different = Indifferent.Contains(name) || !b.ContainsKey(name) ? null
                : value is JsonObject part && b[name] is JsonObject other ? Difference(part, other)
                : JsonNode.DeepEquals(value, b[name]) ? null : name;
            if (different is not null)
            {
                return different;
            }
        }
        return null;
    }

    /// <summary>Returns whether two runs have the same number of evaluations at steps that differ by less than half an interval.</summary>
    private static bool Aligned(double[] a, double[] b) => a.Length == b.Length && a.Zip(b).All(at => Math.Abs(at.First - at.Second) <= a[^1] / a.Length / 2);
}
