using System.Buffers;

namespace Marl.Native.Nn;

/// <summary>Makes text of unknown origin (files, programs, names) safe to print on a terminal.</summary>
public static class Printable
{
    /// <summary>Returns a text of one line: control characters other than tabs, line separators and characters that reverse the direction of text are replaced
    /// by U+FFFD.</summary>
    /// <param name="text">The text.</param>
    /// <param name="maxLength">The longest result in characters; a longer text is cut off and ends with "..".</param>
    public static string Of(ReadOnlySpan<char> text, int maxLength = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, Ellipsis.Length);
        string line = text.Length > maxLength ? $"{text[..(maxLength - Ellipsis.Length)]}{Ellipsis}" : text.ToString();
        if (!line.AsSpan().ContainsAny(Refused))
        {
            return line;
        }
        char[] printable = line.ToCharArray();
        printable.AsSpan().ReplaceAny(Refused, '\uFFFD');
        return new(printable);
    }

    private const string Ellipsis = "..";

    // C0 without the tab, delete, C1; separators of lines and paragraphs; embeddings, overrides and isolates of bidirectional text.
    private static readonly SearchValues<char> Refused = SearchValues.Create(
        [.. Enumerable.Range(0, 0x2070).Select(c => (char)c).Where(c => c != '\t' && (char.IsControl(c) || c is >= '\u2028' and <= '\u202E' or >= '\u2066' and <= '\u2069'))]);
}
