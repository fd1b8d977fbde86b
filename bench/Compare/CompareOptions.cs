using System.Globalization;

namespace Marl.Native.Bench.Compare;

/// <summary>The arguments of the command compare.</summary>
internal sealed record CompareOptions
{
    public const string Help = """
        bench/compare.sh [options]
          --case TEXT    only what has the text in its name or in that of its table; may be repeated
          --rounds N     how often everyone takes a turn; 7 by default
          --quick        fewer and shorter rounds, without what takes long: under two minutes
          --check        only whether both sides compute the same thing
          --detail       every setting of either side, not only the peer's best
          --markdown     tables for a page
          --alone        without the peer
          --python PATH  a Python that has PyTorch
          --marl PATH    the marl command, to see how fast it starts
        """;

    /// <summary>Texts of which a case's name must contain one; empty: all cases.</summary>
    public List<string> Cases { get; } = [];

    public int Rounds { get; private set; } = 7;

    public bool Quick { get; private set; }

    public bool CheckOnly { get; private set; }

    public bool Detail { get; private set; }

    public bool Markdown { get; private set; }

    public bool Alone { get; private set; }

    public string Python { get; private set; } = "/usr/bin/python3";

    public string? Marl { get; private set; }

    /// <exception cref="ArgumentException">An argument is unknown or invalid; the message names it.</exception>
    public static CompareOptions Parse(ReadOnlySpan<string> words)
    {
        CompareOptions options = new();
        for (int i = 0; i < words.Length; i++)
        {
            string option = words[i];
            switch (option)
            {
                case "--quick":
                    (options.Quick, options.Rounds) = (true, Math.Min(options.Rounds, 3));
                    break;
                case "--check":
                    options.CheckOnly = true;
                    break;
                case "--detail":
                    options.Detail = true;
                    break;
                case "--markdown":
                    options.Markdown = true;
                    break;
                case "--alone":
                    options.Alone = true;
                    break;
                case "--case" or "--rounds" or "--python" or "--marl":
                    options.Take(option, ++i < words.Length ? words[i] : throw new ArgumentException($"option '{option}' needs a value"));
                    break;
                default:
                    throw new ArgumentException($"'{option}' is not understood\n{Help}");
            }
        }
        return options;
    }

    /// <summary>Returns whether a case of this name is selected.</summary>
    public bool Wants(params string[] names)
        => Cases.Count == 0 || Cases.Exists(text => names.Any(name => name.Contains(text, StringComparison.OrdinalIgnoreCase)));

    private void Take(string option, string value)
    {
        switch (option)
        {
            case "--case":
                Cases.Add(value);
                break;
            case "--rounds":
                Rounds = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int rounds) && rounds > 0 ? rounds
                    : throw new ArgumentException($"option '--rounds' needs a whole number above 0, not '{value}'");
                break;
            case "--python":
                Python = value;
                break;
            default:
                Marl = value;
                break;
        }
    }
}
