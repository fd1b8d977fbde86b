using System.CommandLine;
using System.Globalization;
using System.Numerics;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>Options that several commands have.</summary>
internal static class CommonOptions
{
    /// <summary>--json</summary>
    public static Option<bool> Json() => new("--json")
    {
        Description = "one JSON object per line on stdout and nothing else, the last one the summary",
    };

    /// <summary>--greedy</summary>
    public static Option<bool> Greedy() => new("--greedy")
    {
        Description = "take the most probable action of a stochastic policy instead of sampling",
    };

    /// <summary>--env-cmd</summary>
    public static Option<string?> EnvironmentCommand(
        string description = "a program of your own that is the environment, see docs/protocol.md; the same as --env 'cmd:command'") => new("--env-cmd")
        {
            HelpName = "command",
            Description = description,
        };

    /// <summary>--load</summary>
    public static Option<string[]> Load() => new("--load")
    {
        HelpName = "my.dll",
        Description = "a library with algorithms, mixers, networks or environments of your own; its code runs, so load none that you do not trust; may be repeated",
        Recursive = true,
    };

    /// <summary>An option whose value is a whole number, in any notation ("2000000", "2e6"); null if it is not given.</summary>
    public static Option<T?> Whole<T>(string name, string symbol, string description, T least)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T> => new(name)
        {
            HelpName = symbol,
            Description = description,
            CustomParser = given =>
            {
                string word = given.Tokens[0].Value;
                if (T.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least)
                {
                    return number;
                }
                given.AddError($"option '{name}' cannot be '{word}'; a whole number in {least} .. {T.MaxValue} is needed");
                return null;
            },
        };
}
