using System.Globalization;
using System.Text;

namespace Marl.Native.Rl;

/// <summary>
/// An environment's id in its parts, <c>name[:layout][?option=value&amp;...]</c>: the one grammar that all families share. A family
/// reads the options that it knows and then calls <see cref="EnsureAllRead"/>, so a misspelt option is an error and not ignored.
/// </summary>
internal sealed class EnvironmentId
{
    private readonly Dictionary<string, string> unread = [];
    private readonly List<string> known = [];

    /// <summary>Takes <paramref name="text"/> apart.</summary>
    /// <exception cref="UsageException">an option has no value or is given twice.</exception>
    public EnvironmentId(string text)
    {
        Text = text;
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
                throw Error($"option '{option[..equals]}' is given twice");
            }
        }
    }

    /// <summary>The whole id.</summary>
    public string Text { get; }

    /// <summary>What stands before the first colon.</summary>
    public string Name { get; }

    /// <summary>What stands between the first colon and the question mark.</summary>
    public string Layout { get; }

    /// <summary>An option that is a whole number of at least <paramref name="min"/>, in any notation ("20", "+20", "2e1"); null if it is not given.</summary>
    public int? Integer(string option, int min = 1) => Take(option) switch
    {
        null => null,
        string value when int.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out int number) && number >= min => number,
        string value => throw Error($"{option}={value} is not a whole number in {min} .. {int.MaxValue}"),
    };

    /// <summary>An option that is a number of at least 0; null if it is not given.</summary>
    public double? Number(string option) => Take(option) switch
    {
        null => null,
        string value when TryNumber(value, out double number) => number,
        string value => throw Error($"{option}={value} is not a number in 0 .. {double.MaxValue.ToString(CultureInfo.InvariantCulture)}"),
    };

    /// <summary>An option that is one of some names, and what it stands for; the first if it is not given.</summary>
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
        throw Error($"{option}={value} is none of {string.Join(", ", names)}" + (UsageException.Nearest(value, names) is { } near ? $"; did you mean '{near}'?" : ""));
    }

    /// <summary>Ends the reading.</summary>
    /// <exception cref="UsageException">there is a layout although the family has none, or an option that it does not know.</exception>
    public void EnsureAllRead(bool hasLayout)
    {
        if (!hasLayout && Layout.Length > 0)
        {
            throw Error($"'{Name}' has no layout, so nothing may stand after the colon");
        }

        foreach (string option in unread.Keys)
        {
            throw UsageException.Unknown($"option of {Name}", option, known);
        }
    }

    /// <summary>The id of these parts: of the options, those whose value is not the usual one.</summary>
    public static string Compose(string path, params ReadOnlySpan<(string Name, object? Value, object? Usual)> options)
    {
        var id = new StringBuilder(path);
        char separator = '?';
        foreach (var (name, value, usual) in options)
        {
            if (Equals(value, usual))
            {
                continue;
            }

            id.Append(CultureInfo.InvariantCulture, $"{separator}{name}={value}");
            separator = '&';
        }
        return id.ToString();
    }

    /// <summary>«environment 'id': problem».</summary>
    public UsageException Error(string problem) => new($"environment '{Text}': {problem}");

    /// <summary>Digits only: a number in a layout.</summary>
    public static bool TryInteger(string text, out int number)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>A finite number that is not negative, in any notation.</summary>
    public static bool TryNumber(string text, out double number) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number)
        && double.IsFinite(number) && double.IsPositive(number);

    private string? Take(string option)
    {
        known.Add(option);
        return unread.Remove(option, out string? value) ? value : null;
    }
}
