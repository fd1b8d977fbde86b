using System.Globalization;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Results;

/// <summary>The arguments of the command results.</summary>
internal sealed record ResultsOptions
{
    public const string Help = """
        results <folder> [..] [options]     of runs in <folder>/../<task>/<label>/<seed>
          --published FILE   adds a column of what others report: lines of task,label,value,source
          --scale [TASK=]X   multiplies returns, of one task or of all; may be repeated
          --curves           prints the mean curves as CSV in place of the tables
          --svg FILE         draws the mean curves
          --seconds          draws them over the seconds of training in place of environment steps
        """;

    /// <summary>The folders of the runs.</summary>
    public List<string> Folders { get; } = [];

    public string? Published { get; private set; }

    public string? Svg { get; private set; }

    public bool Curves { get; private set; }

    public bool Seconds { get; private set; }

    /// <summary>Factors of returns by task; "" stands for every other task.</summary>
    public Dictionary<string, double> Scales { get; } = new() { [""] = 1 };

    /// <exception cref="UsageException">An argument is unknown or invalid; the message names it.</exception>
    public static ResultsOptions Parse(string[] words)
    {
        ResultsOptions options = new();
        for (int i = 0; i < words.Length; i++)
        {
            string option = words[i];
            string Next() => ++i < words.Length ? words[i] : throw new UsageException($"option '{option}' needs a value");
            switch (option)
            {
                case "--published":
                    options.Published = Next();
                    break;
                case "--svg":
                    options.Svg = Next();
                    break;
                case "--seconds":
                    options.Seconds = true;
                    break;
                case "--curves":
                    options.Curves = true;
                    break;
                case "--scale":
                    options.AddScale(Next());
                    break;
                case ['-', ..]:
                    throw new UsageException($"'{option}' is not understood; see results --help");
                default:
                    options.Folders.Add(option);
                    break;
            }
        }
        return options.Folders.Count > 0 ? options : throw new UsageException("a folder of runs is needed; see results --help");
    }

    /// <summary>Returns the factor of a task's returns.</summary>
    public double Scale(string task) => Scales.GetValueOrDefault(task, Scales[""]);

    private void AddScale(string word)
    {
        int equals = word.LastIndexOf('=');
        Scales[word[..Math.Max(equals, 0)]] = double.TryParse(word[(equals + 1)..], CultureInfo.InvariantCulture, out double scale)
            && double.IsFinite(scale) && scale > 0 ? scale : throw new UsageException($"option '--scale' needs a number above 0, not '{word}'");
    }
}
