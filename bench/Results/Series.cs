using System.Text.Json.Nodes;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Results;

/// <summary>
/// The runs of one label in one task, which differ in nothing but chance. The k-th evaluations of all of them stand at the same step but for a
/// part of a round of episodes, so curves are aligned by k.
/// </summary>
internal sealed class Series
{
    private static readonly string[] Indifferent = ["seed", "threads", "checkpointInterval"];

    private readonly FinishedRun[] runs;

    /// <summary>Runs of one task and label.</summary>
    /// <exception cref="UsageException">a seed is there twice, or runs differ in more than the seed; names both.</exception>
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
        Means = [.. Returns.Select(RunStatistics.Mean)];
    }

    /// <summary>What it is compared on.</summary>
    public string Task { get; }

    /// <summary>What it is called.</summary>
    public string Label { get; }

    /// <summary>What is played.</summary>
    public string Environment => runs[0].Environment;

    /// <summary>How many runs.</summary>
    public int Seeds => runs.Length;

    /// <summary>[evaluations] mean over seeds of the steps before each.</summary>
    public double[] Steps { get; }

    /// <summary>[evaluations] mean over seeds of the seconds of training before each; empty if they were not recorded.</summary>
    public double[] Seconds { get; }

    /// <summary>[evaluations][seeds] returns.</summary>
    public double[][] Returns { get; }

    /// <summary>[evaluations] mean over seeds.</summary>
    public Estimate[] Means { get; }

    /// <summary>The first of the evaluations at which the mean over seeds is greatest: the maximum that Papoudakis et al. 2021 report.</summary>
    public int Best => Array.FindIndex(Means, mean => mean.Value == Means.Max(other => other.Value));

    /// <summary>The mean over seeds of a run's mean return over all evaluations: the area under its curve over the length of it.</summary>
    public Estimate Area => RunStatistics.Mean(Of(run => run.Returns.Average()));

    /// <summary>Mean over seeds.</summary>
    public double StepsPerSecond => Of(run => run.StepsPerSecond).Average();

    /// <summary>All series, in the order of tasks and then of labels.</summary>
    public static List<Series> Group(IEnumerable<FinishedRun> runs) =>
    [
        .. runs.GroupBy(run => (run.Task, run.Label)).OrderBy(group => group.Key.Task, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Label, StringComparer.Ordinal).Select(group => new Series(group)),
    ];

    private double[] Of(Func<FinishedRun, double> number) => [.. runs.Select(number)];

    /// <summary>The name of something that both say, and say differently. What only one says is of a version with more options.</summary>
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

    /// <summary>As many evaluations, none further from its like than half of what lies between two of them.</summary>
    private static bool Aligned(double[] a, double[] b) => a.Length == b.Length && a.Zip(b).All(at => Math.Abs(at.First - at.Second) <= a[^1] / a.Length / 2);
}
