namespace Marl.Native.Rl;

/// <summary>
/// Keep-away (Lowe et al. 2017, "simple_push"): a good agent knows which of two landmarks is the goal; the adversary, agent 0, shall push
/// it away and be there itself.
/// <para>Observation of the good agent [19]: own velocity, goal, the goal's color, landmarks, their colors, the adversary. Of the
/// adversary [8]: own velocity, landmarks, the good agent.</para>
/// <para>Good: -its distance to the goal. Adversary: (distance of the good one to the goal) - (its own).</para>
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
            view.AddPlace(World.BodyOf(Goals[0]));
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
