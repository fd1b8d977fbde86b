using System.Runtime.CompilerServices;

namespace Marl.Native.Rl;

/// <summary>What all agents do in a step: each an index, <c>actions[agent]</c>, or each some numbers, <c>actions.Vector(agent)</c>; which, the specification says
/// (<see cref="AgentSpec.Box"/>).</summary>
[CollectionBuilder(typeof(JointAction), nameof(Create))]
public readonly ref struct JointAction
{
    private readonly ReadOnlySpan<float> numbers;
    private readonly int width;

    private JointAction(ReadOnlySpan<int> indices, ReadOnlySpan<float> numbers, int width)
    {
        Indices = indices;
        this.numbers = numbers;
        this.width = width;
    }

    /// <summary>[N] the indices, where agents choose among actions.</summary>
    public ReadOnlySpan<int> Indices { get; }

    /// <summary>Of agents that choose among actions.</summary>
    /// <param name="indices">[N]</param>
    public static JointAction Create(ReadOnlySpan<int> indices) => new(indices, default, 0);

    /// <summary>Of agents whose actions are numbers.</summary>
    /// <param name="numbers">[N, D], one agent behind the other, each padded to the longest.</param>
    /// <param name="width">D</param>
    public static JointAction Create(ReadOnlySpan<float> numbers, int width) => new(default, numbers, width);

    /// <inheritdoc cref="Create(ReadOnlySpan{int})"/>
    public static implicit operator JointAction(ReadOnlySpan<int> indices) => Create(indices);

    /// <inheritdoc cref="Create(ReadOnlySpan{int})"/>
    public static implicit operator JointAction(int[] indices) => Create(indices);

    /// <summary>The index that an agent has chosen, 0 .. <see cref="AgentSpec.Actions"/> - 1.</summary>
    public int this[int agent] => Indices[agent];

    /// <summary>[D] an agent's numbers; one that has fewer than others reads the first.</summary>
    /// <exception cref="InvalidOperationException">the agents have chosen indices.</exception>
    public ReadOnlySpan<float> Vector(int agent) => width > 0 ? numbers.Slice(agent * width, width)
        : throw new InvalidOperationException("these are indices of actions; numbers are needed");

    /// <summary>The indices, one after the other.</summary>
    public ReadOnlySpan<int>.Enumerator GetEnumerator() => Indices.GetEnumerator();
}

/// <summary>The least and the greatest that each number of an action may be.</summary>
/// <param name="Low">the least.</param>
/// <param name="High">the greatest.</param>
public readonly record struct ActionBox(float Low, float High)
{
    /// <summary>Its middle.</summary>
    public float Center => 0.5f * (Low + High);

    /// <summary>How far it reaches from its middle.</summary>
    public float Radius => 0.5f * (High - Low);

    /// <summary>The nearest number within.</summary>
    public float Clamp(float x) => Math.Clamp(x, Low, High);
}
