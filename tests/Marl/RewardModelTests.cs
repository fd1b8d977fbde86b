using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Difference rewards that a learned model predicts, against those that a simulator computes.</summary>
public sealed class RewardModelTests
{
    [Theory]
    [InlineData("climbing", RewardMode.Difference)]
    [InlineData("climbing", RewardMode.Aristocratic)]
    [InlineData("two-step", RewardMode.Difference)]
    [InlineData("two-step", RewardMode.Aristocratic)]
    [InlineData("unlike", RewardMode.Difference)]
    [InlineData("unlike", RewardMode.Aristocratic)]
    public void TheyConvergeToThoseOfASimulator(string id, RewardMode mode)
    {
        using var workers = new Workers(1);
        var spec = Create().Spec;
        var model = new RewardModel(new TrainingOptions { Reward = mode, RewardModel = true, DefaultAction = 1 }.Context(spec, workers));
        double before = Error(0), after = 0;
        for (int round = 1; round <= 300; round++)
        {
            after = Error(round);
        }
        // The root mean square of the difference, relative to that of the exact rewards.
        Assert.True(before > 0.3, $"{before}");
        Assert.InRange(after, 0, 0.05);

        // Plays the same episodes with a simulator and with the model, which then learns from them.
        double Error(int round)
        {
            Episode[] exact = [.. Enumerable.Range(0, 4).Select(i => Play(round * 4 + i, isModeled: false))];
            Episode[] modeled = [.. Enumerable.Range(0, 4).Select(i => Play(round * 4 + i, isModeled: true))];
            model.Subtract(modeled);
            model.Fit();
            double squares = 0, errors = 0;
            foreach (var (one, other) in exact.Zip(modeled))
            {
                Assert.Equal(one.Actions.ToArray(), other.Actions.ToArray());
                for (int i = 0; i < one.Rewards.Length; i++)
                {
                    squares += one.Rewards[i] * one.Rewards[i];
                    errors += (one.Rewards[i] - other.Rewards[i]) * (one.Rewards[i] - other.Rewards[i]);
                }
            }
            return Math.Sqrt(errors / squares);
        }

        IEnvironment Create() => id == "unlike" ? new UnlikeGame(0, 1, 0) : Catalog.CreateEnvironment(id);

        Episode Play(int index, bool isModeled)
        {
            var (environment, rng, choice) = (Create(), new Rng(7).Split(RngPurpose.Test, index), new Rng(8).Split(RngPurpose.Test, index));
            var episode = new Episode(spec, mode.Streams(spec), Column.Policy);
            var recorder = new EpisodeRecorder(spec, new() { Mode = mode, DefaultAction = 1, IsModeled = isModeled });
            recorder.Begin(environment, episode, ref rng);
            do
            {
                for (int agent = 0; agent < episode.Agents; agent++)
                {
                    // A random policy over the agent's actions, all of which are available, and a sample of it.
                    int count = spec.Agents[agent].ActionCount;
                    float[] weights = [.. Enumerable.Range(0, count).Select(_ => 0.1f + choice.NextSingle())];
                    var policy = episode.Floats(Column.Policy).Row(episode.Length).Slice(agent * episode.ActionCount, count);
                    float sum = weights.Sum(), u = choice.NextSingle() * sum;
                    int action = 0;
                    for (; action < count - 1 && u >= weights[action]; action++)
                    {
                        u -= weights[action];
                    }
                    weights.Select(weight => weight / sum).ToArray().CopyTo(policy);
                    episode.ActionsAt(episode.Length)[agent] = action;
                }
            }
            while (recorder.Step(ref rng));
            return episode;
        }
    }

    [Fact]
    public void WithoutAnEnvironmentThatCanBeSavedTheyAreLearned()
    {
        using var trainer = new Trainer(Games.Configure("ia2c", "test", 400, settings: ["hidden=8", "reward=aristocratic", "rewardModel=true"]), () => new Unsaved());
        Assert.True(trainer.Run().Finished);
        Assert.Contains(trainer.Learner.Statistics.Metrics, metric => metric.Name == "rewardModelLoss" && metric.Value > 0);
        Assert.ThrowsAny<Exception>(() => Games.Train(Games.Configure("ia2c", "test", 400, settings: ["hidden=8", "reward=aristocratic"]), () => new Unsaved()));
    }

    [Fact]
    public void TheyAreDifferenceRewards()
        => Assert.Contains("reward=difference", Assert.Throws<UsageException>(
            () => Games.Train(Games.Configure("ia2c", "climbing", 100, settings: "rewardModel=true"))).Message, StringComparison.Ordinal);

    /// <summary>The identity game, which cannot be restored.</summary>
    private sealed class Unsaved : IEnvironment
    {
        private readonly IdentityGame game = new();

        public EnvironmentSpec Spec => game.Spec;

        public void Reset(ref Rng rng) => game.Reset(ref rng);

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng) => game.Step(actions, rewards, ref rng);

        public void Observe(int agent, Span<float> observation) => game.Observe(agent, observation);

        public void Save(Span<double> snapshot) => throw new NotSupportedException();

        public void Restore(ReadOnlySpan<double> snapshot) => throw new NotSupportedException();
    }
}
