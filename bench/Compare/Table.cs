namespace Marl.Native.Bench.Compare;

/// <summary>A table of text. Empty columns are omitted.</summary>
internal sealed class Table(params string[] headers)
{
    private readonly List<string[]> rows = [];

    /// <summary>Adds a row of as many cells as there are headers.</summary>
    public void Add(params string[] cells) => rows.Add(cells);

    /// <summary>Aligned: the first column to the left, the others to the right.</summary>
    public void Write(TextWriter output, bool markdown)
    {
        int[] columns = [.. Enumerable.Range(0, headers.Length).Where(c => rows.Exists(row => row[c] != ""))];
        int[] widths = [.. columns.Select(c => rows.Append(headers).Max(row => row[c].Length))];
        string Line(string[] cells)
        {
            var padded = columns.Zip(widths, (c, width) => c == 0 ? cells[c].PadRight(width) : cells[c].PadLeft(width));
            return markdown ? $"| {string.Join(" | ", padded)} |" : string.Join("  ", padded).TrimEnd();
        }
        output.WriteLine(Line(headers));
        output.WriteLine(markdown
            ? $"|{string.Join("|", widths.Select((width, i) => i == 0 ? new string('-', width + 2) : new string('-', width + 1) + ":"))}|"
            : new string('-', widths.Sum() + 2 * (widths.Length - 1)));
        foreach (string[] row in rows)
        {
            output.WriteLine(Line(row));
        }
    }

    /// <summary>Formats a time as "1.23 ms"; empty if it was not measured.</summary>
    public static string Time(double? seconds) => seconds switch
    {
        null => "",
        < 1e-3 => $"{Digits(seconds.Value * 1e6)} us",
        < 1 => $"{Digits(seconds.Value * 1e3)} ms",
        _ => $"{Digits(seconds.Value)} s",
    };

    /// <summary>Formats a value with three significant digits.</summary>
    public static string Digits(double value) => value switch
    {
        < 10 => $"{value:F2}",
        < 100 => $"{value:F1}",
        _ => $"{value:F0}",
    };

    /// <summary>Formats a ratio as "3.4x"; empty unless both were measured.</summary>
    public static string Ratio(double? above, double? below) => above / below is double ratio ? $"{Digits(ratio)}x" : "";
}
