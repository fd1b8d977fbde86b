using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>The exception for an error of the user: an unknown name, or a value out of range. The message is one line that names the error and the remedy;
/// the command prints it and exits with code 2. It has at most
/// 1000 characters and no control characters, whatever the value.</summary>
public sealed class UsageException(string message) : Exception(Printable.Of(message.ReplaceLineEndings(" "), MaxMessageLength))
{
    private const int MaxMessageLength = 1000, MaxNameLength = 100;

    private const int MaxWidth = 8192, MinPrefixLength = 3;

    /// <summary>Creates the exception for an unknown name: "unknown <paramref name="kind"/> 'x'; did you mean 'y'?", or a list of the names if none is
    /// similar.</summary>
    /// <param name="kind">The kind of name: "algorithm", "environment", "option".</param>
    /// <param name="name">The unknown name.</param>
    /// <param name="names">The known names.</param>
    /// <param name="list">The command that lists the names, for example "marl list algorithms"; null: the message lists them.</param>
    public static UsageException Unknown(string kind, string name, IEnumerable<string> names, string? list = null)
    {
        string[] all = [.. names];
        name = Printable.Of(name, MaxNameLength);
        string hint = Suggestion(name, all, list is null ? $"available: {string.Join(", ", all)}" : $"see {list}");
        return new UsageException($"unknown {kind} '{name}'; {hint}");
    }

    /// <summary>Returns "did you mean 'y'?", or <paramref name="otherwise"/> if no name is similar.</summary>
    internal static string Suggestion(string name, IEnumerable<string> names, string otherwise)
        => Nearest(name, names) is { } nearest ? $"did you mean '{nearest}'?" : otherwise;

    /// <summary>Returns the most similar name: the one with the smallest edit distance (insertions, deletions, substitutions, transpositions), at most a third
    /// of the letters; else one with the same last part ("hidden" for "agent.hidden", "mpe:spread" for "spread"); else the shortest that is a
    /// prefix of <paramref name="name"/> or has it as a prefix, of at least three letters; null if there is none.</summary>
    public static string? Nearest(string name, IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Select(candidate => (Name: candidate, Distance: EditDistance(name, candidate)))
                .Where(candidate => candidate.Distance <= Math.Max(1, Math.Min(name.Length, candidate.Name.Length) / 3))
                .OrderBy(candidate => candidate.Distance).Select(candidate => candidate.Name).FirstOrDefault()
            ?? all.FirstOrDefault(candidate => LastPart(candidate).Equals(LastPart(name), StringComparison.OrdinalIgnoreCase))
            ?? all.Where(candidate => IsPrefix(name, candidate) || IsPrefix(candidate, name)).MinBy(candidate => candidate.Length);

        static bool IsPrefix(string start, string whole) => start.Length >= MinPrefixLength && whole.StartsWith(start, StringComparison.OrdinalIgnoreCase);

        static string LastPart(string name) => name[(name.LastIndexOfAny(['.', ':']) + 1)..];
    }

    /// <summary>Throws "option 'hidden' cannot be 0; it must be at least 1" if a value is not valid.</summary>
    /// <param name="valid">Whether the value is valid.</param>
    /// <param name="value">The value, a property of an options record with the name of the option.</param>
    /// <param name="range">The valid range.</param>
    /// <param name="property">The name of the property, supplied by the compiler.</param>
    /// <exception cref="UsageException"><paramref name="valid"/> is false.</exception>
    public static void Require<T>(bool valid, T value, string range, [CallerArgumentExpression(nameof(value))] string property = "")
    {
        if (!valid)
        {
            throw new UsageException(string.Create(CultureInfo.InvariantCulture,
                $"option '{JsonNamingPolicy.CamelCase.ConvertName(property)}' cannot be {value}; it must be {range}"));
        }
    }

    /// <summary>Checks that the width of a layer is in 1 .. 8192.</summary>
    /// <exception cref="UsageException">The width is out of range.</exception>
    public static void RequireWidth(int width, [CallerArgumentExpression(nameof(width))] string property = "")
        => Require(width is >= 1 and <= MaxWidth, width, $"in 1 .. {MaxWidth}", property);

    /// <summary>Returns the Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and transpositions.</summary>
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
