namespace Marl.Native.Cli.Reporting;

/// <summary>A curve of braille characters, each of which is a field of 2 x 4 dots.</summary>
internal static class BrailleChart
{
    private const int DotsAcross = 2, DotsDown = 4;
    private const char Blank = '\u2800';

    /// <summary>The bits of a character's dots: [row, column], row 0 on top.</summary>
    private static ReadOnlySpan<byte> Dots => [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];

    /// <summary>Draws points, joined by lines.</summary>
    /// <param name="points">x rises from point to point.</param>
    /// <param name="xMax">the right edge; the left one is 0.</param>
    /// <param name="low">the lower edge.</param>
    /// <param name="high">the upper edge.</param>
    /// <param name="width">in characters.</param>
    /// <param name="height">in characters.</param>
    /// <returns>the rows, from the top.</returns>
    public static string[] Draw(
        IReadOnlyList<(double X, double Y)> points, double xMax, double low, double high, int width, int height)
    {
        char[][] rows = [.. Enumerable.Range(0, height).Select(_ => Enumerable.Repeat(Blank, width).ToArray())];
        for (int i = 0; i < points.Count; i++)
        {
            Line(Place(points[Math.Max(0, i - 1)]), Place(points[i]));
        }
        return [.. rows.Select(row => new string(row))];

        (int Column, int Row) Place((double X, double Y) point)
        {
            double across = Math.Clamp(point.X / xMax, 0, 1), up = Math.Clamp((point.Y - low) / (high - low), 0, 1);
            return ((int)Math.Round(across * (width * DotsAcross - 1)), (int)Math.Round((1 - up) * (height * DotsDown - 1)));
        }

        // As many dots as the longer of the two ways needs to leave no gap.
        void Line((int Column, int Row) from, (int Column, int Row) to)
        {
            int length = Math.Max(1, Math.Max(Math.Abs(to.Column - from.Column), Math.Abs(to.Row - from.Row)));
            for (int i = 0; i <= length; i++)
            {
                int column = from.Column + (to.Column - from.Column) * i / length;
                int row = from.Row + (to.Row - from.Row) * i / length;
                rows[row / DotsDown][column / DotsAcross] |= (char)Dots[row % DotsDown * DotsAcross + column % DotsAcross];
            }
        }
    }
}
