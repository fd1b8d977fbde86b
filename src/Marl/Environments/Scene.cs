using System.Globalization;

namespace Marl.Native.Rl;

/// <summary>An environment that can be shown. It lists what is where and draws nothing; <c>marl play</c> chooses signs and colors. Implement it beside
/// <see cref="IEnvironment"/>.</summary>
/// <example>
/// An agent in a corridor of five cells with a goal at its end:
/// <code>
/// public sealed class Corridor : IRenderable
/// {
///     public int Position { get; set; }
///     public Scene Render() => new GridScene(1, 5, [new Sprite(SceneRole.Goal, 0, 4), new Sprite(SceneRole.Agent, 0, Position) { Agent = 0 }]);
///     public string ActionName(int agent, int action) => action == 0 ? "left" : "right";
/// }
/// </code>
/// </example>
public interface IRenderable
{
    /// <summary>What there is to see, once an episode has begun.</summary>
    Scene Render();

    /// <summary>A word for an action, for people; by default its number.</summary>
    string ActionName(int agent, int action) => action.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What there is to see at one moment: a <see cref="GridScene"/> or a <see cref="PlaneScene"/>.</summary>
public abstract record Scene;

/// <summary>Things in the cells of a grid.</summary>
/// <param name="Rows">cells from top to bottom.</param>
/// <param name="Cols">cells from left to right.</param>
/// <param name="Sprites">what is there; of those in one cell the lowest comes first.</param>
public sealed record GridScene(int Rows, int Cols, IReadOnlyList<Sprite> Sprites) : Scene;

/// <summary>Discs in the plane, x to the right and y up.</summary>
/// <param name="Extent">x and y usually lie within plus and minus this; things may leave it.</param>
/// <param name="Discs">what is there; where discs overlap the lowest comes first.</param>
public sealed record PlaneScene(double Extent, IReadOnlyList<Disc> Discs) : Scene
{
    /// <summary>How far everything that is there now reaches: the extent, or more if something has left it.</summary>
    public double Reach
        => Discs.Select(disc => Math.Max(Math.Abs(disc.X), Math.Abs(disc.Y)) + disc.Radius).Append(Extent).Max();
}

/// <summary>Something in a cell.</summary>
/// <param name="Role">what it is.</param>
/// <param name="Row">0 is the top.</param>
/// <param name="Col">0 is the left.</param>
public readonly record struct Sprite(SceneRole Role, int Row, int Col)
{
    /// <summary>The agent that it is, or that it is meant for.</summary>
    public int? Agent { get; init; }

    /// <summary>A few letters to show on it: a level, for example.</summary>
    public string? Label { get; init; }

    /// <summary>Where it looks.</summary>
    public Facing Facing { get; init; }

    /// <summary>Whether it carries the thing that is in its cell.</summary>
    public bool Carries { get; init; }
}

/// <summary>Something round in the plane.</summary>
/// <param name="Role">what it is.</param>
/// <param name="X">of its center.</param>
/// <param name="Y">of its center.</param>
/// <param name="Radius">its radius.</param>
public readonly record struct Disc(SceneRole Role, double X, double Y, double Radius)
{
    /// <inheritdoc cref="Sprite.Agent"/>
    public int? Agent { get; init; }

    /// <summary>A few letters to show on it: what an agent says, for example.</summary>
    public string? Label { get; init; }
}

/// <summary>What a thing is to those who play, and so how it is colored.</summary>
public enum SceneRole
{
    /// <summary>Ground where things belong.</summary>
    Place,
    /// <summary>Where to go, or where to bring things.</summary>
    Goal,
    /// <summary>Where one can hide.</summary>
    Shelter,
    /// <summary>In the way, or not wanted now.</summary>
    Thing,
    /// <summary>What agents are after.</summary>
    Wanted,
    /// <summary>An agent of the first team.</summary>
    Agent,
    /// <summary>An agent of another team.</summary>
    Rival,
}

/// <summary>Where something looks.</summary>
public enum Facing
{
    /// <summary>In no direction.</summary>
    None,
    /// <summary>To the row above.</summary>
    Up,
    /// <summary>To the row below.</summary>
    Down,
    /// <summary>To the column before.</summary>
    Left,
    /// <summary>To the column behind.</summary>
    Right,
}

/// <summary>What follows from a role.</summary>
public static class SceneRoles
{
    /// <summary>The role of an agent of this team, see <see cref="AgentSpec.Team"/>.</summary>
    public static SceneRole OfTeam(int team) => team == 0 ? SceneRole.Agent : SceneRole.Rival;

    /// <summary>Does it act?</summary>
    public static bool IsAgent(this SceneRole role) => role is SceneRole.Agent or SceneRole.Rival;

    /// <summary>Is it something that one stands on?</summary>
    public static bool IsGround(this SceneRole role) => role is SceneRole.Place or SceneRole.Goal or SceneRole.Shelter;
}
