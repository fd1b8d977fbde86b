using System.Runtime.CompilerServices;

namespace Marl.Native.Rl;

/// <summary>The actions of all agents in a step: discrete, <c>actions[agent]</c>, or continuous, <c>actions.Vector(agent)</c>, as the specification says
/// (<see cref="AgentSpec.Box"/>).</summary>
[CollectionBuilder(typeof(JointAction), nameof(Create))]
public readonly ref struct JointAction
{
    private readonly ReadOnlySpan<float> vectors;
    private readonly int width;

    private JointAction(ReadOnlySpan<int> indices, ReadOnlySpan<float> vectors, int width)
    {
        Indices = indices;
        this.vectors = vectors;
        this.width = width;
    }

    /// <summary>[N] The indices of discrete actions; empty if actions are continuous.</summary>
    public ReadOnlySpan<int> Indices { get; }

    /// <summary>Creates a joint action of discrete actions.</summary>
    /// <param name="indices">[N] The indices of the actions.</param>
    public static JointAction Create(ReadOnlySpan<int> indices) => new(indices, default, 0);

    /// <summary>Creates a joint action of continuous actions.</summary>
    /// <param name="vectors">[N, D] The actions, each padded to the longest.</param>
    /// <param name="width">D, the length of the longest action.</param>
    public static JointAction Create(ReadOnlySpan<float> vectors, int width) => new(default, vectors, width);

    /// <inheritdoc cref="Create(ReadOnlySpan{int})"/>
    public static implicit operator JointAction(ReadOnlySpan<int> indices) => Create(indices);

    /// <inheritdoc cref="Create(ReadOnlySpan{int})"/>
    public static implicit operator JointAction(int[] indices) => Create(indices);

    /// <summary>The discrete action of an agent, 0 .. <see cref="AgentSpec.ActionCount"/> - 1.</summary>
    public int this[int agent] => Indices[agent];

    /// <summary>Returns the continuous action of an agent [D]; an agent with a shorter action reads the first elements.</summary>
    /// <exception cref="InvalidOperationException">The actions are discrete.</exception>
    public ReadOnlySpan<float> Vector(int agent) => width > 0 ? vectors.Slice(agent * width, width)
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
