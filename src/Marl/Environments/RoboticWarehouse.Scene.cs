namespace Marl.Native.Rl;

/// <content>The scene: shelf locations, goals, shelves (some of them requested) and agents.</content>
internal sealed partial class RoboticWarehouse : IRenderable
{
    private static readonly string[] actionNames = ["nothing", "forward", "left", "right", "lift/drop"];

    /// <inheritdoc/>
    public Scene? Render() => new GridScene(plan.Rows, plan.Cols,
    [
        .. plan.Homes.Select(home => At(SceneRole.Floor, home)),
        .. plan.Goals.Select(goal => At(SceneRole.Goal, goal)),
        .. Enumerable.Range(1, plan.Homes.Length).Select(
            shelf => At(requested[shelf] ? SceneRole.Target : SceneRole.Item, shelfCells[shelf])),
        .. agents.Select((agent, i) => At(SceneRole.Agent, agent.Cell) with
        {
            Agent = i,
            Facing = Facing.Up + agent.Direction,
            Carries = agent.Carried != NoShelf,
        }),
    ]);

    /// <inheritdoc/>
    public string ActionName(int agent, int action) => actionNames[action];

    /// <inheritdoc/>
    public string RoleName(SceneRole role) => role switch
    {
        SceneRole.Floor => "shelf location",
        SceneRole.Goal => "goal",
        SceneRole.Item => "shelf",
        SceneRole.Target => "requested shelf",
        _ => "agent",
    };

    private Sprite At(SceneRole role, int cell) => new(role, plan.Y(cell), plan.X(cell));
}
