using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Characters of one kind.</summary>
/// <param name="Text">what is written.</param>
/// <param name="Role">what it shows; null for the empty ground.</param>
/// <param name="Fills">whether it stands for a whole cell, and not for a stroke.</param>
/// <param name="Agent">the agent that it shows, if any.</param>
internal readonly record struct Run(string Text, SceneRole? Role = null, bool Fills = false, int? Agent = null);

/// <summary>Scenes as lines of characters that can be told apart without colors.</summary>
internal static class SceneText
{
    /// <summary>Height in lines of a plane, unless there is less room.</summary>
    public const int MostHeight = 22;

    /// <summary>The lines of a scene, from the top.</summary>
    /// <param name="scene">what is shown.</param>
    /// <param name="height">lines that a plane takes, its frame included; a grid takes one per row, no scene takes none.</param>
    public static Run[][] Lines(Scene? scene, int height = MostHeight) => scene switch
    {
        GridScene grid => Grid(grid),
        PlaneScene plane => new PlaneText(plane, Math.Max(4, height - 2)).Lines,
        _ => [],
    };

    /// <summary>The lines without colors.</summary>
    public static IEnumerable<string> Plain(Scene? scene, int height = MostHeight)
        => Lines(scene, height).Select(line => string.Concat(line.Select(run => run.Text)).TrimEnd());

    /// <summary>The signs in a scene with their meanings, "G goal"; none without a scene.</summary>
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
            string sign = role.IsAgent() ? Performance.Letter(Array.FindIndex(performance.Spec.Agents, agent => SceneRoles.OfTeam(agent.Team) == role))
                : scene is PlaneScene ? role == SceneRole.Target ? "●" : "○" : label is null ? Sign(role) : label;
            entries.Add($"{sign} {performance.RoleName(role)}");
        }
        if (scene is GridScene { Sprites: var sprites } && sprites.Any(sprite => sprite.Facing != Facing.None))
        {
            entries.Add("beside an agent: □ ■ carried, ▫ ▪ above it");
        }
        return [.. entries];
    }

    /// <summary>Entries in as few lines as they fit in.</summary>
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

    /// <summary>What stands on top, and of agents also what they carry or stand under.</summary>
    private static Run Cell(Sprite[] sprites)
    {
        if (sprites.Length == 0)
        {
            return new("·");
        }
        var top = sprites[^1];
        if (!top.Role.IsAgent())
        {
            return new(top.Label ?? Sign(top.Role), top.Role, Fills: true);
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

    private static string Sign(SceneRole role) => role switch
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
