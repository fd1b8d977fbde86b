using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Learners, networks in training and the ranges of options: counts, intervals and bounds that no value of a loss shows.</summary>
public sealed class LearningTests
{
    [Theory]
    [InlineData("vdn", "gamma", "0", "-0.01"), InlineData("vdn", "gamma", "1", "1.01"), InlineData("vdn", "nStep", "1", "0")]
    [InlineData("vdn", "lambda", "0", "-0.01"), InlineData("vdn", "lambda", "1", "1.01"), InlineData("vdn", "learningRate", "1e-9", "0")]
    [InlineData("vdn", "maxGradientNorm", "0", "-1"), InlineData("vdn", "targetUpdateInterval", "1", "0")]
    [InlineData("vdn", "targetTau", "1e-9", "0"), InlineData("vdn", "targetTau", "1", "1.01"), InlineData("vdn", "hidden", "1", "0")]
    [InlineData("vdn", "batchSize", "1", "0"), InlineData("vdn", "bufferSize", "32", "31"), InlineData("vdn", "updatesPerEpisode", "0", "-1")]
    [InlineData("vdn", "updatesPerEpisode", "1000000", "1000001"), InlineData("vdn", "exploration.epsilonFinish", "0", "-0.1")]
    [InlineData("ia2c", "criticLearningRate", "0", "-1"), InlineData("ia2c", "entropyCoefficient", "0", "-1"), InlineData("ia2c", "epochs", "1", "0")]
    [InlineData("ia2c", "minibatches", "1", "0"), InlineData("ia2c", "criticHidden", "1", "0")]
    [InlineData("vdn", "agent.layers", "0", "-1"), InlineData("ia2c", "criticNetwork.layers", "1", "0"), InlineData("ia2c", "criticSteps", "1", "0")]
    public void AnOptionHasARange(string algorithm, string option, string within, string beyond)
    {
        Create(algorithm, $"{option}={within}");
        var error = Assert.Throws<UsageException>(() => Create(algorithm, $"{option}={beyond}"));
        Assert.Contains(option.Split('.')[^1], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OptionsThatExcludeEachOtherAreRefused()
    {
        Create("ia2c", "standardizeReturns=true", "standardizeRewards=false");
        Assert.Throws<UsageException>(() => Create("ia2c", "standardizeReturns=true", "standardizeRewards=true"));
        Create("ia2c", "environments=6", "minibatches=3");
        Assert.Contains("is not a multiple of minibatches=4",
            Assert.Throws<UsageException>(() => Create("ia2c", "environments=6", "minibatches=4")).Message, StringComparison.Ordinal);
        Assert.Contains("rolloutLength is for on-policy algorithms",
            Assert.Throws<UsageException>(() => Create("vdn", "rolloutLength=1")).Message, StringComparison.Ordinal);
        Create("vdn", "rolloutLength=0");
    }

    [Fact]
    public void AlgorithmsOfDiscreteActionsRefuseContinuousOnes()
    {
        Games.Train(Games.Configure("maddpg", "mpe:spread?actions=continuous&steps=2", 40, settings: Games.TinyFor("maddpg")));
        Assert.Contains("continuous", Assert.Throws<UsageException>(
            () => new Trainer(Games.Configure("vdn", "mpe:spread?actions=continuous&steps=2", 40, settings: Games.Tiny))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RewardsAreStandardizedByDefault()
    {
        Assert.True(new VdnOptions().StandardizeRewards);
        Assert.True(new Ia2cOptions().StandardizeRewards);
    }

    [Fact]
    public void RivalsHaveNoCommonReward()
    {
        using var workers = new Workers(1);
        var spec = new EnvironmentSpec { Id = "rivals", Agents = [new(1, 2), new(1, 2, Team: 1)], EpisodeLimit = 1, SnapshotSize = 0, StateSize = 0 };
        var error = Assert.Throws<UsageException>(() => new LearningContext(spec, workers).RequireCommonReward("a reason"));
        Assert.StartsWith("a reason; the 2 teams of rivals have rewards of their own", error.Message, StringComparison.Ordinal);
        var mates = spec with { Agents = [new(1, 2), new(1, 2)] };
        new LearningContext(mates, workers).RequireCommonReward("a reason");
        error = Assert.Throws<UsageException>(
            () => new LearningContext(mates, workers) { Rewards = new() { Mode = RewardMode.Individual } }.RequireCommonReward("a reason"));
        Assert.StartsWith("a reason; individual rewards need", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 0, 1), InlineData(7, 0, 1), InlineData(8, 0, 2), InlineData(16, 0, 4), InlineData(24, 0, 4), InlineData(32, 0, 4), InlineData(40, 0, 5)]
    [InlineData(64, 0, 8), InlineData(64, 3, 3), InlineData(2, 3, 2)]
    public void ABatchHasShardsByItsSize(int episodes, int shards, int count)
    {
        using var workers = new Workers(1);
        Assert.Equal(count, new LearningContext(new TwoStepGame().Spec, workers) { Shards = shards }.ShardCount(episodes));
    }

    [Fact]
    public void RowsOfARoundAreThoseOfTheLongestEpisodeOrOfTwoSegments()
    {
        using var workers = new Workers(1);
        var context = new LearningContext(new TwoStepGame().Spec, workers);
        Assert.Equal((3, 10), (context.MaxRows, (context with { RolloutLength = 5 }).MaxRows));
    }

    [Fact]
    public void AStepIsClippedAndTheTargetFollowsInItsInterval()
    {
        var options = new VdnOptions { Optimizer = new Sgd(), LearningRate = 1, MaxGradientNorm = 2.5f, TargetUpdateInterval = 2, TargetTau = 0.25f };
        var network = Network(options);
        float[] start = network.Online.Values.ToArray();
        Assert.Equal(start, network.Target.Values.ToArray());
        Step(network, 3, 4); // the norm is 5
        Assert.Equal(5, network.GradientNorm);
        float[] online = network.Online.Values.ToArray();
        Assert.Equal([start[0] - 1.5f, start[1] - 2], online, Close);
        network.UpdateTarget();
        Assert.Equal(start, network.Target.Values.ToArray());
        network.UpdateTarget();
        Assert.Equal([start[0] + 0.25f * (online[0] - start[0]), start[1] + 0.25f * (online[1] - start[1])], network.Target.Values.ToArray(), Close);

        var free = Network(options with { MaxGradientNorm = 0 });
        start = free.Online.Values.ToArray();
        Step(free, 300, 400);
        Assert.Equal([start[0] - 300, start[1] - 400], free.Online.Values.ToArray(), Close);
    }

    [Theory]
    [InlineData(float.NaN, 1, 2, "diverged at update 2: loss NaN, gradient norm 2.236068; the first tensor that is not finite is 'loss'")]
    [InlineData(1, 1, float.PositiveInfinity, "diverged at update 2: loss 1, gradient norm ∞; the first tensor that is not finite is 'x'")]
    public void WhatIsNotFiniteIsNamedAndChangesNothing(float loss, float first, float second, string message)
    {
        var network = Network(new VdnOptions());
        Step(network, 1, 1);
        network.UpdateTarget();
        float[] before = network.Online.Values.ToArray();
        var error = Assert.Throws<DivergedException>(() => Step(network, first, second, loss));
        Assert.Equal(message, error.Message.Replace("Infinity", "∞", StringComparison.Ordinal));
        Assert.Equal(before, network.Online.Values.ToArray());
        // The failure is reported once; the next step is a step again.
        Step(network, 1, 1);
        Assert.NotEqual(before, network.Online.Values.ToArray());
    }

    [Fact]
    public void AReportIsTheMeanOfItsShards()
    {
        var report = new LossReport(Device.Cpu, shards: 2, metrics: 2);
        Add(0, loss: 1, (0, 6, 2), (1, 10, 5), (1, 3, 6));
        Add(1, loss: 2, (0, 4, 4));
        report.Complete();
        Assert.Equal(3, report.Loss.ToScalar());
        Assert.Equal([4, 2.5f], report.Metrics().ToArray());
        Assert.Equal([4, 2.5f], report.Metrics().ToArray());
        var gradient = Tensor.Of([8, -2], 2);
        report.DivideBy(0, gradient);
        Assert.Equal([2, -0.5f], gradient.ToArray());
        Assert.Equal(0.75f, report.Loss.ToScalar());
        // A mean that is not positive divides nothing.
        report[0].Clear();
        report[1].Clear();
        report.DivideBy(0, gradient);
        Assert.Equal([2, -0.5f], gradient.ToArray());

        void Add(int shard, float loss, params (int Metric, float Sum, long Divisor)[] sums)
        {
            report[shard].Loss.CopyFrom([loss]);
            foreach (var (metric, sum, divisor) in sums)
            {
                report[shard].Add(metric, divisor).CopyFrom([sum]);
            }
        }
    }

    [Fact]
    public void UpdatesAreOwedByEpisodesOnceABatchIsThere()
    {
        using var trainer = Trainer("vdn", "batchSize=4", "updatesPerEpisode=0.75");
        var learner = trainer.Learner;
        int[] updates = [.. Enumerable.Range(0, 8).Select(episode =>
        {
            learner.Learn(Played(1, episode), 10);
            return (int)learner.Updates;
        })];
        // Before the fourth episode only what is left of a whole update is kept: 0.75, 0.5, 0.25.
        Assert.Equal([0, 0, 0, 1, 1, 2, 3, 4], updates);
    }

    [Theory]
    [InlineData("vdn", "prediction target")]
    [InlineData("maddpg", "value target criticLoss criticGradientNorm policyLoss policyGradientNorm")]
    [InlineData("ippo", "actorLoss entropy criticLoss value return clipFraction criticGradientNorm")]
    public void StatisticsHaveNames(string algorithm, string names)
    {
        using var trainer = Trainer(algorithm, "batchSize=5", "environments=5");
        trainer.Learner.Learn(Played(5), 10);
        var statistics = trainer.Learner.Statistics;
        Assert.True(float.IsFinite(statistics.Loss) && statistics.GradientNorm > 0);
        Assert.Equal(names, string.Join(' ', statistics.Metrics.Select(metric => metric.Name)));
        Assert.All(statistics.Metrics.Where(metric => metric.Name.EndsWith("GradientNorm", StringComparison.Ordinal)), metric => Assert.True(metric.Value > 0));
    }

    [Theory]
    [InlineData("qmix")]
    [InlineData("maddpg")]
    [InlineData("ippo")]
    public void ALearnerGoesOnFromItsArchive(string algorithm)
    {
        string[] settings = ["batchSize=3", "bufferSize=4", "environments=5", "minibatches=5", "epochs=2", "updatesPerEpisode=0.7", "standardizeRewards=true"];
        using var first = Trainer(algorithm, settings);
        using var second = Trainer(algorithm, settings);
        var snapshot = new Snapshot();
        first.Learner.Learn(Played(5), 5);
        snapshot.Save(first.Learner.Archive);
        snapshot.Restore(second.Learner.Archive);
        for (int round = 1; round < 3; round++)
        {
            first.Learner.Learn(Played(5, 5 * round), 5);
            second.Learner.Learn(Played(5, 5 * round), 5);
        }
        Assert.Equal(first.Learner.Updates, second.Learner.Updates);
        Assert.Equal(first.Learner.Parameters.Values.ToArray(), second.Learner.Parameters.Values.ToArray());
        Assert.Equal(first.Learner.Statistics.Metrics, second.Learner.Statistics.Metrics);
    }

    [Fact]
    public void ABatchHasAsManyEpisodesAsItWasMadeFor()
    {
        using var trainer = Trainer("vdn", "batchSize=4");
        var learner = (ReplayLearner)trainer.Learner;
        learner.Update(Played(4));
        Assert.Throws<ArgumentException>(() => learner.Update(Played(3)));
    }

    private static readonly IEqualityComparer<float> Close = EqualityComparer<float>.Create((x, y) => MathF.Abs(x - y) <= 1e-6f * MathF.Max(1, MathF.Abs(y)));

    private static void Create(string algorithm, params string[] settings)
    {
        using var workers = new Workers(1);
        var configuration = RunConfiguration.Of(algorithm, "two-step", null, settings);
        configuration.CreateLearner(configuration.Training.Context(new TwoStepGame().Spec, workers));
    }

    private static Trainer Trainer(string algorithm, params string[] settings)
        => new(Games.Configure(algorithm, "two-step", 100, settings: [.. Games.TinyFor(algorithm), .. Games.Known(algorithm, "two-step", settings)]));

    private static Episode[] Played(int count, int first = 0) => [.. Enumerable.Range(first, count).Select(i => Games.Play(() => new TwoStepGame(), i))];

    private static TrainedNetwork Network(AlgorithmOptions options)
    {
        var layout = new ParameterLayout();
        layout.Add("x", new Shape(2), Initializers.Constant(0.5f));
        return new("network", layout, options, new Rng(1), Device.Cpu);
    }

    private static void Step(TrainedNetwork network, float first, float second, float loss = 1)
    {
        network.Online.Gradient.CopyFrom([first, second]);
        network.Step(Tensor.Of([loss], 1));
    }
}
