using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Episodes, batches of them, replay, and the choice of actions.</summary>
public sealed class ExperienceTests
{
    private static Episode Foraging(int index) => Games.Play(() => Catalog.CreateEnvironment("lbf:5x5-2p-1f"), index);

    [Fact]
    public void ABatchIsTimeMajorPaddedAndMasked()
    {
        Episode[] episodes = [.. Enumerable.Range(0, 6).Select(Foraging)];
        Assert.NotEqual(episodes.Max(e => e.Length), episodes.Min(e => e.Length));
        var spec = Catalog.CreateEnvironment("lbf:5x5-2p-1f").Spec;
        var batch = new EpisodeBatch(spec, 8, 1);
        batch.Load([.. Enumerable.Range(6, 8).Select(Foraging)]);
        batch.Load(episodes);
        Assert.Equal(episodes.Max(e => e.Length), batch.Steps);
        Assert.Equal(new Shape(batch.Steps + 1, 6, 2, spec.ObservationSize), batch.Observations.Shape);
        for (int b = 0; b < 6; b++)
        {
            var e = episodes[b];
            for (int t = 0; t < batch.Steps; t++)
            {
                bool done = t < e.Length;
                Assert.Equal(done ? 1f : 0f, batch.Mask[t][b].ToScalar());
                Assert.Equal(t == e.Length - 1 && e.Terminated ? 1f : 0f, batch.Terminated[t][b].ToScalar());
                Assert.Equal(done ? e.Rewards[t] : 0f, batch.Rewards[t][b].ToScalar());
                for (int n = 0; n < 2; n++)
                {
                    Assert.Equal(done ? e.ActionsAt(t)[n] : 0f, batch.Actions[t][b][n].ToScalar());
                }
            }
            for (int t = 0; t <= batch.Steps; t++)
            {
                for (int n = 0; n < 2; n++)
                {
                    bool seen = t <= e.Length;
                    Assert.Equal(seen ? e.Observation(t, n).ToArray() : new float[spec.ObservationSize], batch.Observations[t][b][n].ToArray());
                    Assert.Equal(seen ? 1f : 0f, batch.Available[t][b][n].ToArray()[0]);
                }
            }
        }
    }

    [Fact]
    public void ATimeLimitIsATruncationUnlessAskedOtherwise()
    {
        var environment = Catalog.CreateEnvironment("climbing?steps=3");
        foreach (bool terminate in new[] { false, true })
        {
            var (episode, rng) = (new Episode(environment.Spec), new Rng(1));
            var recorder = new EpisodeRecorder(environment.Spec, new() { TerminateAtLimit = terminate });
            environment.Reset(ref rng);
            recorder.Begin(environment, episode);
            while (recorder.Step(ref rng))
            {
            }
            Assert.Equal((3, terminate), (episode.Length, episode.Terminated));
            Assert.Equal(33, episode.Return);
        }
    }

    [Theory]
    [InlineData(RewardMode.Natural, new[] { 0.5f + 0.25f })]
    [InlineData(RewardMode.Mean, new[] { 0.375f })]
    [InlineData(RewardMode.Individual, new[] { 0.5f, 0.25f })]
    public void RewardsAreCommonOrIndividual(RewardMode mode, float[] expected)
    {
        var (environment, rng) = (new FixedReward(), new Rng(1));
        var episode = new Episode(environment.Spec, mode.Streams(environment.Spec));
        var recorder = new EpisodeRecorder(environment.Spec, new() { Mode = mode });
        recorder.Begin(environment, episode);
        recorder.Step(ref rng);
        Assert.Equal(expected, episode.Rewards.ToArray());
        Assert.Equal(0.75, episode.Return);
    }

    [Fact]
    public void AgentsThatSeeOrCanDoLessArePadded()
    {
        var environment = new FixedReward();
        var episode = new Episode(environment.Spec);
        episode.Observations.Fill(9f);
        episode.Available.Fill(true);
        new EpisodeRecorder(environment.Spec).Begin(environment, episode);
        Assert.Equal([1f, 1f, 1f], episode.Observation(0, 0).ToArray());
        Assert.Equal([1f, 0f, 0f], episode.Observation(0, 1).ToArray());
        Assert.Equal([true, true, false, false], episode.AvailableActions(0, 0).ToArray());
        Assert.Equal([true, true, true, true], episode.AvailableActions(0, 1).ToArray());
    }

    [Fact]
    public void ReplayKeepsTheNewestAndSamplesEachAtMostOnce()
    {
        var replay = new ReplayBuffer(4);
        Episode[] episodes = [.. Enumerable.Range(0, 6).Select(Foraging)];
        Assert.All(episodes[..4], e => Assert.Null(replay.Add(e)));
        Assert.Same(episodes[0], replay.Add(episodes[4]));
        Assert.Same(episodes[1], replay.Add(episodes[5]));
        var rng = new Rng(5);
        var sample = new Episode[3];
        var seen = new Dictionary<Episode, int>();
        for (int draw = 0; draw < 4000; draw++)
        {
            replay.Sample(sample, ref rng);
            Assert.Equal(3, sample.Distinct().Count());
            foreach (var episode in sample)
            {
                seen[episode] = seen.GetValueOrDefault(episode) + 1;
            }
        }
        Assert.Equal(episodes[2..].ToHashSet(), seen.Keys.ToHashSet());
        Assert.All(seen.Values, count => Assert.InRange(count, 2850, 3150));
        Assert.Throws<InvalidOperationException>(() => replay.Sample(new Episode[5], ref rng));
    }

