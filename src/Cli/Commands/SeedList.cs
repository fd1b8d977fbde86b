using System.CommandLine.Parsing;
using System.Globalization;

namespace Marl.Native.Cli.Commands;

/// <summary>Seeds as --seeds names them: "1-5", "1,3,7-9".</summary>
/// <param name="Values">In ascending order, each once.</param>
internal sealed record SeedList(IReadOnlyList<ulong> Values)
{
    private const int Most = 10_000;

    /// <summary>The seeds of an option's value; null, and an error of the option, if it is not a list of seeds.</summary>
    public static SeedList? Parse(ArgumentResult given)
    {
        string word = given.Tokens[0].Value;
        SortedSet<ulong> seeds = [];
        foreach (string part in word.Split(','))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2 || !TryParse(ends[0], out ulong first) || !TryParse(ends[^1], out ulong last) || last < first || last - first >= Most)
            {
                given.AddError($"option '--seeds' cannot be '{word}'; a list like 1-5 or 1,3,7-9 is needed, each range of at most {Most} seeds");
                return null;
            }
            for (ulong offset = 0; offset <= last - first; offset++)
            {
                seeds.Add(first + offset);
            }
        }
        return new([.. seeds]);

        static bool TryParse(string text, out ulong seed) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seed);
    }

    /// <summary>The shortest list: "1-5", "1,3,7-9".</summary>
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
