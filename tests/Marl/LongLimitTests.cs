using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Memory follows the steps that were recorded, not the most that an episode could have.</summary>
[Collection(nameof(Alone))]
public sealed class LongLimitTests
{
    private const int Limit = 1_000_000;

    [Theory]
    [InlineData("vdn", "bufferSize=500"), InlineData("maddpg", "ensembleSize=2"), InlineData("ippo", "minibatches=2"), InlineData("ippo", "rolloutLength=7")]
    [InlineData("liir", "entropyCoefficient=0")]
    public void ShortEpisodesOfALongLimitTrainInLittleMemory(string algorithm, string setting)
    {
        // By the limit, the observations of one episode alone are 160 MB.
        long before = GC.GetTotalAllocatedBytes(precise: true);
        var configuration = RunConfiguration.Of(algorithm, "short", null,
            [.. Games.TinyFor(algorithm), "agent=mlp", "steps=1000", "threads=1", "evaluationInterval=0", "evaluationEpisodes=4", "environments=4", setting]);
        using var trainer = new Trainer(configuration, () => new Short(Limit));
        Assert.True(trainer.Run().Finished);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 60_000_000);
    }

    [Fact]
    public void AnyLimitIsPossible()
    {
        using var trainer = new Trainer(Games.Configure("qmix", "short", 300, settings: [.. Games.Tiny]), () => new Short(int.MaxValue));
        Assert.True(trainer.Run().Finished);
    }

    [Fact]
    public void WhatAnArrayCannotHoldIsSaid()
    {
        var episode = new Episode(new Short(int.MaxValue).Spec);
        Assert.Contains("observations", Assert.Throws<InsufficientMemoryException>(() => episode.Length = 200_000_000).Message, StringComparison.Ordinal);
        Assert.Contains("more elements than a tensor can hold", Assert.Throws<InsufficientMemoryException>(
            () => new EpisodeBatch(new Schema(new Short(Limit).Spec, 1), 1, Device.Cpu, rows: 1L << 31)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEpisodeGrowsAndKeepsWhatItHas()
    {
        var environment = new Short(Limit) { Steps = 300 };
        var (episode, recorder, rng) = (new Episode(environment.Spec), new EpisodeRecorder(environment.Spec), new Rng(1));
        environment.Reset(ref rng);
        recorder.Begin(environment, episode);
        do
        {
            episode.ActionsAt(episode.Length).Fill(episode.Length % 2);
        }
        while (recorder.Step(ref rng));
        Assert.Equal((300, true), (episode.Length, episode.Terminated));
        for (int row = 0; row <= 300; row++)
        {
            Assert.Equal(row, episode.Observation(row, 1)[3]);
            Assert.Equal(row < 300 ? row % 2 : 0, episode.ActionsAt(row)[1]);
        }
    }

    /// <summary>Two agents whose episodes end after a few steps, although they may have many more.</summary>
    private sealed class Short(int limit) : IEnvironment
    {
        private int step;

        public int Steps { get; init; } = 5;

        public EnvironmentSpec Spec { get; } = EnvironmentSpec.Uniform("short", 2, 20, 2, limit, 1);

        public void Reset(ref Rng rng) => step = 0;

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            rewards.Fill(actions[0] == actions[1] ? 1 : 0);
            return ++step == Steps ? StepResult.Terminated : StepResult.Running;
        }

        public void Observe(int agent, Span<float> observation) => observation.Fill(step);

        public void Save(Span<double> snapshot) => snapshot[0] = step;

        public void Restore(ReadOnlySpan<double> snapshot) => step = (int)snapshot[0];
    }
}
