using System.Xml.Linq;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Draws grid scenes as SVG. Agents move smoothly from cell to cell with what they carry; other objects appear and disappear.</summary>
internal static class GridSvg
{
    private const double Canvas = 480, MinCell = 12, MaxCell = 96;

    /// <summary>Returns the animated content and its size.</summary>
    public static (IEnumerable<XElement> Content, double Width, double Height) Draw(Recording recording, Timeline timeline, int rows, int cols)
    {
        double cell = Math.Clamp(Math.Floor(Canvas / Math.Max(rows, cols)), MinCell, MaxCell);
        GridScene[] grids = [.. recording.Frames.Select(frame => (GridScene)frame.Scene!)];
        var lines = SceneSvg.Element("path", ("class", "lines"), ("d", string.Concat(
            [
                .. Enumerable.Range(0, cols + 1).Select(col => $"M{SceneSvg.Number(col * cell)} 0v{SceneSvg.Number(rows * cell)}"),
                .. Enumerable.Range(0, rows + 1).Select(row => $"M0 {SceneSvg.Number(row * cell)}h{SceneSvg.Number(cols * cell)}"),
            ])));
        var agents = Enumerable.Range(0, recording.Agents).Select(agent => Agent(grids, agent, timeline, cell)).OfType<XElement>();
        return ([lines, .. Things(grids, timeline, cell), .. agents], cols * cell, rows * cell);
    }

    /// <summary>Returns the symbol of a role, centered at the origin.</summary>
    public static XElement Square(SceneRole role, double cell)
    {
        double side = cell * (role.IsGround() ? 0.92 : 0.76);
        return SceneSvg.Element("rect", ("class", FrameJson.NameOf(role)), ("x", SceneSvg.Number(-side / 2)), ("y", SceneSvg.Number(-side / 2)),
            ("width", SceneSvg.Number(side)), ("height", SceneSvg.Number(side)), ("rx", SceneSvg.Number(0.12 * cell)));
    }

    /// <summary>Returns the symbol of a role while an agent carries the object.</summary>
    public static XElement Load(SceneRole role, double cell)
    {
        var square = Square(role, cell);
        square.SetAttributeValue("class", $"{FrameJson.NameOf(role)} load");
        return square;
    }

    private static IEnumerable<XElement> Things(GridScene[] grids, Timeline timeline, double cell)
    {
        Dictionary<Sprite, bool[]> things = [];
        for (int frame = 0; frame < grids.Length; frame++)
        {
            foreach (var sprite in grids[frame].Sprites.Where(sprite => !sprite.Role.IsAgent() && !IsCarried(grids[frame], sprite)))
            {
                if (!things.TryGetValue(sprite, out bool[]? visible))
                {
                    things[sprite] = visible = new bool[grids.Length];
                }
                visible[frame] = true;
            }
        }
        foreach (var (sprite, visible) in things.OrderBy(thing => !thing.Key.Role.IsGround()).ThenBy(thing => thing.Key.Role))
        {
            var shape = SceneSvg.Element("g", ("transform", Place((sprite.Col + 0.5) * cell, (sprite.Row + 0.5) * cell, "translate(", ")")));
            shape.Add(Square(sprite.Role, cell));
            if (sprite.Label is { } label)
            {
                shape.Add(SceneSvg.Label(label, 0, 0, 0.42 * cell, 0.72 * cell, sprite.Role == SceneRole.Target ? "var(--on-target)" : null));
            }
            timeline.Show(shape, visible);
            yield return shape;
        }
    }

