namespace Marl.Native.Rl;

/// <summary>
/// Keep-away (Lowe et al. 2017, "simple_push"): the good agent observes which of two landmarks is the goal; the adversary, agent 0, has to keep it away and
/// occupy the goal.
/// <para>Observations: of the good agent [19] its velocity, the goal's position and color, the landmarks' positions and colors, and the adversary's position;
/// of the adversary [8] its velocity, and the positions of the landmarks and the good agent.</para>
/// <para>Rewards: of the good agent -(its distance to the goal); of the adversary (distance of the good agent to the goal) - (its own distance).</para>
/// </summary>
internal sealed class PushScenario(ParticleRules rules) : ParticleEnvironment(new()
{
    Id = rules.Id("push"),
    Agents =
    [
        new(new(0.05) { Movable = true, Collides = true }, 2 + 2 * Choices + 2),
        new(new(0.05) { Movable = true, Collides = true }, 2 + 2 + Channels + 2 * Choices + Choices * Channels + 2) { Team = 1 },
    ],
    Landmarks = ParticleWorlds.Repeat(Choices, new ParticleBody(0.05)),
    Goals = 1,
    GoalChoices = Choices,
    Reward = RewardMode.Individual,
}, rules)
{
    private const int Choices = 2, Channels = 3, Adversary = 0, Good = 1;

    private protected override void Observe(int agent, ref ParticleView view)
    {
        view.AddVelocity();
        if (agent == Good)
        {
            view.AddRelativePosition(World.BodyOf(Goals[0]));
            view.AddColor(Goals[0] + 1, Channels, 0.75, 0.25);
        }
        view.AddLandmarks();
        if (agent == Good)
        {
            for (int landmark = 0; landmark < Choices; landmark++)
            {
                view.AddColor(landmark + 1, Channels, 0.9, 0.1);
            }
        }
        view.AddOthers();
    }

    private protected override void Reward(Span<double> rewards)
    {
        int goal = World.BodyOf(Goals[0]);
        rewards[Good] = -World.Distance(Good, goal);
        rewards[Adversary] = World.Distance(Good, goal) - World.Distance(Adversary, goal);
    }
}
