using Marl.Native.Cli.Results;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Results;

/// <summary>Published results: a CSV file with the columns task, label, value and source.</summary>
internal sealed class Published
{
    private const string Header = "task,label,value,source";

    private readonly Dictionary<(string Task, string Label), (string Value, string Source)> values = [];

    /// <summary>Reads a file; null: no results.</summary>
    /// <exception cref="UsageException">The file does not exist, or a line is invalid.</exception>
    public Published(string? file)
    {
        if (file is null)
        {
            return;
        }
        string[] lines = File.Exists(file) ? File.ReadAllLines(file) : throw new UsageException($"there is no file '{file}'");
        if (lines is not [Header, ..])
        {
            throw new UsageException($"'{file}' must begin with the line {Header}");
        }
        foreach (string line in lines[1..].Where(line => line != ""))
        {
            // The source may contain commas.
            if (line.Split(',', 4, StringSplitOptions.TrimEntries) is not [var task, var label, var value, var source]
                || !values.TryAdd((task, label), (value, source)))
            {
                throw new UsageException($"'{file}' has a line that is not {Header}, or is there twice: {line}");
            }
        }
    }

    /// <summary>Returns the published value of a series; empty if there is none.</summary>
    public string Value(Series series) => values.GetValueOrDefault((series.Task, series.Label)).Value ?? "";

    /// <summary>Returns the sources of the published values of series.</summary>
    public IEnumerable<string> Sources(IEnumerable<Series> of)
        => of.Where(series => Value(series) != "").Select(series => values[(series.Task, series.Label)].Source).Distinct();
}