    /// <summary>Returns an agent with its direction, label and load; null if it is in no frame.</summary>
    private static XElement? Agent(GridScene[] grids, int agent, Timeline timeline, double cell)
    {
        var there = new Sprite?[grids.Length];
        for (int frame = 0; frame < grids.Length; frame++)
        {
            there[frame] = grids[frame].Sprites.Where(sprite => sprite.Role.IsAgent() && sprite.Agent == agent)
                .Select(sprite => (Sprite?)sprite).FirstOrDefault();
        }
        if (Array.Find(there, sprite => sprite is not null) is not { } first)
        {
            return null;
        }
        // While it is absent it keeps its last position.
        var sprites = new Sprite[grids.Length];
        for (int frame = 0; frame < grids.Length; frame++)
        {
            sprites[frame] = there[frame] ?? (frame > 0 ? sprites[frame - 1] : first);
        }
        var shape = SceneSvg.Element("g", ("class", "agent"));
        timeline.Show(shape, [.. there.Select(sprite => sprite is not null)]);
        var body = SceneSvg.Element("g");
        shape.Add(body);
        timeline.Transform(body, "translate", [.. sprites.Select((sprite, frame) => Place(grids[frame], sprite, cell))]);
        foreach (var role in (SceneRole[])[SceneRole.Item, SceneRole.Target])
        {
            bool[] carries = [.. sprites.Select((sprite, frame) =>
                sprite.Carries && grids[frame].Sprites.Any(other => other.Role == role && IsAt(other, sprite)))];
            if (carries.Contains(true))
            {
                var load = Load(role, 1.08 * cell);
                timeline.Show(load, carries);
                body.Add(load);
            }
        }
        double radius = 0.32 * cell;
        if (sprites.Any(sprite => sprite.Facing != Facing.None))
        {
            var arrow = SceneSvg.Element("path", ("class", "arrow"),
                ("d", $"M{SceneSvg.Number(0.47 * cell)} 0L{Place(0.2 * cell, 0.27 * cell)}V{SceneSvg.Number(-0.27 * cell)}Z"));
            timeline.Transform(arrow, "rotate", Angles(sprites));
            body.Add(arrow);
        }
        body.Add(SceneSvg.Badge(agent, first.Role, radius));
        foreach (string label in sprites.Select(sprite => sprite.Label).OfType<string>().Distinct())
        {
            var tag = SceneSvg.Element("g", ("transform", Place(0.29 * cell, 0.29 * cell, "translate(", ")")));
            tag.Add(SceneSvg.Element("circle", ("class", "tag"), ("r", SceneSvg.Number(0.17 * cell))),
                SceneSvg.Label(label, 0, 0, 0.25 * cell, 0.28 * cell));
            timeline.Show(tag, [.. sprites.Select(sprite => sprite.Label == label)]);
            body.Add(tag);
        }
        return shape;
    }

    /// <summary>Returns the directions in degrees clockwise from the right; a rotation takes the shorter way.</summary>
    private static string[] Angles(Sprite[] sprites)
    {
        string[] angles = new string[sprites.Length];
        int angle = 0;
        for (int i = 0; i < angles.Length; i++)
        {
            int target = sprites[i].Facing switch { Facing.Down => 90, Facing.Left => 180, Facing.Up => 270, _ => 0 };
            angle += ((target - angle) % 360 + 540) % 360 - 180;
            angles[i] = FormattableString.Invariant($"{angle}");
        }
        return angles;
    }

    /// <summary>Returns the center of a sprite's cell; agents that share a cell are placed around the center.</summary>
    private static string Place(GridScene grid, Sprite sprite, double cell)
    {
        Sprite[] here = [.. grid.Sprites.Where(other => other.Role.IsAgent() && IsAt(other, sprite))];
        int index = Array.FindIndex(here, other => other.Agent == sprite.Agent);
        var (across, down) = here.Length < 2 || index < 0 ? (0, 0) : Math.SinCos(2 * Math.PI * (index + 0.75) / here.Length);
        return Place((sprite.Col + 0.5 + 0.18 * across) * cell, (sprite.Row + 0.5 + 0.18 * down) * cell);
    }

    private static string Place(double x, double y, string before = "", string after = "") => $"{before}{SceneSvg.Number(x)} {SceneSvg.Number(y)}{after}";

    private static bool IsAt(Sprite a, Sprite b) => (a.Row, a.Col) == (b.Row, b.Col);

    private static bool IsCarried(GridScene grid, Sprite thing) => !thing.Role.IsGround() && grid.Sprites.Any(sprite => sprite.Carries && IsAt(sprite, thing));
}
