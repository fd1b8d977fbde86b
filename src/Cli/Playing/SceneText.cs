using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Characters of one kind.</summary>
/// <param name="Text">what is written.</param>
/// <param name="Role">what it shows; null for the empty ground.</param>
/// <param name="Fills">whether it stands for a whole cell, and not for a stroke.</param>
internal readonly record struct Run(string Text, SceneRole? Role = null, bool Fills = false);

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

    /// <summary>What the signs of a scene mean that do not explain themselves; null if there are none.</summary>
    public static string? Legend(Scene? scene)
    {
        if (scene is not GridScene grid || !grid.Sprites.Any(sprite => sprite is { Role: SceneRole.Thing or SceneRole.Wanted, Label: null }))
        {
            return null;
        }
        string goal = grid.Sprites.Any(sprite => sprite.Role == SceneRole.Goal) ? ", G goal, _ place" : "";
        return $"□ thing, ■ wanted{goal}; beside an agent: □ ■ carried, ▫ ▪ above it";
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
        string beside = sprites.Select(sprite => sprite.Role).LastOrDefault(role => role is SceneRole.Thing or SceneRole.Wanted) switch
        {
            SceneRole.Wanted => top.Carries ? "■" : "▪",
            SceneRole.Thing => top.Carries ? "□" : "▫",
            _ => "",
        };
        return new($"{Performance.Name(top.Agent ?? 0)}{Arrow(top.Facing)}{top.Label}{beside}", top.Role, Fills: true);
    }

    private static string Sign(SceneRole role) => role switch
    {
        SceneRole.Place => "_",
        SceneRole.Goal => "G",
        SceneRole.Shelter => "░",
        SceneRole.Thing => "□",
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
