using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Marl.Native.Rl;

/// <summary>Something that the user asked for cannot be had: an unknown name, a value out of range. The message is one line
/// that names the thing and the remedy; the command prints it and exits with 2.</summary>
public sealed class UsageException(string message) : Exception(message)
{
    /// <summary>«<paramref name="kind"/> 'x' is unknown; did you mean 'y'?», with the nearest of the names that exist.</summary>
    /// <param name="kind">what is missing: "algorithm", "environment", "option".</param>
    /// <param name="name">what was asked for.</param>
    /// <param name="names">what there is.</param>
    public static UsageException Unknown(string kind, string name, IEnumerable<string> names)
    {
        string? nearest = Nearest(name, names);
        return new UsageException(nearest is null ? $"unknown {kind} '{name}'" : $"unknown {kind} '{name}'; did you mean '{nearest}'?");
    }

    /// <summary>The name that is fewest letters away; none if there are no names.</summary>
    public static string? Nearest(string name, IEnumerable<string> names) => names.MinBy(candidate => EditDistance(name, candidate));

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

    /// <summary>Levenshtein's distance: insertions, deletions and substitutions from one word to the other.</summary>
    private static int EditDistance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 0; i < a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i + 1;
            for (int j = 0; j < b.Length; j++)
            {
                int substituted = diagonal + (char.ToLowerInvariant(a[i]) == char.ToLowerInvariant(b[j]) ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(substituted, Math.Min(row[j], row[j + 1]) + 1);
            }
        }
        return row[^1];
    }
}
