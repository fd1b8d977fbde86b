namespace Marl.Native.Rl;

/// <content>Snapshots.</content>
internal sealed partial class RoboticWarehouse
{
    /// <summary>Writes the step; x, y, direction and carried shelf (0: none) of each agent; x and y of each shelf; the requested shelves; the steps without a
    /// delivery if they are limited; and for each agent whether the second half of a reward is pending (0 or 1).</summary>
    public void Save(Span<double> snapshot)
    {
        int end = 0;
        snapshot[end++] = step;
        foreach (ref readonly var agent in agents.AsSpan())
        {
            snapshot[end++] = plan.X(agent.Cell);
            snapshot[end++] = plan.Y(agent.Cell);
            snapshot[end++] = agent.Direction;
            snapshot[end++] = agent.Carried;
        }
        foreach (int cell in shelfCells.AsSpan(1))
        {
            snapshot[end++] = plan.X(cell);
            snapshot[end++] = plan.Y(cell);
        }
        foreach (int shelf in queue)
        {
            snapshot[end++] = shelf;
        }

        snapshot[end++] = stepsWithoutDelivery;
        foreach (ref readonly var agent in agents.AsSpan())
        {
            snapshot[end++] = agent.HasDelivered ? 1 : 0;
        }
    }

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        Clear();
        int end = 0;
        step = (int)snapshot[end++];
        for (int i = 0; i < agents.Length; i++, end += Agent.SnapshotSize)
        {
            PlaceAgent(i, plan.Cell((int)snapshot[end], (int)snapshot[end + 1]), (int)snapshot[end + 2]);
            agents[i].Carried = (short)snapshot[end + 3];
        }
        for (int shelf = 1; shelf < shelfCells.Length; shelf++, end += 2)
        {
            PlaceShelf(shelf, plan.Cell((int)snapshot[end], (int)snapshot[end + 1]));
        }

        for (int slot = 0; slot < queue.Length; slot++)
        {
            Request(slot, (int)snapshot[end++]);
        }

        stepsWithoutDelivery = (int)snapshot[end++];
        foreach (ref var agent in agents.AsSpan())
        {
            agent.HasDelivered = snapshot[end++] != 0;
        }

        UpdateAllCells();
    }
}
