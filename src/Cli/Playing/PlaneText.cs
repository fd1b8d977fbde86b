using System.Text;
using Marl.Native.Cli.Reporting;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>A plane as a square of braille dots in a frame: agents and targets as discs, everything else as circles, with the
/// letters of the agents in them.</summary>
internal sealed class PlaneText
{
    /// <summary>Room around the outermost thing.</summary>
    private const double Margin = 1.05;

    private readonly int width, height, dots;
    private readonly double extent, scale;
    private readonly BrailleField field;
    private readonly char[][] letters;
    // What is drawn in each character, and which agent.
    private readonly (SceneRole? Role, int? Agent)[,] shown;

    /// <summary>Draws it.</summary>
    /// <param name="plane">what is shown; the square grows if something left its usual extent.</param>
    /// <param name="height">lines without the frame.</param>
    public PlaneText(PlaneScene plane, int height)
    {
        (this.height, width, dots) = (height, height * BrailleField.Down / BrailleField.Across, height * BrailleField.Down);
        extent = Margin * plane.Reach;
        scale = (dots - 1) / (2 * extent);
        field = new BrailleField(width, height);
        shown = new (SceneRole?, int?)[height, width];
        foreach (var disc in plane.Discs)
        {
            Draw(disc);
        }
        letters = [.. field.Rows.Select(row => row.ToCharArray())];
        foreach (var disc in plane.Discs)
        {
            Write(disc);
        }
    }

    /// <summary>From the top.</summary>
    public Run[][] Lines
        => [[new($"┌{new string('─', width)}┐")], .. Enumerable.Range(0, height).Select(Line), [new($"└{new string('─', width)}┘")]];

    /// <summary>Where a point lies, in dots from the left and from the top.</summary>
    private (double Column, double Row) Place(Disc disc) => ((disc.X + extent) * scale, (extent - disc.Y) * scale);

    private static (SceneRole?, int?) Shown(Disc disc) => (disc.Role, disc.Role.IsAgent() ? disc.Agent : null);

    private void Draw(Disc disc)
    {
        const double least = 0.75; // even the smallest disc sets the dot nearest to its center
        var (x, y) = Place(disc);
        double outer = Math.Max(least, disc.Radius * scale);
        double inner = disc.Role.IsAgent() || disc.Role == SceneRole.Target ? -1 : outer - 1;
        for (int row = Math.Max(0, (int)(y - outer)); row <= Math.Min(dots - 1, (int)(y + outer + 1)); row++)
        {
            for (int column = Math.Max(0, (int)(x - outer)); column <= Math.Min(dots - 1, (int)(x + outer + 1)); column++)
            {
                double distance = Math.Sqrt((column - x) * (column - x) + (row - y) * (row - y));
                if (distance <= outer && distance > inner)
                {
                    field.Set(column, row);
                    shown[row / BrailleField.Down, column / BrailleField.Across] = Shown(disc);
                }
            }
        }
    }

    /// <summary>An agent's letter and what it says; on a goal that is meant for one agent, that one's letter in small.</summary>
    private void Write(Disc disc)
    {
        string name = disc.Agent is int agent ? Performance.Letter(agent) : "";
        string text = (disc.Role.IsAgent() ? name : name.ToLowerInvariant()) + disc.Label;
        var (x, y) = Place(disc);
        int row = (int)Math.Round(y) / BrailleField.Down, column = (int)Math.Round(x) / BrailleField.Across;
        for (int i = 0; i < text.Length && column + i < width; i++)
        {
            (letters[row][column + i], shown[row, column + i]) = (text[i], Shown(disc));
        }
    }

    private Run[] Line(int row)
    {
        List<Run> runs = [new("│")];
        var text = new StringBuilder();
        for (int column = 0; column < width; column++)
        {
            text.Append(letters[row][column]);
            if (column == width - 1 || shown[row, column] != shown[row, column + 1])
            {
                runs.Add(new(text.ToString(), shown[row, column].Role, Agent: shown[row, column].Agent));
                text.Clear();
            }
        }
        return [.. runs, new("│")];
    }
}
