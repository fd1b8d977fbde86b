using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>A run of characters with the same style.</summary>
/// <param name="Text">The characters.</param>
/// <param name="Role">The role that it shows; null for empty ground.</param>
/// <param name="Fills">Whether it fills a cell, so that the color is that of the background.</param>
/// <param name="Agent">The agent that it shows, if any.</param>
internal readonly record struct Run(string Text, SceneRole? Role = null, bool Fills = false, int? Agent = null);

/// <summary>Draws scenes as lines of text that can be read without colors.</summary>
internal static class SceneText
{
    /// <summary>The maximum height of a plane scene in lines.</summary>
    public const int MaxHeight = 22;

    /// <summary>Returns the lines of a scene from the top.</summary>
    /// <param name="scene">The scene; null has no lines.</param>
    /// <param name="height">The number of lines of a plane scene with its frame; a grid has one line per row.</param>
    public static Run[][] Lines(Scene? scene, int height = MaxHeight) => scene switch
    {
        GridScene grid => Grid(grid),
        PlaneScene plane => new PlaneText(plane, Math.Max(4, height - 2)).Lines,
        _ => [],
    };

    /// <summary>Returns the lines without styles.</summary>
    public static IEnumerable<string> Plain(Scene? scene, int height = MaxHeight)
        => Lines(scene, height).Select(line => string.Concat(line.Select(run => run.Text)).TrimEnd());

    /// <summary>Returns the symbols of a scene with their names: "G goal".</summary>
    public static string[] Legend(Scene? scene, Performance performance)
    {
        List<string> entries = [];
        IEnumerable<(SceneRole Role, string? Label)> things = scene switch
        {
            GridScene grid => grid.Sprites.Select(sprite => (sprite.Role, sprite.Label)),
            PlaneScene plane => plane.Discs.Select(disc => (disc.Role, (string?)null)),
            _ => [],
        };
        foreach (var (role, label) in things.DistinctBy(thing => thing.Role).OrderBy(thing => !thing.Role.IsAgent()).ThenByDescending(thing => thing.Role))
        {
            string symbol = role.IsAgent() ? Performance.Letter(Array.FindIndex(performance.Spec.Agents, agent => SceneRoles.OfTeam(agent.Team) == role))
                : scene is PlaneScene ? role == SceneRole.Target ? "●" : "○" : label is null ? Symbol(role) : label;
            entries.Add($"{symbol} {performance.RoleName(role)}");
        }
        if (scene is GridScene { Sprites: var sprites } && sprites.Any(sprite => sprite.Facing != Facing.None))
        {
            entries.Add("beside an agent: □ ■ carried, ▫ ▪ above it");
        }
        return [.. entries];
    }

    /// <summary>Joins entries into lines of at most <paramref name="width"/> columns.</summary>
    public static IEnumerable<string> Wrap(IEnumerable<string> entries, int width)
    {
        const string gap = "   ";
        string line = "";
        foreach (string entry in entries)
        {
            if (line.Length > 0 && line.Length + gap.Length + entry.Length > width)
            {
                yield return line;
                line = "";
            }
            line += line.Length == 0 ? entry : gap + entry;
        }
        if (line.Length > 0)
        {
            yield return line;
        }
    }

    private static Run[][] Grid(GridScene grid)
    {
        var cells = grid.Sprites.ToLookup(sprite => (sprite.Row, sprite.Col));
        Run[][] lines = [.. from row in Enumerable.Range(0, grid.Rows)
                            select (Run[])[.. from col in Enumerable.Range(0, grid.Cols) select Cell([.. cells[(row, col)]])]];
        int width = Math.Max(3, lines.Max(line => line.Max(run => run.Text.Length)));
        return [.. lines.Select(line => (Run[])[.. line.Select(run => run with { Text = Centered(run.Text, width) })])];
    }

    /// <summary>Returns the topmost object of a cell; of an agent also what it carries or stands under.</summary>
    private static Run Cell(Sprite[] sprites)
    {
        if (sprites.Length == 0)
        {
            return new("·");
        }
        var top = sprites[^1];
        if (!top.Role.IsAgent())
        {
            return new(top.Label ?? Symbol(top.Role), top.Role, Fills: true);
        }
        string beside = sprites.Select(sprite => sprite.Role).LastOrDefault(role => role is SceneRole.Item or SceneRole.Target) switch
        {
            SceneRole.Target => top.Carries ? "■" : "▪",
            SceneRole.Item => top.Carries ? "□" : "▫",
            _ => "",
        };
        string letter = top.Agent is int agent ? Performance.Letter(agent) : "?";
        return new($"{letter}{Arrow(top.Facing)}{top.Label}{beside}", top.Role, Fills: true, top.Agent);
    }

    private static string Symbol(SceneRole role) => role switch
    {
        SceneRole.Floor => "_",
        SceneRole.Goal => "G",
        SceneRole.Shelter => "░",
        SceneRole.Item => "□",
        _ => "■",
    };

    private static string Arrow(Facing facing) => facing switch
    {
        Facing.Up => "▲",
        Facing.Down => "▼",
        Facing.Left => "◀",
        Facing.Right => "▶",
        _ => "",
    };

    private static string Centered(string text, int width) => text.PadLeft((width + text.Length) / 2).PadRight(width);
}
