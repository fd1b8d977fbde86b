using System.Globalization;

namespace Marl.Native.Rl;

/// <content>The scene: landmarks, and agents with their last messages.</content>
internal abstract partial class ParticleEnvironment : IRenderable
{
    private static readonly string[] moveNames = ["nothing", "left", "right", "down", "up"];
    private static readonly string[] originalMoveNames = ["nothing", "right", "left", "up", "down"];

    /// <inheritdoc/>
    public Scene? Render()
    {
        var landmarks = setup.Landmarks.Select((body, landmark) =>
            Place(RoleOf(landmark), World.BodyOf(landmark), body) with { Agent = MeantFor(landmark) });
        var agents = setup.Agents.Select((agent, i) =>
            Place(SceneRoles.OfTeam(agent.Team), i, agent.Body) with { Agent = i, Label = LastSymbol(i) });
        // Forests are at the bottom, so that objects in them are visible.
        return new PlaneScene(1, [.. landmarks.OrderBy(disc => disc.Role), .. agents]);
    }

    /// <inheritdoc/>
    public string ActionName(int agent, int action)
    {
        var spec = setup.Agents[agent];
        if (!spec.Body.Movable)
        {
            return Say(action);
        }

        string move = (Rules.Original ? originalMoveNames : moveNames)[action % ParticleActions.Moves];
        return spec.Symbols == 0 ? move : $"{move}, {Say(action / ParticleActions.Moves)}";

        static string Say(int symbol) => string.Create(CultureInfo.InvariantCulture, $"say {symbol}");
    }

    /// <inheritdoc/>
    public string RoleName(SceneRole role) => role switch
    {
        SceneRole.Goal => "goal landmark",
        SceneRole.Shelter => "forest",
        SceneRole.Item => "landmark",
        SceneRole.Target => "food",
        SceneRole.Agent => setup.Agents.Any(agent => agent.Symbols > 0) ? "agent (bubble: message)" : "agent",
        _ => "opponent",
    };

    /// <summary>Returns the role of a landmark; by default a goal if it was drawn as one.</summary>
    private protected virtual SceneRole RoleOf(int landmark) => Goals.Contains(landmark) ? SceneRole.Goal : SceneRole.Item;

    /// <summary>Returns the only agent for which a landmark is the goal; null, the default, if it is that of all agents.</summary>
    private protected virtual int? MeantFor(int landmark) => null;

    private Disc Place(SceneRole role, int body, ParticleBody shape)
        => new(role, World.Positions[body].X, World.Positions[body].Y, shape.Size);

    /// <summary>Returns the symbol with the largest weight in an agent's last message; null if the message is empty.</summary>
    private string? LastSymbol(int agent)
    {
        var message = Message(agent)[..setup.Agents[agent].Symbols];
        int largest = 0;
        for (int symbol = 1; symbol < message.Length; symbol++)
        {
            largest = message[symbol] > message[largest] ? symbol : largest;
        }

        return message.ContainsAnyExcept(0f) ? largest.ToString(CultureInfo.InvariantCulture) : null;
    }
}
