namespace Marl.Native.Cli.Reporting;

/// <summary>Dots that can be set one by one, made of braille characters, each of which is a field of 2 x 4.</summary>
/// <param name="width">in characters.</param>
/// <param name="height">in characters.</param>
internal sealed class BrailleField(int width, int height)
{
    /// <summary>Dots of a character, from left to right.</summary>
    public const int Across = 2;

    /// <summary>Dots of a character, from top to bottom.</summary>
    public const int Down = 4;

    private const char Blank = '\u2800';

    private readonly char[][] rows = [.. Enumerable.Range(0, height).Select(_ => Enumerable.Repeat(Blank, width).ToArray())];

    /// <summary>The characters, row by row from the top.</summary>
    public string[] Rows => [.. rows.Select(row => new string(row))];

    /// <summary>The bits of a character's dots: [row, column], row 0 on top.</summary>
    private static ReadOnlySpan<byte> Dots => [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];

    /// <summary>Sets a dot; column 0 is the left, row 0 the top.</summary>
    public void Set(int column, int row) => rows[row / Down][column / Across] |= (char)Dots[row % Down * Across + column % Across];
}
