namespace Marl.Native.Rl;

/// <summary>
/// The layout of the actions of all agents: K discrete branches of W choices each, followed by a vector of D elements. A network has A = K W + D outputs per
/// agent and a mask as many elements. Agents with fewer branches, choices or elements are padded; padding is not available.
/// </summary>
/// <param name="Branches">K, the number of discrete branches: 1 if an action is an index, 0 if it is a vector only.</param>
/// <param name="BranchSize">W, the number of choices of the largest branch.</param>
/// <param name="VectorSize">D, the length of the longest vector; 0 if no action has a continuous part.</param>
public readonly record struct ActionLayout(int Branches, int BranchSize, int VectorSize)
{
    /// <summary>A = K W + D, the number of outputs of a network, and of elements of a mask.</summary>
    public int Size => VectorStart + VectorSize;

    /// <summary>K W, the index of the first element of the vector.</summary>
    internal int VectorStart => Branches * BranchSize;

    /// <summary>A as a number that does not overflow.</summary>
    internal long Elements => (long)Branches * BranchSize + VectorSize;

    /// <summary>Returns the layout of the actions of <paramref name="agents"/>; does not allocate.</summary>
    internal static ActionLayout Of(ReadOnlySpan<AgentSpec> agents)
    {
        var (branches, branchSize, vectorSize) = (0, 0, 0);
        foreach (ref readonly var agent in agents)
        {
            branches = Math.Max(branches, agent.BranchCount);
            vectorSize = Math.Max(vectorSize, agent.VectorSize);
            for (int branch = 0; branch < agent.BranchCount; branch++)
            {
                branchSize = Math.Max(branchSize, agent.BranchSize(branch));
            }
        }
        return new(branches, branchSize, vectorSize);
    }

    /// <summary>Returns the elements of a branch in an output or a mask [A].</summary>
    internal Range Branch(int branch) => (branch * BranchSize)..((branch + 1) * BranchSize);

    /// <summary>Moves the parts of an agent's mask [<see cref="AgentSpec.ActionCount"/>], which begins at element 0, to their places in the layout, and
    /// clears the padding.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="mask">[A] The mask.</param>
    internal void Pad(in AgentSpec agent, Span<bool> mask)
    {
        int end = agent.ActionCount;
        // From the last part to the first: a part never moves to a smaller index.
        Move(mask, ref end, agent.VectorSize, VectorStart, VectorSize);
        for (int branch = Branches - 1; branch >= 0; branch--)
        {
            Move(mask, ref end, branch < agent.BranchCount ? agent.BranchSize(branch) : 0, branch * BranchSize, BranchSize);
        }

        static void Move(Span<bool> mask, ref int end, int count, int start, int width)
        {
            end -= count;
            mask.Slice(end, count).CopyTo(mask[start..]);
            mask.Slice(start + count, width - count).Clear();
        }
    }
}
