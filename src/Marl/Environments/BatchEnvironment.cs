namespace Marl.Native.Rl;

/// <summary>An environment with the rules of an <see cref="IBatchEnvironment"/>: one world of them. Training on a GPU steps all worlds there
/// (docs/own-environment.md).</summary>
/// <typeparam name="TRules">The rules.</typeparam>
public abstract class BatchEnvironment<TRules> : IEnvironment, IBatched where TRules : unmanaged, IBatchEnvironment
{
    private readonly TRules rules;
    private readonly double[] constants;
    private readonly float[] memory;
    private readonly WorldLayout layout;

    /// <summary>Creates an environment.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="spec">The specification. The global state consists of the first <see cref="EnvironmentSpec.StateSize"/> elements of the concatenated
    /// observations.</param>
    /// <param name="constants">What <see cref="IWorld.Constant"/> returns.</param>
    protected BatchEnvironment(TRules rules, EnvironmentSpec spec, params double[] constants)
    {
        (this.rules, Spec, this.constants) = (rules, spec, constants);
        layout = new(spec, rules.StateSize, constants.Length, count: 1, interleaved: false);
        memory = new float[layout.Size];
        Worlds.WriteConstants(constants, memory);
    }

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; }

    /// <summary>The rules.</summary>
    protected TRules Rules => rules;

    /// <summary>The constants.</summary>
    protected ReadOnlySpan<double> Constants => constants;

    /// <summary>Returns an element of the state.</summary>
    protected int State(int index) => World()[index];

    /// <inheritdoc/>
    public void Reset(ref Rng rng) => rules.Reset(World(), ref rng);

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        var values = new HostMemory(memory);
        for (int agent = 0; agent < layout.Agents; agent++)
        {
            values.Write(layout.Action(0, agent), actions[agent]);
        }
        var result = rules.Step(World(), ref rng);
        for (int agent = 0; agent < layout.Agents; agent++)
        {
            rewards[agent] = values.ReadDouble(layout.Reward(0, agent) / 2);
        }
        return result;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation)
    {
        rules.Observe(World(agent), agent);
        memory.AsSpan(layout.Observation(0, agent), observation.Length).CopyTo(observation);
    }

    /// <inheritdoc/>
    public void ReadState(Span<float> state)
    {
        for (int agent = 0; !state.IsEmpty; agent++)
        {
            int size = Math.Min(Spec.Agents[agent].ObservationSize, state.Length);
            Observe(agent, state[..size]);
            state = state[size..];
        }
    }

    /// <inheritdoc/>
    public void Save(Span<double> snapshot)
    {
        var world = World();
        for (int i = 0; i < snapshot.Length; i++)
        {
            snapshot[i] = world[i];
        }
    }

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        var world = World();
        for (int i = 0; i < rules.StateSize; i++)
        {
            world[i] = i < snapshot.Length ? (int)snapshot[i] : 0;
        }
    }

    Worlds IBatched.CreateWorlds(int count, Device device, int additional)
        => new Worlds<TRules>(rules, Spec, constants, count, device, additional);

    private World<HostMemory> World(int agent = 0) => new(new(memory), layout, world: 0, agent);
}