    [Fact]
    public void EpsilonGreedyNeverTakesWhatIsUnavailable()
    {
        var (selector, rng) = (new EpsilonGreedy(), new Rng(3));
        float[] values = [5, 1, 4, 4];
        bool[] available = [false, true, true, true];
        Assert.Equal(2, selector.Select(values, available, 0f, ref rng).Action);
        int[] counts = new int[4];
        for (int draw = 0; draw < 30_000; draw++)
        {
            counts[selector.Select(values, available, 0.3f, ref rng).Action]++;
        }
        Assert.Equal(0, counts[0]);
        Assert.InRange(counts[1], 2_700, 3_300);
        Assert.InRange(counts[2], 23_500, 24_500);
        Assert.InRange(counts[3], 2_700, 3_300);
    }

    [Fact]
    public void WorkersRunEveryShardOnceAndPassExceptionsOn()
    {
        using var workers = new Workers(3);
        int[] counts = new int[20];
        for (int round = 0; round < 50; round++)
        {
            workers.Run(20, (shard, _) => Interlocked.Increment(ref counts[shard]));
        }
        Assert.All(counts, count => Assert.Equal(50, count));
        Assert.Throws<NotSupportedException>(() => workers.Run(5, (_, _) => throw new NotSupportedException()));
        using var stop = new CancellationTokenSource();
        int run = 0;
        Assert.Throws<OperationCanceledException>(() => workers.Run(1000, (_, _) =>
        {
            Interlocked.Increment(ref run);
            stop.Cancel();
        }, stop.Token));
        Assert.InRange(run, 1, workers.Count);
        workers.Run(20, (shard, _) => counts[shard] = 0);
        Assert.All(counts, count => Assert.Equal(0, count));
    }

    [Fact]
    public void AgentsThatLearnAPolicyDrawFromItUntilTheyAreToldToBeGreedy()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using var trainer = new Trainer(Games.Configure("ia2c", "identity", 20, settings: ["hidden=8", "criticHidden=8", "evaluationEpisodes=40"]));
            var judged = trainer.Evaluate(40);
            Assert.InRange(judged.StandardDeviation, 0.01, double.PositiveInfinity); // an untrained policy has no habits
            trainer.Policy.Save(path);
            var (saved, loaded) = (trainer.Policy, Policy.Load(path));
            Assert.True(loaded.Description.Stochastic);
            var greedy = loaded.AsGreedy();
            ulong chances = trainer.Configuration.Training.Seed;
            double sum = 0;
            HashSet<string> drawn = [], likeliest = [];
            for (int i = 0; i < 40; i++)
            {
                // The streams of an evaluation.
                var rng = new Rng(chances).Split(RngPurpose.Evaluation);
                var (chance, choice) = (rng.Split(RngPurpose.Environment, i), rng.Split(RngPurpose.Exploration, i));
                var (chanceOfOther, choiceOfOther) = (chance, choice);
                var environment = Catalog.CreateEnvironment("identity");
                var episode = Policy.Play([saved], environment, ref chance, ref choice);
                Assert.Equal(episode.Actions.ToArray(), Policy.Play([loaded], environment, ref chanceOfOther, ref choiceOfOther).Actions.ToArray());
                sum += episode.Return;
                var sameGame = new Rng(3);
                drawn.Add(string.Join(' ', Policy.Play([loaded], environment, ref sameGame, ref choice).Actions.ToArray()));
                sameGame = new Rng(3);
                likeliest.Add(string.Join(' ', Policy.Play([greedy], environment, ref sameGame, ref choice).Actions.ToArray()));
            }
            Assert.Equal(judged.Mean, sum / 40, 1e-9);
            Assert.True(drawn.Count > 1);
            Assert.Single(likeliest);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void APolicyActsTheSameAfterSavingAndLoading()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using var trainer = new Trainer(Games.Configure("qmix", "lbf:5x5-2p-1f", 300, settings: [.. Games.Tiny, "lastAction=true"]));
            trainer.Run();
            trainer.Policy.Save(path);
            var (saved, loaded) = (trainer.Policy, Policy.Load(path));
            var (environment, rng) = (Catalog.CreateEnvironment("lbf:5x5-2p-1f"), new Rng(8));
            environment.Reset(ref rng);
            for (int step = 0; step < 20; step++)
            {
                int[] actions = saved.Act(environment, ref rng).Indices.ToArray();
                Assert.Equal(actions, loaded.Act(environment, ref rng).Indices.ToArray());
                environment.Step(actions, new double[2], ref rng);
            }
            Assert.Throws<ArgumentException>(() => { loaded.Act(new TwoStepGame(), ref rng); });
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Two unlike agents, rewards 0.5 and 0.25.</summary>
    private sealed class FixedReward : IEnvironment
    {
        public EnvironmentSpec Spec { get; } = new()
        {
            Id = "fixed",
            Agents = [new(3, 2), new(1, 4)],
            StateSize = 4,
            EpisodeLimit = 5,
            SnapshotSize = 0,
        };

        public void Reset(ref Rng rng)
        {
        }

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            (rewards[0], rewards[1]) = (0.5, 0.25);
            return StepResult.Running;
        }

        public void Observe(int agent, Span<float> observation) => observation.Fill(1f);

        public void Save(Span<double> snapshot)
        {
        }

        public void Restore(ReadOnlySpan<double> snapshot)
        {
        }
    }
}
