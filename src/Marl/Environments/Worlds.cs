namespace Marl.Native.Rl;

/// <summary>A number of worlds with the same rules in the memory of a device, which are stepped at once.</summary>
internal abstract class Worlds
{
    /// <summary>Creates the memory of worlds, in which no episode is in progress.</summary>
    /// <param name="spec">The specification of the environment.</param>
    /// <param name="stateSize">The elements of a world's state.</param>
    /// <param name="constants">The constants of the environment.</param>
    /// <param name="count">The number of worlds.</param>
    /// <param name="device">The device.</param>
    /// <param name="additional">The number of elements after those of the worlds, for the caller.</param>
    protected Worlds(EnvironmentSpec spec, int stateSize, ReadOnlySpan<double> constants, int count, Device device, int additional)
    {
        Spec = spec;
        Layout = new(spec, stateSize, constants.Length, count, interleaved: device != Device.Cpu);
        Memory = device.Zeros(new Shape(Layout.Size + additional));
        float[] values = new float[2 * constants.Length];
        WriteConstants(constants, values);
        device.Write(values, Memory.Slice(0, values.Length));
        float[] counts = new float[spec.Agents.Length];
        for (int agent = 0; agent < counts.Length; agent++)
        {
            new HostMemory(counts).Write(agent, spec.Agents[agent].ActionCount);
        }
        device.Write(counts, Memory.Slice(Layout.ActionCounts, counts.Length));
    }

    /// <summary>The specification of the environment.</summary>
    public EnvironmentSpec Spec { get; }

    /// <summary>Where their elements are in the memory.</summary>
    public WorldLayout Layout { get; }

    /// <summary>The elements of all worlds.</summary>
    public Tensor Memory { get; }

    /// <summary>[worlds, N, O] The observations of the last <see cref="Observe"/>.</summary>
    public Tensor Observations
        => Memory.Slice(Layout.Observations, Layout.Count * Layout.Agents * Layout.ObservationSize).Reshape(Layout.Count, Layout.Agents, Layout.ObservationSize);

    /// <summary>Sets the generators of the environment and of the actions of all worlds.</summary>
    public void SetGenerators(ReadOnlySpan<Rng> environments, ReadOnlySpan<Rng> actions)
    {
        float[] values = new float[Layout.Generators + 8 * Layout.Count];
        var memory = new HostMemory(values);
        for (int i = 0; i < Layout.Count; i++)
        {
            Layout.WriteGenerators(memory, i, environments[i], actions[i]);
        }
        Memory.Device.Write(values.AsSpan(Layout.Generators), Memory.Slice(Layout.Generators, 8 * Layout.Count));
    }

    /// <summary>Draws uniformly random actions from the generators of the actions.</summary>
    public void ActRandomly() => Memory.Device.ForEach(new RandomActionsOfWorld { Layout = Layout }, Layout.Count, Memory);

    /// <summary>Begins an episode in every world whose last step ended one, or in all.</summary>
    public abstract void Reset(bool all);

    /// <summary>Advances every world by its actions.</summary>
    public abstract void Step();

    /// <summary>Writes the observations of all agents.</summary>
    public abstract void Observe();

    /// <summary>Stores doubles bit by bit.</summary>
    internal static void WriteConstants(ReadOnlySpan<double> constants, Span<float> values)
    {
        var memory = new HostMemory(values);
        for (int i = 0; i < constants.Length; i++)
        {
            memory.Write(i, constants[i]);
        }
    }
}

/// <inheritdoc/>
/// <typeparam name="TRules">The rules.</typeparam>
internal sealed class Worlds<TRules> : Worlds where TRules : unmanaged, IBatchEnvironment
{
    private readonly TRules rules;

    /// <inheritdoc cref="Worlds(EnvironmentSpec, int, ReadOnlySpan{double}, int, Device, int)"/>
    public Worlds(TRules rules, EnvironmentSpec spec, ReadOnlySpan<double> constants, int count, Device device, int additional)
        : base(spec, rules.StateSize, constants, count, device, additional) => this.rules = rules;

    /// <inheritdoc/>
    public override void Reset(bool all)
        => Memory.Device.ForEach(new ResetWorld<TRules> { Rules = rules, Layout = Layout, All = all ? 1 : 0 }, Layout.Count, Memory);

    /// <inheritdoc/>
    public override void Step() => Memory.Device.ForEach(new StepWorld<TRules> { Rules = rules, Layout = Layout }, Layout.Count, Memory);

    /// <inheritdoc/>
    public override void Observe()
        => Memory.Device.ForEach(new ObserveWorld<TRules> { Rules = rules, Layout = Layout }, Layout.Count, Memory);
}

/// <summary>Begins an episode in a world.</summary>
internal struct ResetWorld<TRules> : ILoopBody where TRules : unmanaged, IBatchEnvironment
{
    public TRules Rules;
    public WorldLayout Layout;

    /// <summary>0: only if the last step ended the episode.</summary>
    public int All;

    public readonly void Run<TMemory>(int index, TMemory memory, TMemory second, TMemory third) where TMemory : struct, IMemory<TMemory>, allows ref struct
    {
        if (All != 0 || memory.ReadInt(Layout.Result(index)) != (int)StepResult.Running)
        {
            var rng = Layout.ReadGenerator(memory, index);
            Rules.Reset(new World<TMemory>(memory, Layout, index), ref rng);
            Layout.WriteGenerator(memory, index, rng);
        }
    }
}

/// <summary>Advances a world by its actions.</summary>
internal struct StepWorld<TRules> : ILoopBody where TRules : unmanaged, IBatchEnvironment
{
    public TRules Rules;
    public WorldLayout Layout;

    public readonly void Run<TMemory>(int index, TMemory memory, TMemory second, TMemory third) where TMemory : struct, IMemory<TMemory>, allows ref struct
    {
        var rng = Layout.ReadGenerator(memory, index);
        memory.Write(Layout.Result(index), (int)Rules.Step(new World<TMemory>(memory, Layout, index), ref rng));
        Layout.WriteGenerator(memory, index, rng);
    }
}

/// <summary>Writes the observations of all agents of a world.</summary>
internal struct ObserveWorld<TRules> : ILoopBody where TRules : unmanaged, IBatchEnvironment
{
    public TRules Rules;
    public WorldLayout Layout;

    public readonly void Run<TMemory>(int index, TMemory memory, TMemory second, TMemory third) where TMemory : struct, IMemory<TMemory>, allows ref struct
    {
        for (int agent = 0; agent < Layout.Agents; agent++)
        {
            Rules.Observe(new World<TMemory>(memory, Layout, index, agent), agent);
        }
    }
}

/// <summary>Draws uniformly random actions.</summary>
internal struct RandomActionsOfWorld : ILoopBody
{
    public WorldLayout Layout;

    public readonly void Run<TMemory>(int index, TMemory memory, TMemory second, TMemory third) where TMemory : struct, IMemory<TMemory>, allows ref struct
    {
        var rng = Layout.ReadActionGenerator(memory, index);
        for (int agent = 0; agent < Layout.Agents; agent++)
        {
            memory.Write(Layout.Action(index, agent), rng.NextInt(memory.ReadInt(Layout.ActionCounts + agent)));
        }
        Layout.WriteActionGenerator(memory, index, rng);
    }
}
