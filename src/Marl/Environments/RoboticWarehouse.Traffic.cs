namespace Marl.Native.Rl;

/// <content>
/// Conflict resolution of moves. Every agent has a target cell; an agent in the target cell of another is followed by it. A chain of followers ends at an
/// agent that does not move (no agent of the chain moves), in a cycle (its agents move if it is longer than two, its other followers do not) or at a free
/// cell. Of the chains that end at the same free cell only the longest moves.
/// </content>
internal sealed partial class RoboticWarehouse
{
    // By agent: its target cell, the length of the longest chain that follows it, and whether it moves.
    private readonly int[] targets, followers;
    private readonly bool[] canMove;
    // For breaking ties.
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

    /// <summary>Returns whether a cell is blocked: by a wall or, for an agent that carries a shelf, by another shelf that is not being carried.</summary>
    private bool IsBlocked(int carried, int cell)
    {
        if (plan.Floor[cell] == Ground.Wall)
        {
            return true;
        }

        return carried != NoShelf && shelfAt[cell] != NoShelf && (agentAt[cell] == NoAgent || agents[agentAt[cell] - 1].Carried == NoShelf);
    }

    /// <summary>Follows the chain of agents in front of an agent: updates the lengths of followers, and lets the agent move if the chain is a cycle.</summary>
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

    /// <summary>Moves the longest chain that ends at a free cell.</summary>
    private void MoveLongestChain(int free)
    {
        for (int cell = free; FindLongestChain(cell, free) is var first and >= 0; cell = agents[first].Cell)
        {
            canMove[first] = true;
        }
    }

    /// <summary>Returns the agent with the target <paramref name="cell"/> that is followed by the longest chain; -1 if there is none.</summary>
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

    /// <summary>Breaks a tie between chains of equal length like the original, whose choice depends on the order in which its graph library lists the cells
    /// of the component that ends at the cell <paramref name="free"/>: the order of the whole graph or, if the component is less than half of it, that of a
    /// hash table.</summary>
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
            // The original fills a hash table from another one, so the cells are sorted twice.
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

    /// <summary>Lists every agent's cell and target, in the order of the agents.</summary>
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

    /// <summary>Lists the component of <paramref name="start"/> breadth first: for each cell the target of its agent, then the cells whose agents have it as
    /// their target.</summary>
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
