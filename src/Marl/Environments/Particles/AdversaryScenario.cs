namespace Marl.Native.Rl;

/// <summary>
/// Physical deception (Lowe et al. 2017, "simple_adversary"): G good agents observe which of G landmarks is the goal; the adversary, agent 0, does not.
/// <para>Observations: of a good agent [2 + 4G] the relative positions of the goal, the landmarks and the other agents; of the adversary [4G] the same
/// without the goal.</para>
/// <para>Rewards: of a good agent (distance of the adversary to the goal) - (smallest distance of a good agent to it); of the adversary -(its distance to the
/// goal), squared in mpe-v0.</para>
/// </summary>
internal sealed class AdversaryScenario(ParticleRules rules, int good) : ParticleEnvironment(new()
{
    Id = rules.Id("adversary", ("good", good, DefaultGood)),
    Agents =
    [
        new(new(0.15) { Movable = true }, 4 * good),
        .. ParticleWorlds.Repeat<ParticleAgent>(good, new(new(0.15) { Movable = true }, 2 + 4 * good) { Team = 1 }),
    ],
    Landmarks = ParticleWorlds.Repeat(good, new ParticleBody(0.08)),
    Goals = 1,
    GoalChoices = good,
    Reward = RewardMode.Individual,
}, rules)
{
    private const int DefaultGood = 2, Adversary = 0;

    /// <summary>Creates the scenario from the option G.</summary>
    public static AdversaryScenario Create(EnvironmentId id, ParticleRules rules)
        => new(rules, ParticleWorlds.Count(id, "good") ?? DefaultGood);

    private protected override void Observe(int agent, ref ParticleView view)
    {
        if (agent != Adversary)
        {
            view.AddRelativePosition(World.BodyOf(Goals[0]));
        }

        view.AddLandmarks();
        view.AddOthers();
    }

    private protected override void Reward(Span<double> rewards)
    {
        int goal = World.BodyOf(Goals[0]);
        double nearest = double.PositiveInfinity;
        for (int good = 1; good < World.Agents; good++)
        {
            nearest = Math.Min(nearest, World.Distance(good, goal));
        }

        rewards.Fill(World.Distance(Adversary, goal) - nearest);
        rewards[Adversary] = -DistanceOrSquare(Adversary, goal);
    }
}
