using System.Globalization;

namespace Marl.Native.Rl;

/// <content>The scene: players and food with their levels.</content>
internal sealed partial class LevelBasedForaging : IRenderable
{
    private static readonly string[] actionNames = ["nothing", "north", "south", "west", "east", "load"];

    /// <inheritdoc/>
    public Scene? Render() => new GridScene(config.Rows, config.Cols,
    [
        .. from food in foods
           where food.Level > 0
           select new Sprite(SceneRole.Target, food.Row, food.Col) { Label = Level(food) },
        .. players.Select((player, i) => new Sprite(SceneRole.Agent, player.Row, player.Col) { Agent = i, Label = Level(player) }),
    ]);

    /// <inheritdoc/>
    public string ActionName(int agent, int action) => actionNames[action];

    /// <inheritdoc/>
    public string RoleName(SceneRole role) => role == SceneRole.Target ? "food (number: level)" : "agent (number: level)";

    private static string Level(Piece piece) => piece.Level.ToString(CultureInfo.InvariantCulture);
}
