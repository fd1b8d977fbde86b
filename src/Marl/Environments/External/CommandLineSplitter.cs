using System.Text;

namespace Marl.Native.Rl;

/// <summary>A command line in its words, on every system alike and with no shell between: white space separates, quotes of either kind keep
/// together, and a backslash is a character like any other.</summary>
internal static class CommandLineSplitter
{
    /// <summary>The words; none if there is only white space.</summary>
    /// <exception cref="FormatException">a quote is never closed.</exception>
    public static string[] Split(string command)
    {
        var words = new List<string>();
        StringBuilder? word = null; // none between words; '' is a word too
        char quote = '\0';
        foreach (char c in command)
        {
            if (quote == '\0' && char.IsWhiteSpace(c))
            {
                Finish();
                continue;
            }
            word ??= new();
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
                word.Append(c);
            }
        }
        Finish();
        return quote == '\0' ? [.. words] : throw new FormatException($"the quote {quote} is never closed");

        void Finish()
        {
            if (word is not null)
            {
                words.Add(word.ToString());
            }

            word = null;
        }
    }
}
