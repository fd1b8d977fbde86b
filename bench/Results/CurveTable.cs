using Marl.Native.Cli.Results;

namespace Marl.Native.Bench.Results;

/// <summary>Writes the mean curves as CSV.</summary>
internal static class CurveTable
{
    /// <summary>Writes a line per evaluation: the mean over seeds with its 95 % interval (empty for a single seed), and the interquartile mean.</summary>
    public static void Write(TextWriter output, IEnumerable<Series> all)
    {
        output.WriteLine("task,label,step,mean,low,high,iqm");
        foreach (var series in all)
        {
            for (int k = 0; k < series.Means.Length; k++)
            {
                var mean = series.Means[k];
                output.WriteLine(string.Join(',', Quoted(series.Task), Quoted(series.Label), series.Steps[k].ToString("F0"), Number(mean.Mean),
                    mean.IsInterval ? Number(mean.Low) : "", mean.IsInterval ? Number(mean.High) : "",
                    Number(RunStatistics.InterquartileMean(series.Returns[k]))));
            }
        }
    }

    private static string Number(double value) => value.ToString("G9");

    private static string Quoted(string name) => name.AsSpan().ContainsAny(",\"") ? $"\"{name.Replace("\"", "\"\"")}\"" : name;
}
