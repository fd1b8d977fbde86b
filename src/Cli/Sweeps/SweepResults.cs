using System.Text.Json.Nodes;
using Marl.Native.Cli.Results;
using Text = Marl.Native.Cli.Reporting.Text;

namespace Marl.Native.Cli.Sweeps;

/// <summary>The results of a sweep, a row per environment and label: the last evaluation, and the maximum over evaluations of the mean over seeds, both with the
/// 95 % interval of Student's t over seeds.</summary>
internal static class SweepResults
{
    /// <summary>Writes the results of finished runs.</summary>
    public static void Write(IEnumerable<SweepRun> finished, TextWriter output, bool json)
    {
        var all = Series.Group(finished.Select(run => FinishedRun.Read(run.Folder, run.Task, run.Label)).OfType<FinishedRun>());
        if (json)
        {
            output.WriteLine(new JsonObject { ["type"] = "sweep", ["results"] = new JsonArray([.. all.Select(ToJson)]) }.ToJsonString());
            return;
        }
        if (all.Count == 0)
        {
            return;
        }
        int task = Math.Max("environment".Length, all.Max(series => series.Task.Length)), label = Math.Max("algorithm".Length, all.Max(series => series.Label.Length));
        output.WriteLine(Row("environment", "algorithm", "seeds", "last", "95 % CI", "maximum", "95 % CI"));
        foreach (var series in all)
        {
            var (last, best) = (series.Means[^1], series.Means[series.Best]);
            output.WriteLine(Row(series.Task, series.Label, $"{series.Seeds}", Text.Number(last.Mean), Interval(last), Text.Number(best.Mean), Interval(best)));
        }

        string Row(string environment, string algorithm, string seeds, string last, string lastInterval, string best, string bestInterval)
            => $"{environment.PadRight(task)} {algorithm.PadRight(label)} {seeds,5} {last,10} {lastInterval,22} {best,10} {bestInterval,22}";

        static string Interval(MeanEstimate estimate) => estimate.IsInterval ? $"{Text.Number(estimate.Low)} .. {Text.Number(estimate.High)}" : "";
    }

    private static JsonObject ToJson(Series series) => new()
    {
        ["environment"] = series.Environment,
        ["label"] = series.Label,
        ["seeds"] = series.Seeds,
        ["last"] = ToJson(series.Means[^1]),
        ["maximum"] = ToJson(series.Means[series.Best]),
        ["maximumAt"] = series.Steps[series.Best],
    };

    private static JsonObject ToJson(MeanEstimate estimate)
        => new() { ["mean"] = estimate.Mean, ["standardError"] = estimate.StandardError, ["low"] = estimate.Low, ["high"] = estimate.High };
}
