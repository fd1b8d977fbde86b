namespace Marl.Native.Rl;

/// <summary>
/// Two agents that move and communicate (Mordatch and Abbeel 2018; "simple_reference"): each observes which of three landmarks is the other agent's goal.
/// <para>Observation [21]: own velocity, positions of the landmarks, color of the other agent's goal, the other agent's message [10].</para>
/// <para>Rewards: with d_i the distance of the other agent to its goal, which i observes, r_i = -(1 - q) (d_0 + d_1) / 2 - q d_i; in mpe-v0, where d_i is
/// squared, both receive -(d_0 + d_1).</para>
/// </summary>
internal sealed class ReferenceScenario(ParticleRules rules, double localRatio) : ParticleEnvironment(new()
{
    Id = rules.Id("reference", ("ratio", localRatio, DefaultRatio)),
    Agents = ParticleWorlds.Repeat<ParticleAgent>(
        2, new(new(0.05) { Movable = true }, 2 + 2 * Choices + Choices + Symbols) { Symbols = Symbols }),
    Landmarks = ParticleWorlds.Repeat(Choices, new ParticleBody(0.05)),
    Goals = 2,
    GoalChoices = Choices,
    Reward = rules.Original ? RewardMode.Mean : RewardMode.Sum,
}, rules)
{
    private const int Choices = 3, Symbols = 10;
    private const double DefaultRatio = 0.5;

    /// <summary>Creates the scenario from the option q, which the original rules do not have.</summary>
    public static ReferenceScenario Create(EnvironmentId id, ParticleRules rules)
        => new(rules, rules.Original ? DefaultRatio : ParticleWorlds.Ratio(id) ?? DefaultRatio);

    private protected override void Observe(int agent, ref ParticleView view)
    {
        view.AddVelocity();
        view.AddLandmarks();
        view.AddColor(Goals[agent], Choices, 0.75, 0.25);
        view.Add(Message(1 - agent));
    }

    private protected override void Reward(Span<double> rewards)
    {
        for (int agent = 0; agent < rewards.Length; agent++)
        {
            rewards[agent] = -DistanceOrSquare(1 - agent, World.BodyOf(Goals[agent]));
        }

        if (Rules.Original)
        {
            ShareSum(rewards);
        }
        else
        {
            Mix((rewards[0] + rewards[1]) / 2, localRatio, rewards);
        }
    }

    private protected override int? MeantFor(int landmark) => Goals[0] == Goals[1] ? null
        : landmark == Goals[1] ? 0
        : landmark == Goals[0] ? 1
        : null;
}
