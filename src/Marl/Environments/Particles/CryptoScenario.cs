namespace Marl.Native.Rl;

/// <summary>
/// Covert communication (Lowe et al. 2017, "simple_crypto"): Alice sends Bob one of two secrets over a channel that Eve observes; Alice and Bob share one of
/// two keys. No agent moves; each sends one of four symbols. Agents: Eve, Bob, Alice.
/// <para>Observations: of Eve [4] Alice's message; of Bob [8] key and Alice's message; of Alice [8] secret and key. Secret and key are one-hot.</para>
/// <para>Rewards: with e the squared error of Eve's message with respect to the secret, and b that of Bob's message, -e of Eve, e - b of Alice and Bob.</para>
/// </summary>
internal sealed class CryptoScenario(ParticleRules rules) : ParticleEnvironment(new()
{
    Id = rules.Id("crypto"),
    Agents =
    [
        new(new(0.05), Symbols) { Symbols = Symbols },
        new(new(0.05), 2 * Symbols) { Symbols = Symbols, Team = 1 },
        new(new(0.05), 2 * Symbols) { Symbols = Symbols, Team = 1 },
    ],
    Goals = 2,
    GoalChoices = 2,
    Reward = RewardMode.Individual,
}, rules)
{
    private const int Symbols = 4, Eve = 0, Bob = 1, Alice = 2, Secret = 0, Key = 1;

    private protected override void Observe(int agent, ref ParticleView view)
    {
        if (agent == Alice)
        {
            view.AddColor(Goals[Secret], Symbols, 1, 0);
        }

        if (agent != Eve)
        {
            view.AddColor(Goals[Key], Symbols, 1, 0);
        }

        if (agent != Alice)
        {
            view.Add(Message(Alice));
        }
    }

    private protected override void Reward(Span<double> rewards)
    {
        double eve = Error(Message(Eve)), bob = Error(Message(Bob));
        rewards.Fill(eve - bob);
        rewards[Eve] = -eve;
    }

    /// <summary>Returns the squared error of a message with respect to the secret; 0 for the empty message.</summary>
    private double Error(ReadOnlySpan<float> message)
    {
        double error = 0;
        for (int symbol = 0; symbol < Symbols; symbol++)
        {
            double difference = message[symbol] - (symbol == Goals[Secret] ? 1 : 0);
            error += difference * difference;
        }
        return message.ContainsAnyExcept(0f) ? error : 0;
    }
}
