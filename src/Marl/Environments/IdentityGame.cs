namespace Marl.Native.Rl;

/// <summary>
/// A minimal test problem: in every step each agent observes random symbols of its own, one of K in each of its branches, and random points in [-1, 1], which
/// its action has to repeat. The reward of an agent is the mean over its parts: 1 for the index of a symbol, else 0; 1 - |x - p| for a point p. The best
/// return is 1 per step. Truncated after the last step.
/// <para>Observation [branches K + points]: the symbols, one-hot, and the points.</para>
/// </summary>
internal sealed class IdentityGame : IEnvironment
{
    private readonly int agents, actions, branches, points;

    // [agents, branches] and [agents, points].
    private readonly int[] symbols;
    private readonly float[] targets;
    private int step;

    /// <summary>Creates a game of <paramref name="agents"/> agents, <paramref name="actions"/> symbols and <paramref name="steps"/> steps.</summary>
    /// <param name="agents">The number of agents.</param>
    /// <param name="actions">K, the number of symbols.</param>
    /// <param name="steps">The number of steps.</param>
    /// <param name="branches">The number of symbols that an agent observes, the discrete branches of its action.</param>
    /// <param name="points">The number of points that an agent observes, the length of the continuous part of its action.</param>
    public IdentityGame(int agents = 2, int actions = 4, int steps = 10, int branches = 1, int points = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(agents);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(actions);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(branches);
        ArgumentOutOfRangeException.ThrowIfNegative(points);
        (this.agents, this.actions, this.branches, this.points) = (agents, actions, branches, points);
        string id = $"identity?agents={agents}&actions={actions}&steps={steps}{(branches > 1 ? $"&branches={branches}" : "")}{(points > 0 ? $"&points={points}" : "")}";
        var spec = EnvironmentSpec.Uniform(id, agents, branches * actions + points, actions, steps, 1 + agents * (branches + points));
        var agent = new AgentSpec(branches * actions + points, [.. Enumerable.Repeat(actions, branches)], points, Box: points > 0 ? new ActionBox(-1, 1) : null);
        Spec = spec with { Reward = RewardMode.Mean, Agents = [.. Enumerable.Repeat(agent, agents)] };
        (symbols, targets) = (new int[agents * branches], new float[agents * points]);
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
        int branches = id.Integer("branches") ?? 1, points = id.Integer("points", min: 0) ?? 0;
        id.EnsureAllRead(hasLayout: false);
        if ((long)branches * actions + points > Array.MaxLength)
        {
            throw id.Error($"the observation of {branches} symbols of {actions} and {points} points is more than an array can hold");
        }
        return new IdentityGame(agents, actions, steps, branches, points);
    }

    /// <inheritdoc/>
    public void Reset(ref Rng rng)
    {
        step = 0;
        Draw(ref rng);
    }

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        for (int agent = 0; agent < agents; agent++)
        {
            double sum = 0;
            for (int branch = 0; branch < branches; branch++)
            {
                sum += actions.Branches(agent)[branch] == symbols[agent * branches + branch] ? 1 : 0;
            }
            for (int point = 0; point < points; point++)
            {
                sum += 1 - Math.Abs(actions.Vector(agent)[point] - targets[agent * points + point]);
            }
            rewards[agent] = sum / (branches + points);
        }

        Draw(ref rng);
        return ++step >= Spec.EpisodeLimit ? StepResult.Truncated : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation)
    {
        observation.Clear();
        for (int branch = 0; branch < branches; branch++)
        {
            observation[branch * actions + symbols[agent * branches + branch]] = 1;
        }
        targets.AsSpan(agent * points, points).CopyTo(observation[(branches * actions)..]);
    }

    /// <inheritdoc/>
    public void Save(Span<double> snapshot)
    {
        snapshot[0] = step;
        for (int i = 0; i < symbols.Length; i++)
        {
            snapshot[1 + i] = symbols[i];
        }
        for (int i = 0; i < targets.Length; i++)
        {
            snapshot[1 + symbols.Length + i] = targets[i];
        }
    }

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        step = (int)snapshot[0];
        for (int i = 0; i < symbols.Length; i++)
        {
            symbols[i] = (int)snapshot[1 + i];
        }
        for (int i = 0; i < targets.Length; i++)
        {
            targets[i] = (float)snapshot[1 + symbols.Length + i];
        }
    }

    private void Draw(ref Rng rng)
    {
        foreach (ref int symbol in symbols.AsSpan())
        {
            symbol = rng.NextInt(actions);
        }
        foreach (ref float target in targets.AsSpan())
        {
            target = rng.NextSingle(-1f, 1f);
        }
    }
}
