using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json.Nodes;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>The seeds of --seeds and of a sweep: "1-5", "1,3,7-9".</summary>
/// <param name="Values">The seeds in ascending order, without duplicates.</param>
internal sealed record SeedList(IReadOnlyList<ulong> Values)
{
    private const int MaxRange = 10_000;

    /// <summary>Parses a list of seeds.</summary>
    /// <exception cref="UsageException">It is not a list of seeds.</exception>
    public static SeedList Parse(string text, string name = "'seeds'")
    {
        SortedSet<ulong> seeds = [];
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2 || !TryParse(ends[0], out ulong first) || !TryParse(ends[^1], out ulong last) || last < first || last - first >= MaxRange)
            {
                throw new UsageException($"{name} cannot be '{text}'; a list such as 1-5 or 1,3,7-9 is required, with at most {MaxRange} seeds per range");
            }
            for (ulong offset = 0; offset <= last - first; offset++)
            {
                seeds.Add(first + offset);
            }
        }
        return new([.. seeds]);

        static bool TryParse(string text, out ulong seed) => ulong.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out seed);
    }

    /// <summary>Parses the seeds of a file: "1-5", 3, or [1, 3].</summary>
    /// <exception cref="UsageException">They are not a list of seeds.</exception>
    public static SeedList Parse(JsonNode? seeds)
        => Parse(seeds is JsonArray list ? string.Join(',', list.Select(seed => seed?.ToString())) : seeds?.ToString() ?? "");

    /// <summary>Parses the value of the option; adds an error and returns null if it is not a list of seeds.</summary>
    public static SeedList? Parse(ArgumentResult given)
    {
        try
        {
            return Parse(given.Tokens[0].Value, "option '--seeds'");
        }
        catch (UsageException e)
        {
            given.AddError(e.Message);
            return null;
        }
    }

    /// <summary>Returns the shortest form: "1-5", "1,3,7-9".</summary>
    public override string ToString()
    {
        List<string> parts = [];
        for (int first = 0, end; first < Values.Count; first = end)
        {
            end = first + 1;
            while (end < Values.Count && Values[end] == Values[end - 1] + 1)
            {
                end++;
            }
            parts.Add(end - first == 1 ? $"{Values[first]}" : $"{Values[first]}-{Values[end - 1]}");
        }
        return string.Join(',', parts);
    }
}
