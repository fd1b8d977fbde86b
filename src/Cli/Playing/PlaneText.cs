using System.Text;
using Marl.Native.Cli.Reporting;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>A plane scene as a framed square of braille characters: agents and targets are discs, other objects circles; agents have letters.</summary>
internal sealed class PlaneText
{
    /// <summary>The size of the view relative to the scene.</summary>
    private const double Margin = 1.05;

    private readonly int width, height, dots;
    private readonly double extent, scale;
    private readonly BrailleField field;
    private readonly char[][] letters;
    // The role and the agent that each character shows.
    private readonly (SceneRole? Role, int? Agent)[,] shown;

    /// <summary>Draws a scene.</summary>
    /// <param name="plane">The scene; the view is larger if a disc lies outside of its extent.</param>
    /// <param name="height">The number of lines without the frame.</param>
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

    /// <summary>The lines from the top.</summary>
    public Run[][] Lines
        => [[new($"┌{new string('─', width)}┐")], .. Enumerable.Range(0, height).Select(Line), [new($"└{new string('─', width)}┘")]];

    /// <summary>Returns the position of a disc in dots from the left and from the top.</summary>
    private (double Column, double Row) Place(Disc disc) => ((disc.X + extent) * scale, (extent - disc.Y) * scale);

    private static (SceneRole?, int?) Shown(Disc disc) => (disc.Role, disc.Role.IsAgent() ? disc.Agent : null);

    private void Draw(Disc disc)
    {
        const double minRadius = 0.75; // even the smallest disc sets the dot nearest to its center
        var (x, y) = Place(disc);
        double outer = Math.Max(minRadius, disc.Radius * scale);
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

    /// <summary>Writes the letter and the label of an agent; on a goal of only one agent, its lower-case letter.</summary>
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
