using Marl.Native.Bench.Compare;
using Marl.Native.Cli.Results;

namespace Marl.Native.Bench.Results;

/// <summary>Writes a table per task, and one over all tasks.</summary>
internal static class ResultsTables
{
    private const string Legend = """
        Returns of evaluations. Maximum: the greatest over evaluations of the mean over seeds. Area: the mean over all evaluations. Both, and the last evaluation, with
        the 95 % interval of Student's t over seeds. IQM: the interquartile mean over seeds of the last evaluation, with the 95 % interval of the bootstrap.
        """;

    /// <summary>Writes them in Markdown.</summary>
    public static void Write(TextWriter output, IReadOnlyList<Series> all, Published published)
    {
        foreach (var task in all.GroupBy(series => series.Task))
        {
            WriteTask(output, [.. task], published);
        }
        output.WriteLine(Legend);
        WriteAggregate(output, all);
    }

    private static void WriteTask(TextWriter output, Series[] task, Published published)
    {
        output.WriteLine($"### {task[0].Task}");
        output.WriteLine();
        output.WriteLine(string.Join(", ", task.Select(series => $"`{series.Environment}`").Distinct()));
        output.WriteLine();
        string digits = Digits(task.Max(series => series.Means.Max(mean => Math.Abs(mean.Mean))));
        Table table = new("label", "seeds", "maximum", "at step", "last", "IQM", "area", "published", "steps/s");
        foreach (var series in task)
        {
            table.Add(series.Label, $"{series.Seeds}", PlusMinus(series.Means[series.Best], digits), $"{series.Steps[series.Best]:N0}",
                PlusMinus(series.Means[^1], digits), Bounds(RunStatistics.BootstrapInterquartileMean(series.Returns[^1]), digits),
                PlusMinus(series.Area, digits), published.Value(series), $"{series.StepsPerSecond:N0}");
        }
        table.Write(output, markdown: true);
        output.WriteLine();
        if (published.Sources(task).ToArray() is { Length: > 0 } sources)
        {
            output.WriteLine($"Published: {string.Join("; ", sources)}.");
            output.WriteLine();
        }
    }

    /// <summary>Writes the interquartile mean over the runs of all tasks of the last return, normalized per task to 0 for the worst and 1 for the best run.
    /// Only labels that have runs in every task are included, in the normalization too.</summary>
    private static void WriteAggregate(TextWriter output, IReadOnlyList<Series> all)
    {
        var labels = all.GroupBy(series => series.Label).Where(label => label.Count() == all.Select(series => series.Task).Distinct().Count()).ToArray();
        var scales = labels.SelectMany(label => label).GroupBy(series => series.Task).ToDictionary(task => task.Key,
            task => (Low: task.Min(series => series.Returns[^1].Min()), High: task.Max(series => series.Returns[^1].Max())));
        // If all runs have the same return, there is nothing to normalize.
        string[] tasks = [.. scales.Where(task => task.Value.Low < task.Value.High).Select(task => task.Key)];
        if (labels.Length < 2 || tasks.Length < 2)
        {
            return;
        }
        output.WriteLine();
        output.WriteLine($"### {string.Join(", ", tasks)}");
        output.WriteLine();
        Table table = new("label", "runs", "IQM of normalized last returns");
        foreach (var label in labels)
        {
            double[][] scores = [.. label.Where(series => tasks.Contains(series.Task)).Select(Normalized)];
            table.Add(label.Key, $"{scores.Sum(runs => runs.Length)}", Bounds(RunStatistics.BootstrapInterquartileMean(scores), "F3"));
        }
        table.Write(output, markdown: true);
        output.WriteLine();
        output.WriteLine("Normalized: 0 is the worst and 1 the best run of these labels in a task, so the numbers compare these labels with one another only.");

        double[] Normalized(Series series)
        {
            var (low, high) = scales[series.Task];
            return [.. series.Returns[^1].Select(value => (value - low) / (high - low))];
        }
    }

    private static string Digits(double greatest) => greatest switch
    {
        < 10 => "F3",
        < 100 => "F2",
        _ => "F1",
    };

    private static string PlusMinus(MeanEstimate estimate, string digits) => estimate.IsInterval
        ? $"{estimate.Mean.ToString(digits)} ± {(estimate.High - estimate.Mean).ToString(digits)}" : estimate.Mean.ToString(digits);

    private static string Bounds(Estimate estimate, string digits) => estimate.IsInterval
        ? $"{estimate.Value.ToString(digits)} [{estimate.Low.ToString(digits)}, {estimate.High.ToString(digits)}]" : estimate.Value.ToString(digits);
}
