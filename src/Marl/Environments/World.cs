using System.Runtime.CompilerServices;

namespace Marl.Native.Rl;

/// <summary>Where the elements of worlds are in a tensor: constants, rewards, generators, action counts, states, actions, results,
/// observations.</summary>
/// <remarks>On the CPU the elements of a world are adjacent. On a GPU the same element of all worlds is, because neighboring threads step neighboring
/// worlds.</remarks>
internal readonly struct WorldLayout
{
    public readonly int Count, Agents, ObservationSize, StateSize, Stride, Rewards, Generators, ActionCounts, States, Results, Observations, Size;
    private readonly int stateStep, rewardStep;

    /// <summary>Creates the layout of a number of worlds.</summary>
    /// <param name="spec">The specification of the environment.</param>
    /// <param name="stateSize">The elements of a world's state.</param>
    /// <param name="constants">The number of constants.</param>
    /// <param name="count">The number of worlds.</param>
    /// <param name="interleaved">Whether the same element of all worlds is adjacent.</param>
    public WorldLayout(EnvironmentSpec spec, int stateSize, int constants, int count, bool interleaved)
    {
        (Count, Agents, ObservationSize, StateSize) = (count, spec.Agents.Length, spec.ObservationSize, stateSize);
        (Stride, stateStep, rewardStep) = interleaved ? (count, 1, 2) : (1, stateSize + Agents, 2 * Agents);
        int elements = stateSize + Agents;
        // Eight-byte values come first, at even indices.
        Rewards = 2 * constants;
        Generators = Rewards + 2 * count * Agents;
        ActionCounts = Generators + 8 * count;
        States = ActionCounts + Agents;
        Results = States + count * elements;
        Observations = Results + count;
        Size = checked(Observations + count * Agents * ObservationSize + 1 & ~1);
    }

    /// <summary>The first element of the state of a world; its actions follow.</summary>
    public int State(int world) => States + world * stateStep;

    /// <summary>The action of an agent.</summary>
    public int Action(int world, int agent) => State(world) + (StateSize + agent) * Stride;

    /// <summary>The reward of an agent.</summary>
    public int Reward(int world, int agent = 0) => Rewards + world * rewardStep + 2 * agent * Stride;

    /// <summary>The first element of an observation.</summary>
    public int Observation(int world, int agent) => Observations + (world * Agents + agent) * ObservationSize;

    /// <summary>Returns the generator of a world's environment.</summary>
    public Rng ReadGenerator<TMemory>(TMemory memory, int world) where TMemory : struct, IMemory, allows ref struct => ReadGenerator(memory, world, 0);

    /// <summary>Returns the generator of a world's actions.</summary>
    public Rng ReadActionGenerator<TMemory>(TMemory memory, int world) where TMemory : struct, IMemory, allows ref struct => ReadGenerator(memory, world, 4);

    /// <summary>Saves the generator of a world's environment; its key never changes.</summary>
    public void WriteGenerator<TMemory>(TMemory memory, int world, Rng rng) where TMemory : struct, IMemory, allows ref struct
        => memory.Write(Generators + 8 * world + 2, rng.Counter);

    /// <summary>Saves the generator of a world's actions; its key never changes.</summary>
    public void WriteActionGenerator<TMemory>(TMemory memory, int world, Rng rng) where TMemory : struct, IMemory, allows ref struct
        => memory.Write(Generators + 8 * world + 6, rng.Counter);

    private Rng ReadGenerator<TMemory>(TMemory memory, int world, int offset) where TMemory : struct, IMemory, allows ref struct
        => new(memory.ReadUInt64(Generators + 8 * world + offset), memory.ReadUInt64(Generators + 8 * world + offset + 2));

    /// <summary>The result of the last step of a world.</summary>
    public int Result(int world) => Results + world;
}

/// <summary>One of the worlds in a memory.</summary>
internal readonly ref struct World<TMemory> : IWorld where TMemory : struct, IMemory, allows ref struct
{
    private readonly TMemory memory;
    private readonly int state, stride, actions, rewards, observation;

    public World(TMemory memory, in WorldLayout layout, int world, int agent = 0)
    {
        this.memory = memory;
        (state, stride) = (layout.State(world), layout.Stride);
        (actions, rewards, observation) = (state + layout.StateSize * stride, layout.Reward(world), layout.Observation(world, agent));
    }

    public int this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => memory.ReadInt(state + index * stride);
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        set => memory.Write(state + index * stride, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Constant(int index) => memory.ReadDouble(2 * index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Action(int agent) => memory.ReadInt(actions + agent * stride);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetReward(int agent, double reward) => memory.Write(rewards + 2 * agent * stride, reward);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetObservation(int index, float value) => memory.Write(observation + index, value);
}
