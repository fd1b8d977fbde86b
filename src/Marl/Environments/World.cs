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
    public int Reward(int world, int agent) => Rewards + world * rewardStep + 2 * agent * Stride;

    /// <summary>The first element of an observation.</summary>
    public int Observation(int world, int agent) => Observations + (world * Agents + agent) * ObservationSize;

    /// <summary>Returns the generator of a world's environment.</summary>
    public Rng ReadGenerator<TMemory>(TMemory memory, int world) where TMemory : struct, IMemory<TMemory>, allows ref struct => ReadGenerator(memory, world, 0);

    /// <summary>Returns the generator of a world's actions.</summary>
    public Rng ReadActionGenerator<TMemory>(TMemory memory, int world) where TMemory : struct, IMemory<TMemory>, allows ref struct => ReadGenerator(memory, world, 2);

    /// <summary>Saves the generator of a world's environment; its key never changes.</summary>
    public void WriteGenerator<TMemory>(TMemory memory, int world, Rng rng) where TMemory : struct, IMemory<TMemory>, allows ref struct
        => memory.At(Generators).Write(4 * world + 1, rng.Counter);

    /// <summary>Saves the generator of a world's actions; its key never changes.</summary>
    public void WriteActionGenerator<TMemory>(TMemory memory, int world, Rng rng) where TMemory : struct, IMemory<TMemory>, allows ref struct
        => memory.At(Generators).Write(4 * world + 3, rng.Counter);

    /// <summary>Writes the generators of a world.</summary>
    public void WriteGenerators<TMemory>(TMemory memory, int world, Rng environment, Rng actions) where TMemory : struct, IMemory<TMemory>, allows ref struct
    {
        var generators = memory.At(Generators);
        generators.Write(4 * world, environment.Key);
        generators.Write(4 * world + 1, environment.Counter);
        generators.Write(4 * world + 2, actions.Key);
        generators.Write(4 * world + 3, actions.Counter);
    }

    private Rng ReadGenerator<TMemory>(TMemory memory, int world, int offset) where TMemory : struct, IMemory<TMemory>, allows ref struct
    {
        var generators = memory.At(Generators);
        return new(generators.ReadUInt64(4 * world + offset), generators.ReadUInt64(4 * world + offset + 1));
    }

    /// <summary>The result of the last step of a world.</summary>
    public int Result(int world) => Results + world;
}

/// <summary>One of the worlds in a memory.</summary>
internal readonly ref struct World<TMemory> : IWorld where TMemory : struct, IMemory<TMemory>, allows ref struct
{
    private readonly TMemory state, actions, rewards, observation, constants;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public World(TMemory memory, in WorldLayout layout, int world, int agent = 0)
    {
        state = memory.At(layout.State(world), layout.Stride);
        actions = memory.At(layout.Action(world, 0), layout.Stride);
        rewards = memory.At(layout.Reward(world, 0), layout.Stride);
        observation = memory.At(layout.Observation(world, agent));
        constants = memory;
    }

    public int this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => state.ReadInt(index);
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        set => state.Write(index, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Constant(int index) => constants.ReadDouble(index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Action(int agent) => actions.ReadInt(agent);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetReward(int agent, double reward) => rewards.Write(agent, reward);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetObservation(int index, float value) => observation.Write(index, value);
}
