namespace Marl.Native.Cli.Reporting;

/// <summary>Draws curves with braille characters.</summary>
internal static class BrailleChart
{
    /// <summary>Returns the cell of a point in a grid of <paramref name="columns"/> x <paramref name="rows"/>; row 0 is the top.</summary>
    public static (int Column, int Row) Place((double X, double Y) point, double xMax, double low, double high, int columns, int rows)
    {
        double across = Math.Clamp(point.X / xMax, 0, 1), up = Math.Clamp((point.Y - low) / (high - low), 0, 1);
        return ((int)Math.Round(across * (columns - 1)), (int)Math.Round((1 - up) * (rows - 1)));
    }

    /// <summary>Draws a polyline.</summary>
    /// <param name="points">The points, in ascending order of x.</param>
    /// <param name="xMax">The x of the right edge; that of the left edge is 0.</param>
    /// <param name="low">The y of the lower edge.</param>
    /// <param name="high">The y of the upper edge.</param>
    /// <param name="width">The width in characters.</param>
    /// <param name="height">The height in characters.</param>
    /// <returns>The rows from the top.</returns>
    public static string[] Draw(
        IReadOnlyList<(double X, double Y)> points, double xMax, double low, double high, int width, int height)
    {
        var field = new BrailleField(width, height);
        for (int i = 0; i < points.Count; i++)
        {
            Line(Dot(points[Math.Max(0, i - 1)]), Dot(points[i]));
        }
        return field.Rows;

        (int Column, int Row) Dot((double X, double Y) point) => Place(point, xMax, low, high, width * BrailleField.Across, height * BrailleField.Down);

        // One dot per column or row, whichever is more, leaves no gap.
        void Line((int Column, int Row) from, (int Column, int Row) to)
        {
            int length = Math.Max(1, Math.Max(Math.Abs(to.Column - from.Column), Math.Abs(to.Row - from.Row)));
            for (int i = 0; i <= length; i++)
            {
                field.Set(from.Column + (to.Column - from.Column) * i / length, from.Row + (to.Row - from.Row) * i / length);
            }
        }
    }
}
