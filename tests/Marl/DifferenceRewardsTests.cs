using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Rewards for what an agent's own choice was worth.</summary>
public sealed class DifferenceRewardsTests
{
    public static TheoryData<string> Ids => [.. Catalog.EnvironmentIds.Where(id => Catalog.CreateEnvironment(id).Spec.ActionLayout is { Branches: 1, VectorSize: 0 })];

    [Theory]
    [InlineData(RewardMode.Difference, 0, 36f, 6f)] // 6 - -30, 6 - 0
    [InlineData(RewardMode.Difference, 1, -1f, 0f)] // 6 - 7, 6 - 6
    [InlineData(RewardMode.Aristocratic, 0, 17.75f, 1.7f)] // 6 - (-15 + 1.75 + 1.5), 6 - (0 + 1.8 + 2.5)
    public void OfAMatrixGameTheyAreWhatOneCalculates(RewardMode mode, int defaultAction, float first, float second)
    {
        var (game, rng) = (MatrixGame.Climbing(), new Rng(1));
        var episode = new Episode(game.Spec, mode.Streams(game.Spec));
        var recorder = new EpisodeRecorder(game.Spec, new() { Mode = mode, DefaultAction = defaultAction });
        game.Reset(ref rng);
        recorder.Begin(game, episode);
        (episode.Actions[0], episode.Actions[1]) = (2, 1);
        if (mode == RewardMode.Aristocratic)
        {
            ((float[])[0.5f, 0.25f, 0.25f, 0.2f, 0.3f, 0.5f]).CopyTo(episode.Floats(Column.Policy).All);
        }
        Assert.True(recorder.Step(ref rng));
        Assert.Equal(2, episode.RewardStreams);
        Assert.Equal(first, episode.Rewards[0], 1e-5f);
        Assert.Equal(second, episode.Rewards[1], 1e-5f);
        Assert.Equal(6.0, episode.Return);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void TheEnvironmentGoesOnAsIfNothingHadBeenSimulated(string id)
    {
        var (left, natural) = Play(RewardMode.Natural);
        var (right, difference) = Play(RewardMode.Difference);
        Assert.Equal(left, right);
        Assert.Equal(natural.Observations.ToArray(), difference.Observations.ToArray());
        Assert.Equal(natural.States.ToArray(), difference.States.ToArray());
        Assert.Equal(natural.Available.ToArray(), difference.Available.ToArray());
        Assert.Equal(natural.Actions.ToArray(), difference.Actions.ToArray());
        Assert.Equal(natural.TeamReturns, difference.TeamReturns);
        Assert.Equal((natural.Length, natural.Terminated), (difference.Length, difference.Terminated));

        (double[] Snapshot, Episode Episode) Play(RewardMode mode)
        {
            var environment = Catalog.CreateEnvironment(id);
            var episode = Games.Play(() => environment, 3, mode);
            double[] snapshot = new double[environment.Spec.SnapshotSize];
            environment.Save(snapshot);
            return (snapshot, episode);
        }
    }

    [Fact]
    public void ChanceIsTheSameInEverySimulation()
    {
        var (game, rng) = (new NoisyGame(), new Rng(4));
        var episode = new Episode(game.Spec, RewardMode.Difference.Streams(game.Spec));
        var recorder = new EpisodeRecorder(game.Spec, new() { Mode = RewardMode.Difference });
        game.Reset(ref rng);
        recorder.Begin(game, episode);
        int[] expected = new int[2 * NoisyGame.Limit];
        do
        {
            for (int agent = 0; agent < 2; agent++)
            {
                // Action 0 is not to be had in odd steps: 1 is the first that is, for the default as for the choice.
                int first = episode.Length % 2, action = Math.Max(first, (episode.Length + agent) % 3);
                episode.ActionsAt(episode.Length)[agent] = action;
                expected[2 * episode.Length + agent] = action - first;
            }
        }
        while (recorder.Step(ref rng));
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], episode.Rewards[i], 1e-3f);
        }
        Assert.True(Math.Abs(episode.Return) > 100);
    }

    [Theory]
    [InlineData("ia2c", "difference")]
    [InlineData("coma", "aristocratic")]
    [InlineData("iql", "aristocratic")]
    public void AnyLearnerWithoutACommonValueTakesThem(string algorithm, string reward)
        => Assert.True(Games.Train(Games.Configure(algorithm, "lbf:5x5-2p-1f", 300, threads: 2, settings: ["hidden=8", $"reward={reward}"])).Finished);

    [Fact]
    public void WhatCannotBeIsRefused()
    {
        Assert.Contains("mixer", Refusal("vdn", "reward=difference"), StringComparison.Ordinal);
        Assert.Contains("defaultAction", Refusal("ia2c", "reward=difference", "defaultAction=6"), StringComparison.Ordinal);

        static string Refusal(string algorithm, params string[] settings)
            => Assert.Throws<UsageException>(() => new Trainer(Games.Configure(algorithm, "lbf:5x5-2p-1f", 10, settings: settings))).Message;
    }

    /// <summary>Everyone earns the sum of the actions and a great random number, which also decides what follows.</summary>
    private sealed class NoisyGame : IEnvironment
    {
        public const int Limit = 12;
        private double noise;
        private int step;

        public EnvironmentSpec Spec { get; } = EnvironmentSpec.Uniform("noisy", 2, 1, 3, Limit, 2) with { Reward = RewardMode.Mean };

        public void Reset(ref Rng rng) => (noise, step) = (0, 0);

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            noise = 100 * rng.NextNormal() + noise;
            rewards.Fill(noise + actions[0] + actions[1]);
            return ++step == Limit ? StepResult.Truncated : StepResult.Running;
        }

        public void Observe(int agent, Span<float> observation) => observation[0] = (float)noise;

        public void ReadAvailable(int agent, Span<bool> available)
        {
            available.Fill(true);
            available[0] = step % 2 == 0;
        }

        public void Save(Span<double> snapshot) => (snapshot[0], snapshot[1]) = (noise, step);

        public void Restore(ReadOnlySpan<double> snapshot) => (noise, step) = (snapshot[0], (int)snapshot[1]);
    }
}
