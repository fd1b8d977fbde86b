using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace Marl.Native.Cli.Commands;

/// <summary>Words that several commands understand.</summary>
internal static class Words
{
    /// <summary>--json</summary>
    public static Option<bool> Json() => new("--json")
    {
        Description = "one JSON object per line on stdout and nothing else, the last one the summary",
    };

    /// <summary>An option whose value is a whole number; null if it is not given.</summary>
    public static Option<T?> Whole<T>(string name, string symbol, string description, T least)
        where T : struct, IBinaryInteger<T> => new(name)
        {
            HelpName = symbol,
            Description = description,
            CustomParser = given =>
            {
                string word = given.Tokens[0].Value;
                if (T.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least)
                {
                    return number;
                }
                given.AddError($"option '{name}' cannot be '{word}'; a whole number from {least} on is needed");
                return null;
            },
        };
}
