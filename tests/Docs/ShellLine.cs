using System.Text;

namespace Marl.Native.Tests.Docs;

/// <summary>A simple command of a shell: its words, and the file that takes its output.</summary>
/// <param name="Words">The program and its arguments.</param>
/// <param name="Output">What stands after <c>&gt;</c>; null: nothing.</param>
/// <param name="Text">As it is written.</param>
internal sealed record ShellLine(string[] Words, string? Output, string Text)
{
    /// <summary>The commands of a block: a line each, continued after a backslash; <c>#</c> begins a comment.</summary>
    public static IEnumerable<ShellLine> Of(string block)
        => block.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n').Select(Parse).Where(line => line.Words.Length > 0);

    private static ShellLine Parse(string line)
    {
        List<string> words = [];
        var word = new StringBuilder();
        bool inWord = false;
        char quote = '\0';
        foreach (char c in line + " ")
        {
            if (quote != '\0' && c != quote)
            {
                word.Append(c);
            }
            else if (c is '\'' or '"')
            {
                (quote, inWord) = (quote == c ? '\0' : c, true);
            }
            else if (c == '#' && !inWord)
            {
                break;
            }
            else if (!char.IsWhiteSpace(c))
            {
                word.Append(c);
                inWord = true;
            }
            else if (inWord)
            {
                words.Add(word.ToString());
                word.Clear();
                inWord = false;
            }
        }
        int into = words.IndexOf(">");
        return into < 0 ? new([.. words], null, line.Trim()) : new([.. words[..into]], words[into + 1], line.Trim());
    }
}
