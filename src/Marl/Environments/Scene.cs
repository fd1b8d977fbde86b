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
    /// <summary>The scene at the present step of an episode; null if there is none to show. The kind of scene and the size of a grid never change.</summary>
    Scene? Render();

    /// <summary>The name of an action; by default its index.</summary>
    string ActionName(int agent, int action) => action.ToString(CultureInfo.InvariantCulture);

    /// <summary>What legends call the things of a role: food, shelf, ..; where they have labels, also what a label means. By default the role's name in lower
    /// case.</summary>
    string RoleName(SceneRole role) => role.ToString().ToLowerInvariant();
}

/// <summary>What is where at one step: a <see cref="GridScene"/> or a <see cref="PlaneScene"/>.</summary>
public abstract record Scene;

/// <summary>Things in the cells of a grid.</summary>
/// <param name="Rows">number of rows, row 0 at the top.</param>
/// <param name="Cols">number of columns, column 0 at the left.</param>
/// <param name="Sprites">the things; of those in one cell the lowest first.</param>
public sealed record GridScene(int Rows, int Cols, IReadOnlyList<Sprite> Sprites) : Scene;

/// <summary>Discs in the plane, x to the right and y up.</summary>
/// <param name="Extent">x and y usually lie in -Extent .. Extent; a view that does not know what comes begins with this square.</param>
/// <param name="Discs">the things, those of a role in the same order throughout an episode; where they overlap the lowest first.</param>
public sealed record PlaneScene(double Extent, IReadOnlyList<Disc> Discs) : Scene
{
    /// <summary>Half the side of the square around the origin that holds all discs and the usual extent.</summary>
    public double Reach
        => Discs.Select(disc => Math.Max(Math.Abs(disc.X), Math.Abs(disc.Y)) + disc.Radius).Append(Extent).Max();
}

/// <summary>A thing in a cell of a grid.</summary>
/// <param name="Role">what it is.</param>
/// <param name="Row">0 is the top.</param>
/// <param name="Col">0 is the left.</param>
public readonly record struct Sprite(SceneRole Role, int Row, int Col)
{
    /// <summary>The agent that it is, or the only one that it matters to.</summary>
    public int? Agent { get; init; }

    /// <summary>A few characters shown on it, a level for example.</summary>
    public string? Label { get; init; }

    /// <summary>The direction in which it faces.</summary>
    public Facing Facing { get; init; }

    /// <summary>Whether it carries the item or target in its cell.</summary>
    public bool Carries { get; init; }
}

/// <summary>A round thing in the plane.</summary>
/// <param name="Role">what it is.</param>
/// <param name="X">of its center.</param>
/// <param name="Y">of its center.</param>
/// <param name="Radius">its radius.</param>
public readonly record struct Disc(SceneRole Role, double X, double Y, double Radius)
{
    /// <inheritdoc cref="Sprite.Agent"/>
    public int? Agent { get; init; }

    /// <summary>A few characters shown at it, the message of an agent for example.</summary>
    public string? Label { get; init; }
}

/// <summary>What a thing is to the agents. It decides color and shape.</summary>
public enum SceneRole
{
    /// <summary>A marked part of the ground.</summary>
    Floor,
    /// <summary>Where agents have to go, or to bring things.</summary>
    Goal,
    /// <summary>Where agents can hide.</summary>
    Shelter,
    /// <summary>A thing that is neither a goal nor a target: a landmark, a shelf.</summary>
    Item,
    /// <summary>What agents seek: food, prey, a requested shelf.</summary>
    Target,
    /// <summary>An agent of the first team.</summary>
    Agent,
    /// <summary>An agent of another team.</summary>
    Opponent,
}

/// <summary>The direction in which something faces.</summary>
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

/// <summary>Properties of roles.</summary>
public static class SceneRoles
{
    /// <summary>The role of an agent of this team, see <see cref="AgentSpec.Team"/>.</summary>
    public static SceneRole OfTeam(int team) => team == 0 ? SceneRole.Agent : SceneRole.Opponent;

    /// <summary>Whether it is an agent.</summary>
    public static bool IsAgent(this SceneRole role) => role is SceneRole.Agent or SceneRole.Opponent;

    /// <summary>Whether it is a part of the ground, under everything else.</summary>
    public static bool IsGround(this SceneRole role) => role is SceneRole.Floor or SceneRole.Goal or SceneRole.Shelter;
}
