namespace Marl.Native.Rl;

/// <summary>
/// Predator and prey with food, forests and a leader ("simple_world_comm" of the original package): A adversaries, the first of which, the leader, also sends
/// one of four symbols, hunt G good agents, which collect food and hide in forests.
/// <para>Observation [4 + 2 landmarks + 2(A + G - 1) + 2 prey + forests (+ 4)]: own velocity and position, positions of the landmarks (obstacles, food,
/// forests) and of the other agents, velocities of the other prey, for every forest 1 if the observer is in it, else -1, and for adversaries the leader's
/// last message; for good agents the forests precede the velocities. Another agent is visible if both are in the same forest or both in none, and always
/// visible for the leader; otherwise its elements are 0.</para>
/// <para>Rewards: of each adversary 5 for every overlapping pair of an adversary and a prey, minus 0.1 times its distance to the nearest prey; of a prey -5
/// for every adversary that it overlaps with, 2 for every food that it overlaps with, minus 0.05 times its distance to the nearest food, minus twice the
/// penalty of <see cref="TagScenario"/> for leaving the area. In mpe-v0 the distance to the food is added, which later releases corrected.</para>
/// </summary>
internal sealed class WorldCommScenario(ParticleRules rules, int good, int adversaries, int obstacles, int food, int forests)
    : ParticleEnvironment(new()
    {
        Id = rules.Id("world-comm", ("good", good, DefaultGood), ("adversaries", adversaries, DefaultAdversaries),
            ("obstacles", obstacles, DefaultObstacles), ("food", food, DefaultFood), ("forests", forests, DefaultForests)),
        Agents = CreateAgents(good, adversaries, obstacles + food + forests, forests),
        Landmarks =
        [
            .. ParticleWorlds.Repeat(obstacles, new ParticleBody(0.2) { Collides = true }),
            .. ParticleWorlds.Repeat(food, new ParticleBody(0.03)),
            .. ParticleWorlds.Repeat(forests, new ParticleBody(0.3)),
        ],
        LandmarkRange = 0.9,
        Reward = RewardMode.Individual,
    }, rules)
{
    private const int DefaultGood = 2, DefaultAdversaries = 4, DefaultObstacles = 1, DefaultFood = 2, DefaultForests = 2;
    private const int Symbols = 4, Leader = 0;

    /// <summary>Creates the scenario from the options G, A and the numbers of obstacles, food and forests.</summary>
    public static WorldCommScenario Create(EnvironmentId id, ParticleRules rules) => new(
        rules,
        ParticleWorlds.Count(id, "good") ?? DefaultGood,
        ParticleWorlds.Count(id, "adversaries") ?? DefaultAdversaries,
        ParticleWorlds.Count(id, "obstacles", min: 0) ?? DefaultObstacles,
        ParticleWorlds.Count(id, "food") ?? DefaultFood,
        ParticleWorlds.Count(id, "forests", min: 0) ?? DefaultForests);

    private protected override void Observe(int agent, ref ParticleView view)
    {
        bool isPrey = agent >= adversaries;
        view.AddVelocity();
        view.AddPosition();
        view.AddLandmarks();
        for (int other = 0; other < World.Agents; other++)
        {
            if (other != agent)
            {
                view.Add(IsVisible(agent, other) ? World.Positions[other] - World.Positions[agent] : default);
            }
        }
        if (isPrey)
        {
            AddForests(agent, ref view);
        }

        for (int prey = adversaries; prey < World.Agents; prey++)
        {
            if (prey != agent)
            {
                view.Add(IsVisible(agent, prey) ? World.Velocities[prey] : default);
            }
        }
        if (isPrey)
        {
            return;
        }

        AddForests(agent, ref view);
        view.Add(Message(Leader));
    }

    private protected override void Reward(Span<double> rewards)
    {
        int caught = 0;
        for (int prey = adversaries; prey < World.Agents; prey++)
        {
            int adversariesTouching = CountOverlaps(prey, 0, adversaries), eaten = CountOverlaps(prey, World.BodyOf(obstacles), food);
            double penalty = BoundaryPenalty(World.Positions[prey].X) + BoundaryPenalty(World.Positions[prey].Y);
            double distance = 0.05 * Nearest(prey, World.BodyOf(obstacles), food);
            rewards[prey] = 2 * eaten - 5 * adversariesTouching - 2 * penalty + (Rules.Original ? distance : -distance);
            caught += adversariesTouching;
        }
        for (int adversary = 0; adversary < adversaries; adversary++)
        {
            rewards[adversary] = 5 * caught - 0.1 * Nearest(adversary, adversaries, good);
        }
    }

    private protected override SceneRole RoleOf(int landmark)
        => landmark < obstacles ? SceneRole.Thing : landmark < obstacles + food ? SceneRole.Wanted : SceneRole.Shelter;

    private static ParticleAgent[] CreateAgents(int good, int adversaries, int landmarks, int forests)
    {
        var hunter = new ParticleBody(0.075) { Movable = true, Collides = true, Acceleration = 3, MaxSpeed = 1 };
        var prey = new ParticleBody(0.045) { Movable = true, Collides = true, Acceleration = 4, MaxSpeed = 1.3 };
        int common = 4 + 2 * landmarks + 2 * (adversaries + good - 1) + forests;
        var adversary = new ParticleAgent(hunter, common + 2 * good + Symbols);
        return
        [
            adversary with { Symbols = Symbols },
            .. ParticleWorlds.Repeat(adversaries - 1, adversary),
            .. ParticleWorlds.Repeat<ParticleAgent>(good, new(prey, common + 2 * (good - 1)) { Team = 1 }),
        ];
    }

    private bool IsIn(int forest, int agent) => World.Overlap(agent, World.BodyOf(obstacles + food + forest));

    private bool IsVisible(int agent, int other)
    {
        bool anyIsIn = false;
        for (int forest = 0; forest < forests; forest++)
        {
            bool isIn = IsIn(forest, agent), otherIsIn = IsIn(forest, other);
            if (isIn && otherIsIn)
            {
                return true;
            }

            anyIsIn |= isIn || otherIsIn;
        }
        return !anyIsIn || agent == Leader;
    }

    private void AddForests(int agent, ref ParticleView view)
    {
        for (int forest = 0; forest < forests; forest++)
        {
            view.Add(IsIn(forest, agent) ? 1 : -1);
        }
    }

    /// <summary>Returns the number of bodies first .. first + count - 1 that an agent overlaps with.</summary>
    private int CountOverlaps(int agent, int first, int count)
    {
        int touched = 0;
        for (int body = first; body < first + count; body++)
        {
            touched += World.Overlap(agent, body) ? 1 : 0;
        }

        return touched;
    }

    /// <summary>Returns the distance of an agent to the nearest of the bodies first .. first + count - 1.</summary>
    private double Nearest(int agent, int first, int count)
    {
        double nearest = double.PositiveInfinity;
        for (int body = first; body < first + count; body++)
        {
            nearest = Math.Min(nearest, World.Distance(agent, body));
        }

        return nearest;
    }
}
