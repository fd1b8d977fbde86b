namespace Marl.Native.Rl;

/// <summary>Makes external text (files, programs, names of environments) safe to print on a terminal.</summary>
internal static class Printable
{
    /// <summary>Returns a text with control characters other than tabs replaced by U+FFFD.</summary>
    public static string Of(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAny(Controls))
        {
            return text.ToString();
        }
        var printable = text.ToString().ToCharArray();
        printable.AsSpan().ReplaceAny(Controls, '\uFFFD');
        return new(printable);
    }

    // C0 without the tab, delete, C1.
    private static readonly System.Buffers.SearchValues<char> Controls = System.Buffers.SearchValues.Create(
        string.Concat(Enumerable.Range(0, 0xA0).Where(c => c != '\t' && c is < 0x20 or >= 0x7F).Select(c => (char)c)));
}
