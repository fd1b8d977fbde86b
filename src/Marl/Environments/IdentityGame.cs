namespace Marl.Native.Rl;

/// <summary>
/// A minimal test problem: in every step each agent observes a random symbol of its own, one of K, and is rewarded with 1 if its action is the index of the
/// symbol, else with 0. Truncated after the last step.
/// <para>Observation [K]: the symbol, one-hot.</para>
/// </summary>
internal sealed class IdentityGame : BatchEnvironment<IdentityRules>
{
    /// <summary>Creates a game of <paramref name="agents"/> agents, <paramref name="actions"/> symbols and <paramref name="steps"/> steps.</summary>
    public IdentityGame(int agents = 2, int actions = 4, int steps = 10) : base(new IdentityRules(agents, actions, steps), SpecOf(agents, actions, steps))
    {
    }

    internal static IEnvironment? TryCreate(EnvironmentId id)
    {
        if (id.Name != "identity")
        {
            return null;
        }

        int agents = id.Integer("agents") ?? 2, actions = id.Integer("actions") ?? 4, steps = id.Integer("steps") ?? 10;
        id.EnsureAllRead(hasLayout: false);
        return new IdentityGame(agents, actions, steps);
    }

    private static EnvironmentSpec SpecOf(int agents, int actions, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(agents);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(actions);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        string id = $"identity?agents={agents}&actions={actions}&steps={steps}";
        return EnvironmentSpec.Uniform(id, agents, actions, actions, steps, 1 + agents) with { Reward = RewardMode.Mean };
    }
}

/// <summary>The rules of an <see cref="IdentityGame"/>.</summary>
internal readonly struct IdentityRules(int agents, int actions, int steps) : IBatchEnvironment
{
    private const int StepElement = 0, Symbols = 1;

    /// <summary>The step, and the symbol of each agent.</summary>
    public int StateSize => Symbols + agents;

    /// <inheritdoc/>
    public void Reset<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        world[StepElement] = 0;
        DrawSymbols(world, ref rng);
    }

    /// <inheritdoc/>
    public StepResult Step<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        for (int agent = 0; agent < agents; agent++)
        {
            world.SetReward(agent, 0);
            if (world.Action(agent) == world[Symbols + agent])
            {
                world.SetReward(agent, 1);
            }
        }
        DrawSymbols(world, ref rng);
        return ++world[StepElement] >= steps ? StepResult.Truncated : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Observe<TWorld>(TWorld world, int agent) where TWorld : struct, IWorld, allows ref struct
    {
        for (int symbol = 0; symbol < actions; symbol++)
        {
            world.SetObservation(symbol, 0);
        }
        world.SetObservation(world[Symbols + agent], 1);
    }

    private void DrawSymbols<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        for (int agent = 0; agent < agents; agent++)
        {
            world[Symbols + agent] = rng.NextInt(actions);
        }
    }
}
