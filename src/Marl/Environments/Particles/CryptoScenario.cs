namespace Marl.Native.Rl;

/// <summary>
/// Covert communication (Lowe et al. 2017, "simple_crypto"): Alice tells Bob one of two secrets over a channel that Eve listens to;
/// Alice and Bob share a key, one of two. Nobody moves; all say one of four symbols. Agents: Eve, Bob, Alice.
/// <para>Observation of Eve [4]: Alice's message. Of Bob [8]: key, Alice's message. Of Alice [8]: secret, key. Secret and key are
/// one-hot.</para>
/// <para>With e the squared difference of Eve's message and the secret, b that of Bob's: Eve receives -e, Alice and Bob e - b.</para>
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

    /// <summary>How far a message is from the secret; silence, all zeros, counts as none.</summary>
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
