using System.Globalization;

namespace Marl.Native.Rl;

/// <summary>
/// Level-Based Foraging v3 (Albrecht and Ramamoorthy 2013; Papoudakis et al. 2021; the lb-foraging package). Players move on a grid and load adjacent food; a
/// food is collected when the sum of the levels of the players that load it in the same step is at least its own level.
/// <para>Actions: 0 none, 1 north (row - 1), 2 south, 3 west (column - 1), 4 east, 5 load.</para>
/// <para>Observation [3F + 3P]: triples (row, column, level), relative to the top left corner of the observed area: the visible foods in row-major order,
/// then the player itself, then the other visible players; the remaining triples are (-1, -1, 0).</para>
/// <para>Reward of a loading player: own level * food level / (sum of the loading players' levels * sum of the episode's food levels), so that the maximum
/// return of all players is 1. Terminated when all food is collected, truncated at the limit (the original does not distinguish the two).</para>
/// </summary>
internal sealed class LevelBasedForaging : BatchEnvironment<Foraging>, IRenderable
{
    private static readonly string[] actionNames = ["nothing", "north", "south", "west", "east", "load"];

    /// <summary>Creates an empty field; Reset places players and food.</summary>
    /// <exception cref="UsageException">The configuration is not valid.</exception>
    public LevelBasedForaging(LbfConfig config) : base(new Foraging(config), SpecOf(config))
    {
    }

    /// <summary>Creates the environments lbf:... and lbf-v1:...; returns null for other ids.</summary>
    internal static IEnvironment? TryCreate(EnvironmentId id)
        => id.Name is "lbf" or "lbf-v1" ? new LevelBasedForaging(LbfConfig.Parse(id)) : null;

    /// <inheritdoc/>
    public Scene? Render()
    {
        return new GridScene(Rules.Rows, Rules.Cols,
        [
            .. from food in Pieces(Rules.Players, Rules.Foods)
               where food.Level > 0
               select new Sprite(SceneRole.Target, food.Row, food.Col) { Label = Label(food.Level) },
            .. Pieces(0, Rules.Players).Select((player, i) => new Sprite(SceneRole.Agent, player.Row, player.Col) { Agent = i, Label = Label(player.Level) }),
        ]);

        IEnumerable<(int Row, int Col, int Level)> Pieces(int first, int count)
            => Enumerable.Range(first, count).Select(i => 2 + 3 * i).Select(piece => (State(piece), State(piece + 1), State(piece + 2)));

        static string Label(int level) => level.ToString(CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public string ActionName(int agent, int action) => actionNames[action];

    /// <inheritdoc/>
    public string RoleName(SceneRole role) => role == SceneRole.Target ? "food (number: level)" : "agent (number: level)";

    private static EnvironmentSpec SpecOf(LbfConfig config)
    {
        config.Validate();
        var rules = new Foraging(config);
        return EnvironmentSpec.Uniform(config.Id, config.Players, 3 * (config.Players + config.Foods), actionNames.Length, config.EpisodeLimit,
            rules.SnapshotSize);
    }
}
