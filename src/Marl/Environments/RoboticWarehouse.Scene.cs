namespace Marl.Native.Rl;

/// <content>What there is to see: the floor, shelves, of which some are requested, and agents.</content>
internal sealed partial class RoboticWarehouse : IRenderable
{
    private static readonly string[] actionNames = ["nothing", "forward", "left", "right", "lift/drop"];

    /// <inheritdoc/>
    public Scene Render() => new GridScene(plan.Rows, plan.Cols,
    [
        .. plan.Homes.Select(home => At(SceneRole.Place, home)),
        .. plan.Goals.Select(goal => At(SceneRole.Goal, goal)),
        .. Enumerable.Range(1, plan.Homes.Length).Select(
            shelf => At(requested[shelf] ? SceneRole.Wanted : SceneRole.Thing, shelfCells[shelf])),
        .. agents.Select((agent, i) => At(SceneRole.Agent, agent.Cell) with
        {
            Agent = i,
            Facing = Facing.Up + agent.Direction,
            Carries = agent.Carried != NoShelf,
        }),
    ]);

    /// <inheritdoc/>
    public string ActionName(int agent, int action) => actionNames[action];

    private Sprite At(SceneRole role, int cell) => new(role, plan.Y(cell), plan.X(cell));
}
