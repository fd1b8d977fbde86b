using Marl.Native.Rl;

namespace Marl.Native.Bench.Results;

/// <summary>What others report: a text file with a line of task,label,value,source for each number; the first line says so.</summary>
internal sealed class Published
{
    private const string Header = "task,label,value,source";

    private readonly Dictionary<(string Task, string Label), (string Value, string Source)> values = [];

    /// <summary>Reads a file; null is none.</summary>
    /// <exception cref="UsageException">there is no such file, or a line of it is not understood.</exception>
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
            // A source may have commas.
            if (line.Split(',', 4, StringSplitOptions.TrimEntries) is not [var task, var label, var value, var source]
                || !values.TryAdd((task, label), (value, source)))
            {
                throw new UsageException($"'{file}' has a line that is not {Header}, or is there twice: {line}");
            }
        }
    }

    /// <summary>As the file says it; nothing if it does not.</summary>
    public string Value(Series series) => values.GetValueOrDefault((series.Task, series.Label)).Value ?? "";

    /// <summary>Where the numbers of these series are from.</summary>
    public IEnumerable<string> Sources(IEnumerable<Series> of)
        => of.Where(series => Value(series) != "").Select(series => values[(series.Task, series.Label)].Source).Distinct();
}
