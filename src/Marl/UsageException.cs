using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Marl.Native.Rl;

/// <summary>Something that the user asked for cannot be had: an unknown name, a value out of range. The message is one line
/// that names the thing and the remedy; the command prints it and exits with 2.</summary>
public sealed class UsageException(string message) : Exception(message)
{
    private const int Widest = 8192, ShortestPrefix = 3;

    /// <summary>«unknown <paramref name="kind"/> 'x'; did you mean 'y'?», or where to look if no name is near.</summary>
    /// <param name="kind">What is missing: "algorithm", "environment", "option".</param>
    /// <param name="name">What was asked for.</param>
    /// <param name="names">What there is.</param>
    /// <param name="list">The command that lists the names, for example "marl list algorithms"; null: the message lists them.</param>
    public static UsageException Unknown(string kind, string name, IEnumerable<string> names, string? list = null)
    {
        string[] all = [.. names];
        string hint = Suggestion(name, all, list is null ? $"there are {string.Join(", ", all)}" : $"see {list}");
        return new UsageException($"unknown {kind} '{name}'; {hint}");
    }

    /// <summary>«did you mean 'y'?», or <paramref name="otherwise"/> if no name is near.</summary>
    internal static string Suggestion(string name, IEnumerable<string> names, string otherwise)
        => Nearest(name, names) is { } nearest ? $"did you mean '{nearest}'?" : otherwise;

    /// <summary>The nearest name: the one that differs by the fewest edits (insertions, deletions, substitutions, swaps of neighbors), a third of the letters
    /// at most; else one of the same last part ("hidden" for "agent.hidden", "mpe:spread" for "spread"); else the shortest that begins with what was asked for,
    /// of three letters at least; null if there is none.</summary>
    public static string? Nearest(string name, IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Select(candidate => (Name: candidate, Distance: EditDistance(name, candidate)))
                .Where(candidate => candidate.Distance <= Math.Max(1, Math.Min(name.Length, candidate.Name.Length) / 3))
                .OrderBy(candidate => candidate.Distance).Select(candidate => candidate.Name).FirstOrDefault()
            ?? all.FirstOrDefault(candidate => LastPart(candidate).Equals(LastPart(name), StringComparison.OrdinalIgnoreCase))
            ?? all.Where(candidate => name.Length >= ShortestPrefix && candidate.StartsWith(name, StringComparison.OrdinalIgnoreCase))
                .MinBy(candidate => candidate.Length);

        static string LastPart(string name) => name[(name.LastIndexOfAny(['.', ':']) + 1)..];
    }

    /// <summary>«option 'hidden' cannot be 0; it must be at least 1», unless <paramref name="valid"/>.</summary>
    /// <param name="valid">whether the value can be had.</param>
    /// <param name="value">what was asked for: a property of a record of options, whose name is the option's.</param>
    /// <param name="range">what can be had.</param>
    /// <param name="property">filled in by the compiler.</param>
    public static void Require<T>(bool valid, T value, string range, [CallerArgumentExpression(nameof(value))] string property = "")
    {
        if (!valid)
        {
            throw new UsageException(string.Create(CultureInfo.InvariantCulture,
                $"option '{JsonNamingPolicy.CamelCase.ConvertName(property)}' cannot be {value}; it must be {range}"));
        }
    }

    /// <summary>Refuses a width that no layer can have.</summary>
    public static void RequireWidth(int width, [CallerArgumentExpression(nameof(width))] string property = "")
        => Require(width is >= 1 and <= Widest, width, $"in 1 .. {Widest}", property);

    /// <summary>Damerau-Levenshtein distance, optimal string alignment: insertions, deletions, substitutions and swaps of neighboring letters.</summary>
    private static int EditDistance(string a, string b)
    {
        int[] before = [], last = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 0; i < a.Length; i++)
        {
            int[] row = new int[b.Length + 1];
            row[0] = i + 1;
            for (int j = 0; j < b.Length; j++)
            {
                row[j + 1] = Math.Min(last[j] + (Same(i, j) ? 0 : 1), Math.Min(row[j], last[j + 1]) + 1);
                if (i > 0 && j > 0 && Same(i, j - 1) && Same(i - 1, j))
                {
                    row[j + 1] = Math.Min(row[j + 1], before[j - 1] + 1);
                }
            }
            (before, last) = (last, row);
        }
        return last[^1];

        bool Same(int i, int j) => char.ToLowerInvariant(a[i]) == char.ToLowerInvariant(b[j]);
    }
}
