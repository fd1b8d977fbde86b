using Marl.Native.Cli.Results;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Results;

/// <summary><c>bench results</c>: tables and curves of finished runs.</summary>
internal static class ResultsCommand
{
    /// <summary>Prints the tables of all tasks, or the curves.</summary>
    /// <exception cref="UsageException">An argument, a folder or a run is invalid.</exception>
    public static int Run(string[] args)
    {
        Console.OutputEncoding = System.Text.Encoding.UTF8;
        return Run(args, Console.Out, Console.Error);
    }

    /// <summary>Prints the tables or the curves to given writers.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter notes)
    {
        if (args.Contains("--help"))
        {
            output.WriteLine(ResultsOptions.Help);
            return 0;
        }
        var options = ResultsOptions.Parse(args);
        Published published = new(options.Published);
        var runs = FinishedRun.ReadAll(options.Folders, out var unfinished);
        if (unfinished.Count > 0)
        {
            notes.WriteLine($"not finished, left out: {string.Join(", ", unfinished)}");
        }
        if (runs.Count == 0)
        {
            throw new UsageException("none of the runs is finished");
        }
        foreach (string task in options.Scales.Keys.Where(task => task != "" && !runs.Exists(run => run.Task == task)))
        {
            throw UsageException.Unknown("task", task, runs.Select(run => run.Task));
        }
        var series = Series.Group(runs.Select(run => run with { Returns = [.. run.Returns.Select(value => value * options.Scale(run.Task))] }));
        if (options.Seconds && series.Find(one => one.Seconds.Length == 0) is { } unknown)
        {
            throw new UsageException($"the runs of '{unknown.Label}' in '{unknown.Task}' have no column 'seconds'");
        }
        if (options.Svg is { } file)
        {
            File.WriteAllText(file, CurveChart.Draw(series, options.Seconds));
        }
        if (options.Curves)
        {
            CurveTable.Write(output, series);
        }
        else
        {
            ResultsTables.Write(output, series, published);
        }
        return 0;
    }
}
