using System.Globalization;

namespace Marl.Native.Rl;

/// <content>What there is to see: landmarks, agents, and what they said last.</content>
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
            Place(SceneRoles.OfTeam(agent.Team), i, agent.Body) with { Agent = i, Label = Saying(i) });
        // What lies in a forest is to be seen, so forests lie lowest.
        return new PlaneScene(1, [.. landmarks.OrderBy(disc => disc.Role), .. agents]);
    }

    /// <inheritdoc/>
    public string ActionName(int agent, int action)
    {
        var who = setup.Agents[agent];
        if (!who.Body.Movable)
        {
            return Say(action);
        }

        string move = (Rules.Original ? originalMoveNames : moveNames)[action % ParticleActions.Moves];
        return who.Symbols == 0 ? move : $"{move}, {Say(action / ParticleActions.Moves)}";

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

    /// <summary>What a landmark is: by default a goal if it was drawn for one.</summary>
    private protected virtual SceneRole RoleOf(int landmark) => Goals.Contains(landmark) ? SceneRole.Goal : SceneRole.Item;

    /// <summary>The only agent for which a landmark is the goal; none by default, for goals are everybody's.</summary>
    private protected virtual int? MeantFor(int landmark) => null;

    private Disc Place(SceneRole role, int body, ParticleBody shape)
        => new(role, World.Positions[body].X, World.Positions[body].Y, shape.Size);

    /// <summary>The symbol of greatest weight in an agent's last message; null if it kept silent.</summary>
    private string? Saying(int agent)
    {
        var message = Message(agent)[..setup.Agents[agent].Symbols];
        int loudest = 0;
        for (int symbol = 1; symbol < message.Length; symbol++)
        {
            loudest = message[symbol] > message[loudest] ? symbol : loudest;
        }

        return message.ContainsAnyExcept(0f) ? loudest.ToString(CultureInfo.InvariantCulture) : null;
    }
}
