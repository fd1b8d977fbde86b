namespace Marl.Native.Cli.Reporting;

/// <summary>A bitmap of braille characters, each of which has 2 x 4 dots.</summary>
/// <param name="width">The width in characters.</param>
/// <param name="height">The height in characters.</param>
internal sealed class BrailleField(int width, int height)
{
    /// <summary>The number of dot columns of a character.</summary>
    public const int Across = 2;

    /// <summary>The number of dot rows of a character.</summary>
    public const int Down = 4;

    private const char Blank = '\u2800';

    private readonly char[][] rows = [.. Enumerable.Range(0, height).Select(_ => Enumerable.Repeat(Blank, width).ToArray())];

    /// <summary>The rows of characters from the top.</summary>
    public string[] Rows => [.. rows.Select(row => new string(row))];

    /// <summary>The bits of a character's dots: [row, column], row 0 at the top.</summary>
    private static ReadOnlySpan<byte> Dots => [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];

    /// <summary>Sets a dot; column 0 is at the left, row 0 at the top.</summary>
    public void Set(int column, int row) => rows[row / Down][column / Across] |= (char)Dots[row % Down * Across + column % Across];
}
