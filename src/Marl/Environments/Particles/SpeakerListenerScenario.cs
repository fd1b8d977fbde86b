namespace Marl.Native.Rl;

/// <summary>
/// Cooperative communication (Lowe et al. 2017, "simple_speaker_listener"): the speaker, agent 0, cannot move, observes the color of the goal, one of three
/// landmarks, and sends one of three symbols; the listener, agent 1, cannot communicate and has to reach the goal.
/// <para>Observations: of the speaker [3] the goal's color; of the listener [11] its velocity, the positions of the landmarks, and the speaker's
/// message.</para>
/// <para>Reward of both: -(distance of the listener to the goal)^2; in mpe-v0 twice that.</para>
/// </summary>
internal sealed class SpeakerListenerScenario(ParticleRules rules) : ParticleEnvironment(new()
{
    Id = rules.Id("speaker-listener"),
    Agents = [new(new(0.075), Choices) { Symbols = Choices }, new(new(0.075) { Movable = true }, 2 + 2 * Choices + Choices)],
    Landmarks = ParticleWorlds.Repeat(Choices, new ParticleBody(0.04)),
    Goals = 1,
    GoalChoices = Choices,
    Reward = RewardMode.Mean,
}, rules)
{
    private const int Choices = 3, Speaker = 0, Listener = 1;

    private protected override void Observe(int agent, ref ParticleView view)
    {
        if (agent == Speaker)
        {
            view.AddColor(Goals[0], Choices, 0.65, 0.15);
            return;
        }
        view.AddVelocity();
        view.AddLandmarks();
        view.Add(Message(Speaker));
    }

    private protected override void Reward(Span<double> rewards)
    {
        rewards.Fill(-(World.Positions[Listener] - World.Landmark(Goals[0])).LengthSquared);
        if (Rules.Original)
        {
            ShareSum(rewards);
        }
    }
}
