namespace Marl.Native.Rl;

/// <summary>
/// A minimal test problem: in every step each agent observes a random symbol of its own, one of K, and is rewarded with 1 if its action is the index of the
/// symbol, else with 0. Truncated after the last step.
/// <para>Observation [K]: the symbol, one-hot.</para>
/// </summary>
internal sealed class IdentityGame : IEnvironment
{
    private readonly int[] symbols;
    private int step;

    /// <summary>Creates a game of <paramref name="agents"/> agents, <paramref name="actions"/> symbols and <paramref name="steps"/> steps.</summary>
    public IdentityGame(int agents = 2, int actions = 4, int steps = 10)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(agents);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(actions);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        symbols = new int[agents];
        string id = $"identity?agents={agents}&actions={actions}&steps={steps}";
        Spec = EnvironmentSpec.Uniform(id, agents, actions, actions, steps, 1 + agents) with { Reward = RewardMode.Mean };
    }

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; }

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

    /// <inheritdoc/>
    public void Reset(ref Rng rng)
    {
        step = 0;
        DrawSymbols(ref rng);
    }

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        for (int agent = 0; agent < symbols.Length; agent++)
        {
            rewards[agent] = actions[agent] == symbols[agent] ? 1 : 0;
        }

        DrawSymbols(ref rng);
        return ++step >= Spec.EpisodeLimit ? StepResult.Truncated : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation)
    {
        observation.Clear();
        observation[symbols[agent]] = 1;
    }

    /// <inheritdoc/>
    public void Save(Span<double> snapshot)
    {
        snapshot[0] = step;
        for (int agent = 0; agent < symbols.Length; agent++)
        {
            snapshot[1 + agent] = symbols[agent];
        }
    }

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        step = (int)snapshot[0];
        for (int agent = 0; agent < symbols.Length; agent++)
        {
            symbols[agent] = (int)snapshot[1 + agent];
        }
    }

    private void DrawSymbols(ref Rng rng)
    {
        foreach (ref int symbol in symbols.AsSpan())
        {
            symbol = rng.NextInt(Spec.Agents[0].ActionCount);
        }
    }
}
