using System.Globalization;

namespace Marl.Native.Rl;

/// <summary>An environment that can be shown. It describes the objects and their positions; <c>marl play</c> chooses symbols and colors. Implement it together with
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
    /// <summary>Returns the scene at the current step of an episode; null if there is none. The type of scene and the size of a grid never change.</summary>
    Scene? Render();

    /// <summary>Returns the name of an action; by default its index.</summary>
    string ActionName(int agent, int action) => action.ToString(CultureInfo.InvariantCulture);

    /// <summary>Returns the name of a role for legends: "food", "shelf"; if its objects have labels, also their meaning. By default the name of the role in
    /// lower case.</summary>
    string RoleName(SceneRole role) => role.ToString().ToLowerInvariant();
}

/// <summary>The objects of an environment at one step: a <see cref="GridScene"/> or a <see cref="PlaneScene"/>.</summary>
public abstract record Scene;

/// <summary>A grid with objects in its cells.</summary>
/// <param name="Rows">The number of rows; row 0 is at the top.</param>
/// <param name="Cols">The number of columns; column 0 is at the left.</param>
/// <param name="Sprites">The objects; those in the same cell from bottom to top.</param>
public sealed record GridScene(int Rows, int Cols, IReadOnlyList<Sprite> Sprites) : Scene;

/// <summary>A plane with discs; x points right and y up.</summary>
/// <param name="Extent">The usual range of x and y, -Extent .. Extent: the initial view of a live display.</param>
/// <param name="Discs">The objects, from bottom to top; those of a role keep their order throughout an episode.</param>
public sealed record PlaneScene(double Extent, IReadOnlyList<Disc> Discs) : Scene
{
    /// <summary>Half the side of the square around the origin that contains all discs and the usual extent.</summary>
    public double Reach
        => Discs.Select(disc => Math.Max(Math.Abs(disc.X), Math.Abs(disc.Y)) + disc.Radius).Append(Extent).Max();
}

/// <summary>An object in a cell of a grid.</summary>
/// <param name="Role">The role.</param>
/// <param name="Row">The row; 0 is at the top.</param>
/// <param name="Col">The column; 0 is at the left.</param>
public readonly record struct Sprite(SceneRole Role, int Row, int Col)
{
    /// <summary>The index of the agent that it shows; of other objects, the only agent to which they belong. Null if there is none.</summary>
    public int? Agent { get; init; }

    /// <summary>A short text shown on it, for example a level.</summary>
    public string? Label { get; init; }

    /// <summary>The direction in which it faces.</summary>
    public Facing Facing { get; init; }

    /// <summary>Whether it carries the item or target in its cell.</summary>
    public bool Carries { get; init; }
}

/// <summary>A round object in the plane.</summary>
/// <param name="Role">The role.</param>
/// <param name="X">The x coordinate of the center.</param>
/// <param name="Y">The y coordinate of the center.</param>
/// <param name="Radius">The radius.</param>
public readonly record struct Disc(SceneRole Role, double X, double Y, double Radius)
{
    /// <inheritdoc cref="Sprite.Agent"/>
    public int? Agent { get; init; }

    /// <summary>A short text shown beside it, for example the message of an agent.</summary>
    public string? Label { get; init; }
}

/// <summary>The role of an object for the agents. It determines color and shape.</summary>
public enum SceneRole
{
    /// <summary>A marked part of the ground.</summary>
    Floor,
    /// <summary>A place to reach, or to bring objects to.</summary>
    Goal,
    /// <summary>A place where agents can hide.</summary>
    Shelter,
    /// <summary>An object that is neither a goal nor a target: a landmark, a shelf.</summary>
    Item,
    /// <summary>An object that agents seek: food, prey, a requested shelf.</summary>
    Target,
    /// <summary>An agent of the first team.</summary>
    Agent,
    /// <summary>An agent of another team.</summary>
    Opponent,
}

/// <summary>The direction in which an object faces.</summary>
public enum Facing
{
    /// <summary>None.</summary>
    None,
    /// <summary>Toward the row above.</summary>
    Up,
    /// <summary>Toward the row below.</summary>
    Down,
    /// <summary>Toward the column to the left.</summary>
    Left,
    /// <summary>Toward the column to the right.</summary>
    Right,
}

/// <summary>Methods of <see cref="SceneRole"/>.</summary>
public static class SceneRoles
{
    /// <summary>Returns the role of an agent of a team, see <see cref="AgentSpec.Team"/>.</summary>
    public static SceneRole OfTeam(int team) => team == 0 ? SceneRole.Agent : SceneRole.Opponent;

    /// <summary>Returns whether a role is that of agents.</summary>
    public static bool IsAgent(this SceneRole role) => role is SceneRole.Agent or SceneRole.Opponent;

    /// <summary>Returns whether a role is a part of the ground, below all other objects.</summary>
    public static bool IsGround(this SceneRole role) => role is SceneRole.Floor or SceneRole.Goal or SceneRole.Shelter;
}
