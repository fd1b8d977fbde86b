using System.CommandLine;
using System.Globalization;
using System.Numerics;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>The options that several commands share.</summary>
internal static class CommonOptions
{
    /// <summary>--json</summary>
    public static Option<bool> Json() => new("--json")
    {
        Description = "print one JSON object per line and nothing else; the last one is the summary",
    };

    /// <summary>--greedy</summary>
    public static Option<bool> Greedy() => new("--greedy")
    {
        Description = "take the most probable action of a stochastic policy instead of sampling one",
    };

    /// <summary>--env-cmd</summary>
    public static Option<string?> EnvironmentCommand(
        string description = "command of an external program that is the environment (docs/protocol.md); the same as --env 'cmd:command'") => new("--env-cmd")
        {
            HelpName = "command",
            Description = description,
        };

    /// <summary>--load</summary>
    public static Option<string[]> Load() => new("--load")
    {
        HelpName = "my.dll",
        Description = "load algorithms, mixers, networks and environments from a library; its code runs, so load only libraries that you trust; repeatable",
        Recursive = true,
    };

    /// <summary>Creates an option whose value is an integer in any notation ("2000000", "2e6"); null if it is not given.</summary>
    public static Option<T?> Integer<T>(string name, string symbol, string description, T minimum)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T> => new(name)
        {
            HelpName = symbol,
            Description = description,
            CustomParser = given =>
            {
                string word = given.Tokens[0].Value;
                if (T.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= minimum)
                {
                    return number;
                }
                given.AddError($"option '{name}' cannot be '{word}'; an integer from {minimum} to {T.MaxValue} is required");
                return null;
            },
        };
}
