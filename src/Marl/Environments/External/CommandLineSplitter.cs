using System.Text;

namespace Marl.Native.Rl;

/// <summary>Splits a command line into arguments, identically on every platform and without a shell: arguments are separated by white space, single or double
/// quotes enclose white space, and a backslash is an ordinary character.</summary>
internal static class CommandLineSplitter
{
    /// <summary>Returns the arguments; empty if there is only white space.</summary>
    /// <exception cref="FormatException">A quote is not closed.</exception>
    public static string[] Split(string command)
    {
        var arguments = new List<string>();
        StringBuilder? argument = null; // null between arguments; '' is an empty argument
        char quote = '\0';
        foreach (char c in command)
        {
            if (quote == '\0' && char.IsWhiteSpace(c))
            {
                Finish();
                continue;
            }
            argument ??= new();
            if (c == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && c is '"' or '\'')
            {
                quote = c;
            }
            else
            {
                argument.Append(c);
            }
        }
        Finish();
        return quote == '\0' ? [.. arguments] : throw new FormatException($"the quote {quote} is not closed");

        void Finish()
        {
            if (argument is not null)
            {
                arguments.Add(argument.ToString());
            }

            argument = null;
        }
    }
}
