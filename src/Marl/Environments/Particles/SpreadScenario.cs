namespace Marl.Native.Rl;

/// <summary>
/// Cooperative navigation (Lowe et al. 2017, "simple_spread"): N agents have to cover L landmarks without collisions.
/// <para>Observation [4 + 2L + 4(N - 1)]: own velocity and position, positions of the landmarks and of the other agents, their messages (always 0).</para>
/// <para>Rewards: with S = -sum over landmarks of the smallest distance of an agent, and c_i the number of agents that i overlaps with,
/// r_i = (1 - q) S - q c_i. In mpe-v0 all agents receive sum_i (S - c_i - 1), because an agent overlaps with itself.</para>
/// </summary>
internal sealed class SpreadScenario(ParticleRules rules, int agents, int landmarks, double localRatio) : ParticleEnvironment(new()
{
    Id = rules.Id("spread", ("agents", agents, DefaultAgents), ("landmarks", landmarks, agents), ("ratio", localRatio, DefaultRatio)),
    Agents = ParticleWorlds.Repeat<ParticleAgent>(
        agents, new(new(0.15) { Movable = true, Collides = true }, 4 + 2 * landmarks + 4 * (agents - 1))),
    Landmarks = ParticleWorlds.Repeat(landmarks, new ParticleBody(0.05)),
    Reward = rules.Original ? RewardMode.Mean : RewardMode.Sum,
}, rules)
{
    private const int DefaultAgents = 3;
    private const double DefaultRatio = 0.5;

    /// <summary>Creates the scenario from the options N, L (by default N) and q, which the original rules do not have.</summary>
    public static SpreadScenario Create(EnvironmentId id, ParticleRules rules)
    {
        int agents = ParticleWorlds.Count(id, "agents") ?? DefaultAgents;
        return new(rules, agents, ParticleWorlds.Count(id, "landmarks") ?? agents,
            rules.Original ? DefaultRatio : ParticleWorlds.Ratio(id) ?? DefaultRatio);
    }

    private protected override void Observe(int agent, ref ParticleView view)
    {
        view.AddVelocity();
        view.AddPosition();
        view.AddLandmarks();
        view.AddOthers();
        view.AddZeros(2 * (World.Agents - 1));
    }

    private protected override void Reward(Span<double> rewards)
    {
        double covering = 0;
        for (int landmark = 0; landmark < World.Landmarks; landmark++)
        {
            covering -= NearestAgent(World.BodyOf(landmark));
        }

        for (int agent = 0; agent < rewards.Length; agent++)
        {
            rewards[agent] = Rules.Original ? covering - 1 : 0;
            for (int other = 0; other < World.Agents; other++)
            {
                if (other != agent && World.Overlap(agent, other))
                {
                    rewards[agent]--;
                }
            }
        }
        if (Rules.Original)
        {
            ShareSum(rewards);
        }
        else
        {
            Mix(covering, localRatio, rewards);
        }
    }

    private protected override SceneRole RoleOf(int landmark) => SceneRole.Goal;

    private double NearestAgent(int body)
    {
        double nearest = double.PositiveInfinity;
        for (int agent = 0; agent < World.Agents; agent++)
        {
            nearest = Math.Min(nearest, World.Distance(agent, body));
        }

        return nearest;
    }
}
