namespace Marl.Native.Rl;

/// <summary>
/// Predator and prey (Lowe et al. 2017, "simple_tag"): A slow adversaries hunt G fast good agents among obstacles.
/// <para>Observation [4 + 2 obstacles + 2(A + G - 1) + 2 prey]: own velocity and position, positions of the obstacles and of the other agents, velocities of
/// the other prey.</para>
/// <para>Rewards: of each adversary 10 for every overlapping pair of an adversary and a prey; of a prey -10 for every adversary that it overlaps with, and a
/// penalty for leaving the area.</para>
/// <para>With prey=scripted only the adversaries are agents: prey moves with full force away from the nearest adversary; if its x or y is beyond 0.9, and the
/// force points outwards, this component of the force is reversed.</para>
/// </summary>
internal sealed class TagScenario(ParticleRules rules, int good, int adversaries, int obstacles, bool scripted) : ParticleEnvironment(new()
{
    Id = rules.Id("tag", ("good", good, DefaultGood), ("adversaries", adversaries, DefaultAdversaries),
        ("obstacles", obstacles, DefaultObstacles), ("prey", scripted ? Scripted : Learning, Learning)),
    Agents =
    [
        .. ParticleWorlds.Repeat<ParticleAgent>(adversaries, new(
            new(0.075) { Movable = true, Collides = true, Acceleration = 3, MaxSpeed = 1 },
            Observation(adversaries, good, obstacles, good))),
        .. ParticleWorlds.Repeat<ParticleAgent>(good, new(
            new(0.05) { Movable = true, Collides = true, Acceleration = 4, MaxSpeed = 1.3 },
            Observation(adversaries, good, obstacles, good - 1)) { Team = 1 }),
    ],
    Landmarks = ParticleWorlds.Repeat(obstacles, new ParticleBody(0.2) { Collides = true }),
    LandmarkRange = 0.9,
    Scripted = scripted ? good : 0,
    Reward = scripted ? RewardMode.Mean : RewardMode.Individual,
}, rules)
{
    private const int DefaultGood = 1, DefaultAdversaries = 3, DefaultObstacles = 2;
    private const string Learning = "learning", Scripted = "scripted";
    private const double Edge = 0.9;

    /// <summary>Creates the scenario from the options G, A, the number of obstacles, and whether prey is scripted.</summary>
    public static TagScenario Create(EnvironmentId id, ParticleRules rules) => new(
        rules,
        ParticleWorlds.Count(id, "good") ?? DefaultGood,
        ParticleWorlds.Count(id, "adversaries") ?? DefaultAdversaries,
        ParticleWorlds.Count(id, "obstacles", min: 0) ?? DefaultObstacles,
        id.Choice("prey", (Learning, false), (Scripted, true)));

    private protected override void Observe(int agent, ref ParticleView view)
    {
        view.AddVelocity();
        view.AddPosition();
        view.AddLandmarks();
        view.AddOthers();
        for (int prey = adversaries; prey < World.Agents; prey++)
        {
            if (prey != agent)
            {
                view.Add(World.Velocities[prey]);
            }
        }
    }

    private protected override void Reward(Span<double> rewards)
    {
        rewards.Clear();
        int caught = 0;
        for (int prey = adversaries; prey < World.Agents; prey++)
        {
            int hunters = 0;
            for (int adversary = 0; adversary < adversaries; adversary++)
            {
                hunters += World.Overlap(prey, adversary) ? 1 : 0;
            }

            caught += hunters;
            if (prey < rewards.Length)
            {
                rewards[prey] = -10 * hunters - BoundaryPenalty(World.Positions[prey].X) - BoundaryPenalty(World.Positions[prey].Y);
            }
        }
        rewards[..adversaries].Fill(10 * caught);
    }

    private protected override Vector2d Script(int agent)
    {
        Vector2d position = World.Positions[agent], nearest = World.Positions[0];
        for (int adversary = 1; adversary < adversaries; adversary++)
        {
            var other = World.Positions[adversary];
            if ((position - other).LengthSquared < (position - nearest).LengthSquared)
            {
                nearest = other;
            }
        }
        var away = position - nearest;
        double distance = away.Length;
        return distance == 0 ? default : new Vector2d(Inwards(position.X, away.X), Inwards(position.Y, away.Y)) / distance;

        static double Inwards(double coordinate, double force) => Math.Abs(coordinate) > Edge && coordinate * force > 0 ? -force : force;
    }

    private static int Observation(int adversaries, int good, int obstacles, int otherPrey)
        => 4 + 2 * obstacles + 2 * (adversaries + good - 1) + 2 * otherPrey;
}
