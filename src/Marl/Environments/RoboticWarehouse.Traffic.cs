namespace Marl.Native.Rl;

/// <content>
/// Who drives when several want to. Every agent wants one cell; whoever stands in a cell that somebody wants is followed. A chain of
/// followers leads to an agent that stays (all are rejected), into a circle (it turns if it is longer than two, but without those who
/// follow it from outside) or to a free cell. Of all the chains that lead to the same free cell only the longest train drives.
/// </content>
internal sealed partial class RoboticWarehouse
{
    // By agent: the cell it wants, the longest chain of agents behind it, and what was decided.
    private readonly int[] targets, followers;
    private readonly bool[] canMove;
    // For ties.
    private readonly int[] allCells, component;
    private readonly CellTable cellTable;

    private void ResolveMoves(JointAction actions)
    {
        bool any = false;
        for (int i = 0; i < agents.Length; i++)
        {
            int cell = agents[i].Cell, ahead = cell + offsets[agents[i].Direction];
            targets[i] = actions[i] == Forward && !IsBlocked(agents[i].Carried, ahead) ? ahead : cell;
            followers[i] = 0;
            canMove[i] = false;
            any |= targets[i] != cell;
        }
        if (!any)
        {
            return;
        }

        for (int i = 0; i < agents.Length; i++)
        {
            if (WantsToMove(i))
            {
                FollowChain(i);
            }
        }
        for (int i = 0; i < agents.Length; i++)
        {
            if (WantsToMove(i) && agentAt[targets[i]] == NoAgent)
            {
                MoveLongestChain(targets[i]);
            }
        }
    }

    private bool WantsToMove(int i) => targets[i] != agents[i].Cell;

    /// <summary>By a wall; with a shelf also by another shelf, unless that is being carried itself and so may leave.</summary>
    private bool IsBlocked(int carried, int cell)
    {
        if (plan.Floor[cell] == Ground.Wall)
        {
            return true;
        }

        return carried != NoShelf && shelfAt[cell] != NoShelf && (agentAt[cell] == NoAgent || agents[agentAt[cell] - 1].Carried == NoShelf);
    }

    /// <summary>From an agent to the one in front of it and so on: counts followers, and lets the agent drive if the chain comes back
    /// to it.</summary>
    private void FollowChain(int i)
    {
        int leader = i;
        for (int length = 1; length <= agents.Length; length++)
        {
            int next = agentAt[targets[leader]] - 1;
            if (next < 0 || next == leader)
            {
                return;
            }

            if (next == i)
            {
                canMove[i] = length > 2;
                return;
            }
            followers[next] = Math.Max(followers[next], length);
            leader = next;
        }
    }

    /// <summary>Walks back from the free cell, at each fork to where most follow.</summary>
    private void MoveLongestChain(int free)
    {
        for (int cell = free; FindLongestChain(cell, free) is var first and >= 0; cell = agents[first].Cell)
        {
            canMove[first] = true;
        }
    }

    /// <summary>Of the agents that want to drive into <paramref name="cell"/> the one with the longest chain behind it; -1 if none
    /// does.</summary>
    private int FindLongestChain(int cell, int free)
    {
        int best = -1;
        for (int i = 0; i < agents.Length; i++)
        {
            if (targets[i] != cell || !WantsToMove(i))
            {
                continue;
            }

            if (best < 0 || followers[i] > followers[best] || (followers[i] == followers[best] && WinsTie(i, best, free)))
            {
                best = i;
            }
        }
        return best;
    }

    /// <summary>Between equally long trains the original's choice hangs on the order in which its graph library lists the cells of the
    /// component that ends in the cell <paramref name="free"/>: that of the whole graph or, where the component is less than half of it,
    /// that of a hash table.</summary>
    private bool WinsTie(int agent, int other, int free)
    {
        int count = ListAllCells(), size = ListComponent(free);
        ReadOnlySpan<int> order = allCells.AsSpan(0, count);
        if (2 * size < count)
        {
            int first = 0;
            while (!component.AsSpan(0, size).Contains(allCells[first]))
            {
                first++;
            }

            ListComponent(allCells[first]);
            order = component.AsSpan(0, size);
            // One table was filled from another, so the order is that of a table filled in the order of a table.
            for (int pass = 0; pass < 2; pass++)
            {
                SortAsTable(component.AsSpan(0, size));
            }
        }
        return order.IndexOf(agents[agent].Cell) < order.IndexOf(agents[other].Cell);
    }

    private void SortAsTable(Span<int> cells)
    {
        cellTable.Clear();
        foreach (int cell in cells)
        {
            cellTable.Add(cell, plan.X(cell), plan.Y(cell));
        }

        cellTable.CopyTo(cells);
    }

    /// <summary>Every agent's cell and the cell it wants, in the order of the agents.</summary>
    private int ListAllCells()
    {
        int count = 0;
        for (int i = 0; i < agents.Length; i++)
        {
            AddNew(allCells, ref count, agents[i].Cell);
            AddNew(allCells, ref count, targets[i]);
        }
        return count;
    }

    /// <summary>Breadth first from <paramref name="start"/>: of each cell what is wanted from there, then those from where it is
    /// wanted.</summary>
    private int ListComponent(int start)
    {
        int count = 0;
        AddNew(component, ref count, start);
        for (int next = 0; next < count; next++)
        {
            int cell = component[next];
            if (agentAt[cell] != NoAgent)
            {
                AddNew(component, ref count, targets[agentAt[cell] - 1]);
            }

            for (int i = 0; i < agents.Length; i++)
            {
                if (targets[i] == cell)
                {
                    AddNew(component, ref count, agents[i].Cell);
                }
            }
        }
        return count;
    }

    private static void AddNew(int[] cells, ref int count, int cell)
    {
        if (!cells.AsSpan(0, count).Contains(cell))
        {
            cells[count++] = cell;
        }
    }
}
