namespace Marl.Native.Rl;

/// <summary>
/// The multi-agent particle environments (MPE): agents move as discs in the plane, communicate, or both. Created by an id, see <see cref="Catalog"/>.
/// <para>Discrete actions: 0 none, 1 -x, 2 +x, 3 -y, 4 +y (in mpe-v0: 1 +x, 2 -x, 3 +y, 4 -y) of an agent that moves; a symbol of an agent that communicates;
/// move + 5 symbol of an agent that does both. With actions=continuous an action is a vector of weights in 0 .. 1: those of the five moves, of which opposite
/// ones are subtracted, then the message. Other weights are clipped, but not in mpe-v0.</para>
/// <para>Truncated after the last step (25 by default); never terminated. Agents of competing teams have individual rewards.</para>
/// </summary>
internal abstract partial class ParticleEnvironment : IEnvironment
{
    private readonly ParticleSetup setup;
    private readonly Vector2d[] controls;
    private readonly float[] messages, expanded;
    private readonly int symbols;
    private readonly int[] goals;
    private int step;

    private protected ParticleEnvironment(ParticleSetup setup, ParticleRules rules)
    {
        this.setup = setup;
        Rules = rules;
        World = new([.. setup.Agents.Select(agent => agent.Body)], setup.Landmarks, rules.VelocityFirst);
        var agents = setup.Agents[..^setup.Scripted];
        symbols = setup.Agents.Max(agent => agent.Symbols);
        controls = new Vector2d[World.Agents];
        messages = new float[World.Agents * symbols];
        expanded = new float[agents.Max(agent => agent.VectorSize)];
        goals = new int[setup.Goals];
        Spec = new()
        {
            Id = setup.Id,
            Agents = [.. agents.Select(agent => rules.Continuous
                ? new AgentSpec(agent.ObservationSize, agent.VectorSize, agent.Team, new ActionBox(0, 1))
                : new AgentSpec(agent.ObservationSize, agent.ActionCount, agent.Team))],
            StateSize = agents.Sum(agent => agent.ObservationSize),
            EpisodeLimit = rules.EpisodeLimit,
            Reward = setup.Reward,
            SnapshotSize = 1 + goals.Length + 2 * (World.Positions.Length + World.Velocities.Length) + messages.Length,
        };
    }

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; }

    private protected ParticleRules Rules { get; }

    private protected ParticleWorld World { get; }

    /// <summary>The goals sampled for this episode, which some agents do not observe.</summary>
    private protected ReadOnlySpan<int> Goals => goals;

    /// <inheritdoc/>
    public void Reset(ref Rng rng)
    {
        step = 0;
        foreach (ref int goal in goals.AsSpan())
        {
            goal = rng.NextInt(setup.GoalChoices);
        }

        foreach (ref var position in World.Positions[..World.Agents])
        {
            position = DrawPosition(1, ref rng);
        }

        foreach (ref var position in World.Positions[World.Agents..])
        {
            position = DrawPosition(setup.LandmarkRange, ref rng);
        }

        World.Velocities.Clear();
        messages.AsSpan().Clear();
    }

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        for (int agent = 0; agent < Spec.Agents.Length; agent++)
        {
            var who = setup.Agents[agent];
            ReadOnlySpan<float> vector = expanded.AsSpan(0, who.VectorSize);
            if (Rules.Continuous)
            {
                vector = actions.Vector(agent)[..who.VectorSize];
            }
            else
            {
                ParticleActions.Expand(who, actions[agent], expanded.AsSpan(0, who.VectorSize));
            }

            var message = vector[(who.VectorSize - who.Symbols)..];
            if (who.Body.Movable)
            {
                controls[agent] = ParticleActions.Control(vector, Rules);
            }

            for (int symbol = 0; symbol < message.Length; symbol++)
            {
                messages[agent * symbols + symbol] = ParticleActions.Weight(message[symbol], Rules);
            }
        }
        for (int agent = Spec.Agents.Length; agent < World.Agents; agent++)
        {
            controls[agent] = Script(agent);
        }

        World.Step(controls);
        Reward(rewards);
        return ++step >= Spec.EpisodeLimit ? StepResult.Truncated : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation)
    {
        var view = new ParticleView(World, agent, observation);
        Observe(agent, ref view);
    }

    /// <summary>Writes step, goals, positions of agents and landmarks, velocities of agents, and their last messages.</summary>
    public void Save(Span<double> snapshot)
    {
        int end = 0;
        snapshot[end++] = step;
        foreach (int goal in goals)
        {
            snapshot[end++] = goal;
        }

        foreach (var position in World.Positions)
        {
            (snapshot[end++], snapshot[end++]) = (position.X, position.Y);
        }

        foreach (var velocity in World.Velocities)
        {
            (snapshot[end++], snapshot[end++]) = (velocity.X, velocity.Y);
        }

        foreach (float weight in messages)
        {
            snapshot[end++] = weight;
        }
    }

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        int end = 0;
        step = (int)snapshot[end++];
        foreach (ref int goal in goals.AsSpan())
        {
            goal = (int)snapshot[end++];
        }

        foreach (ref var position in World.Positions)
        {
            position = new(snapshot[end++], snapshot[end++]);
        }

        foreach (ref var velocity in World.Velocities)
        {
            velocity = new(snapshot[end++], snapshot[end++]);
        }

        foreach (ref float weight in messages.AsSpan())
        {
            weight = (float)snapshot[end++];
        }
    }

    private protected abstract void Observe(int agent, ref ParticleView view);

    /// <summary>Writes every agent's reward for the state after a step.</summary>
    private protected abstract void Reward(Span<double> rewards);

    /// <summary>Returns the action of a scripted agent.</summary>
    private protected virtual Vector2d Script(int agent) => default;

    /// <summary>Returns the last message of an agent [symbols].</summary>
    private protected ReadOnlySpan<float> Message(int agent) => messages.AsSpan(agent * symbols, symbols);

    /// <summary>Replaces all rewards by their sum: the common reward of the original rules.</summary>
    private protected static void ShareSum(Span<double> rewards)
    {
        double sum = 0;
        foreach (double reward in rewards)
        {
            sum += reward;
        }

        rewards.Fill(sum);
    }

    /// <summary>Mixes a common reward with the agents' own rewards, as in PettingZoo and MPE2.</summary>
    private protected static void Mix(double common, double localRatio, Span<double> rewards)
    {
        foreach (ref double reward in rewards)
        {
            reward = common * (1 - localRatio) + reward * localRatio;
        }
    }

    /// <summary>Returns the distance of two bodies, or its square under the original rules.</summary>
    private protected double DistanceOrSquare(int body, int other) => Rules.Original
        ? (World.Positions[body] - World.Positions[other]).LengthSquared : World.Distance(body, other);

    /// <summary>Returns the penalty for leaving the area along an axis: 0 within 0.9 of the origin, increasing outside, at most 10.</summary>
    private protected static double BoundaryPenalty(double coordinate) => Math.Abs(coordinate) switch
    {
        < 0.9 => 0,
        < 1 and var z => (z - 0.9) * 10,
        var z => Math.Min(Math.Exp(2 * z - 2), 10),
    };

    private static Vector2d DrawPosition(double range, ref Rng rng)
    {
        double x = range * (2 * rng.NextDouble() - 1);
        return new(x, range * (2 * rng.NextDouble() - 1));
    }
}
