using System.Globalization;
using System.Text;

namespace Marl.Native.Rl;

/// <summary>
/// A parsed environment id, <c>name[:layout][?option=value&amp;...]</c>. A family reads its options and then calls <see cref="EnsureAllRead"/>, so a
/// misspelled option is an error.
/// </summary>
internal sealed class EnvironmentId
{
    /// <summary>The families whose layout is the path of a file or a folder.</summary>
    private static readonly string[] PathFamilies = ["matrix", "against"];

    private readonly Dictionary<string, string> unread = [];
    private readonly List<string> known = [];
    private readonly int depth;

    /// <summary>Parses an id.</summary>
    /// <param name="text">The id.</param>
    /// <param name="program">The command that the user allows the environment to start; null: none.</param>
    /// <param name="depth">The number of ids that this one is inside of.</param>
    /// <exception cref="UsageException">An option has no value or occurs twice.</exception>
    public EnvironmentId(string text, string? program = null, int depth = 0)
    {
        (Text, Program, this.depth) = (text, program, depth);
        int query = text.IndexOf('?');
        string path = query < 0 ? text : text[..query];
        int colon = path.IndexOf(':');
        Name = colon < 0 ? path : path[..colon];
        Layout = colon < 0 ? "" : path[(colon + 1)..];
        if (query < 0)
        {
            return;
        }

        foreach (string option in text[(query + 1)..].Split('&'))
        {
            int equals = option.IndexOf('=');
            if (equals <= 0 || equals == option.Length - 1)
            {
                throw Error($"'{option}' is not option=value");
            }

            if (!unread.TryAdd(option[..equals], option[(equals + 1)..]))
            {
                throw Error($"option '{option[..equals]}' occurs twice");
            }
        }
    }

    /// <summary>The complete id.</summary>
    public string Text { get; }

    /// <summary>Returns an id with the full path of the file or folder that it names, so that it means the same in another working directory; other ids are
    /// returned unchanged.</summary>
    /// <param name="id">The id.</param>
    /// <param name="folder">The folder that a relative path begins at; null: the working directory.</param>
    public static string WithFullPath(string id, string? folder = null)
        => WithPath(id, path => folder is null ? Path.GetFullPath(path) : Path.GetFullPath(path, Path.GetFullPath(folder)));

    /// <summary>Returns an id with the path, relative to a folder, of the file or folder that it names; other ids are returned unchanged.</summary>
    public static string WithRelativePath(string id, string folder) => WithPath(id, path => Path.GetRelativePath(folder, path));

    private static string WithPath(string id, Func<string, string> change)
    {
        int query = id.IndexOf('?'), end = query < 0 ? id.Length : query, colon = id.AsSpan(0, end).IndexOf(':');
        if (colon < 0 || colon + 1 == end || id.Contains('\0') || !PathFamilies.Contains(id[..colon]))
        {
            return id;
        }
        string path = change(id[(colon + 1)..end]);
        // A question mark would begin the options.
        return path.Contains('?') ? id : $"{id[..(colon + 1)]}{path}{id[end..]}";
    }

    /// <summary>The command that the user allows the environment to start; null: none. Ids in files are not trusted.</summary>
    public string? Program { get; }

    /// <summary>The id of an environment inside this one, with the same permission.</summary>
    /// <exception cref="UsageException">There are too many inside each other: policies whose opponents are each other's.</exception>
    public EnvironmentId Inner(string text)
    {
        const int Deepest = 8;
        return depth < Deepest ? new(text, Program, depth + 1) : throw Error($"more than {Deepest} environments inside each other");
    }

    /// <summary>The text before the first colon.</summary>
    public string Name { get; }

    /// <summary>The text between the first colon and the question mark.</summary>
    public string Layout { get; }

    /// <summary>Reads an integer option of at least <paramref name="min"/>, in any notation ("20", "+20", "2e1"); returns null if it is absent.</summary>
    public int? Integer(string option, int min = 1) => Take(option) switch
    {
        null => null,
        string value when int.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out int number) && number >= min => number,
        string value => throw Error($"{option}={value} is not an integer of at least {min} and at most {int.MaxValue}"),
    };

    /// <summary>Reads a numeric option of at least 0; returns null if it is absent.</summary>
    public double? Number(string option) => Take(option) switch
    {
        null => null,
        string value when TryNumber(value, out double number) => number,
        string value => throw Error(FormattableString.Invariant($"{option}={value} is not a number of at least 0 and at most {double.MaxValue}")),
    };

    /// <summary>Reads an option with named values; returns the first value if it is absent.</summary>
    public T Choice<T>(string option, params ReadOnlySpan<(string Name, T Value)> choices)
    {
        if (Take(option) is not string value)
        {
            return choices[0].Value;
        }

        var names = new List<string>();
        foreach (var (name, choice) in choices)
        {
            if (name == value)
            {
                return choice;
            }

            names.Add(name);
        }
        string hint = UsageException.Nearest(value, names) is { } near ? $"; did you mean '{near}'?" : "";
        throw Error($"{option}={value} is not one of {string.Join(", ", names)}{hint}");
    }

    /// <summary>Checks that nothing of the id is left unread.</summary>
    /// <param name="hasLayout">Whether the family has layouts.</param>
    /// <exception cref="UsageException">There is a layout although the family has none, or an unknown option.</exception>
    public void EnsureAllRead(bool hasLayout)
    {
        if (!hasLayout && Layout.Length > 0)
        {
            throw Error($"'{Name}' has no layout; remove the colon and the text after it");
        }

        foreach (string option in unread.Keys)
        {
            throw UsageException.Unknown($"option of {Name}", option, known);
        }
    }

    /// <summary>Composes an id from a path and the options whose values are not the defaults.</summary>
    public static string Compose(string path, params ReadOnlySpan<(string Name, object? Value, object? Default)> options)
    {
        var id = new StringBuilder(path);
        char separator = '?';
        foreach (var (name, value, defaultValue) in options)
        {
            if (Equals(value, defaultValue))
            {
                continue;
            }

            id.Append(CultureInfo.InvariantCulture, $"{separator}{name}={value}");
            separator = '&';
        }
        return id.ToString();
    }

    /// <summary>Creates an exception with the message "environment 'id': problem".</summary>
    public UsageException Error(string problem) => new($"environment '{Text}': {problem}");

    /// <summary>Parses a sequence of digits: a number in a layout.</summary>
    public static bool TryInteger(string text, out int number)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>Parses a finite number that is not negative, in any notation.</summary>
    public static bool TryNumber(string text, out double number) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number)
        && double.IsFinite(number) && double.IsPositive(number);

    private string? Take(string option)
    {
        known.Add(option);
        return unread.Remove(option, out string? value) ? value : null;
    }
}
