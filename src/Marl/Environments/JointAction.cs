using System.Runtime.CompilerServices;

namespace Marl.Native.Rl;

/// <summary>The actions of all agents in a step, as the specification says (<see cref="AgentSpec"/>): discrete, <c>actions[agent]</c>, or several discrete
/// branches, <c>actions.Branches(agent)</c>; continuous, <c>actions.Vector(agent)</c>; or both.</summary>
[CollectionBuilder(typeof(JointAction), nameof(Create))]
public readonly ref struct JointAction
{
    private readonly ReadOnlySpan<float> vectors;
    private readonly int branches;

    private JointAction(ReadOnlySpan<int> indices, int branches, ReadOnlySpan<float> vectors, int width)
    {
        Indices = indices;
        this.vectors = vectors;
        (this.branches, VectorSize) = (branches, width);
    }

    /// <summary>[N] The indices of discrete actions, or [N, K] of all branches; empty if actions are continuous.</summary>
    public ReadOnlySpan<int> Indices { get; }

    /// <summary>D, the length of the longest continuous action; 0 if actions are discrete.</summary>
    internal int VectorSize { get; }

    /// <summary>Creates a joint action of discrete actions.</summary>
    /// <param name="indices">[N] The indices of the actions.</param>
    public static JointAction Create(ReadOnlySpan<int> indices) => new(indices, 1, default, 0);

    /// <summary>Creates a joint action of continuous actions.</summary>
    /// <param name="vectors">[N, D] The actions, each padded to the longest.</param>
    /// <param name="width">D, the length of the longest action.</param>
    public static JointAction Create(ReadOnlySpan<float> vectors, int width) => new(default, 0, vectors, width);

    /// <summary>Creates a joint action of actions with several branches, and with a continuous part if <paramref name="width"/> is not 0.</summary>
    /// <param name="indices">[N, K] The index of the choice in each branch; 0 for branches that an agent lacks.</param>
    /// <param name="branches">K, the largest number of branches.</param>
    /// <param name="vectors">[N, D] The continuous parts, each padded to the longest.</param>
    /// <param name="width">D, the length of the longest continuous part.</param>
    public static JointAction Create(ReadOnlySpan<int> indices, int branches, ReadOnlySpan<float> vectors = default, int width = 0)
        => new(indices, branches, vectors, width);

    /// <inheritdoc cref="Create(ReadOnlySpan{int})"/>
    public static implicit operator JointAction(ReadOnlySpan<int> indices) => Create(indices);

    /// <inheritdoc cref="Create(ReadOnlySpan{int})"/>
    public static implicit operator JointAction(int[] indices) => Create(indices);

    /// <summary>The discrete action of an agent with one branch, 0 .. <see cref="AgentSpec.ActionCount"/> - 1.</summary>
    /// <exception cref="InvalidOperationException">Actions are continuous, or agents have several branches.</exception>
    public int this[int agent] => branches == 1 ? Indices[agent]
        : throw new InvalidOperationException(branches == 0 ? "the actions are continuous; use actions.Vector(agent)"
            : "the actions have several branches; use actions.Branches(agent)");

    /// <summary>Returns the choice of an agent in each branch [K]; an agent with fewer branches reads the first elements.</summary>
    public ReadOnlySpan<int> Branches(int agent) => Indices.Slice(agent * branches, branches);

    /// <summary>Returns the continuous action of an agent [D]; an agent with a shorter action reads the first elements.</summary>
    /// <exception cref="InvalidOperationException">The actions are discrete.</exception>
    public ReadOnlySpan<float> Vector(int agent) => VectorSize > 0 ? vectors.Slice(agent * VectorSize, VectorSize)
        : throw new InvalidOperationException("the actions are discrete; use actions[agent]");

    /// <summary>Enumerates the indices of discrete actions.</summary>
    public ReadOnlySpan<int>.Enumerator GetEnumerator() => Indices.GetEnumerator();
}

/// <summary>The bounds of every element of a continuous action.</summary>
/// <param name="Low">The lower bound.</param>
/// <param name="High">The upper bound.</param>
public readonly record struct ActionBox(float Low, float High)
{
    /// <summary>The center of the interval.</summary>
    public float Center => 0.5f * (Low + High);

    /// <summary>Half the width of the interval.</summary>
    public float HalfWidth => 0.5f * (High - Low);

    /// <summary>Returns <paramref name="x"/> clamped to the bounds.</summary>
    public float Clamp(float x) => Math.Clamp(x, Low, High);
}
