using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>What must be true of every run: the answer of games whose answer is known, the same bits whoever computes them, no garbage.</summary>
public sealed class TrainingTests
{
    /// <summary>Every algorithm with recurrent agents, every mixer, and the settings in which an algorithm computes something else.</summary>
    public static TheoryData<string, string> Runs => With(Algorithms(continuous: null).Select(name => (name, "agent=gru"))
        .Concat(Games.Mixers.Select(mixer => ("vdn", $"mixer={mixer}"))),
    [
        ("iql", "reward=individual"), ("vdn", "agent=mlp"), ("vdn", "shareParameters=false"), ("qmix", "hypernetLayers=1"), ("qmix", "lambda=0.6"), ("vdn", "nStep=3"),
        ("qtran", "architecture=comaCritic"), ("qtran", "lambda=0.6"), ("qtran-alt", "agent=mlp"), ("qtran-alt", "doubleQ=false"),
        ("qplex", "kernelLayers=3"), ("cw-qmix", "doubleQ=false"), ("ow-qmix", "lambda=0.6"),
        ("ia2c", "shareParameters=false"), ("ippo", "reward=individual"), ("maa2c", "critic=both"), ("mappo", "epochs=2"),
        ("pareto-ac", "agent=mlp"), ("liir", "lambda=0"), ("mappo", "criticNetwork=gru"), ("coma", "criticNetwork=gru"), ("liir", "criticNetwork=gru"),
        ("maddpg", "shareParameters=false"), ("maddpg", "inferPolicies=true"), ("maddpg", "ensembleSize=2"), ("matd3", "reward=individual"), ("ddpg", "nStep=3"),
    ]);

    /// <summary>Actions that are numbers.</summary>
    public const string Numbers = "mpe:speaker-listener?actions=continuous&steps=6";

    public static TheoryData<string, string> NumberRuns => With(Algorithms(continuous: true).Select(name => (name, "agent=gru")),
        [("maddpg", "shareParameters=true"), ("maddpg", "inferPolicies=true"), ("maddpg", "ensembleSize=2"), ("matd3", "lastAction=true")]);

    /// <summary>Every algorithm, and the settings in which it has more to remember.</summary>
    public static TheoryData<string, string, string> ResumedRuns
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (string name in Algorithms(continuous: null))
            {
                data.Add(name, "agent=mlp", Foraging);
            }
            foreach (var (name, setting) in new[] { ("qmix", "agent=gru"), ("qplex", "kernelLayers=2"), ("mappo", "minibatches=5"), ("liir", "criticActions=true"),
                ("maddpg", "ensembleSize=3"), ("matd3", "inferPolicies=true") })
            {
                data.Add(name, setting, Foraging);
            }
            data.Add("matd3", "lastAction=true", Numbers);
            return data;
        }
    }

    private const string Foraging = "lbf:5x5-2p-1f";

    /// <summary>The names of all algorithms, or of those that learn continuous actions.</summary>
    private static IEnumerable<string> Algorithms(bool? continuous) => Catalog.Algorithms
        .Where(algorithm => continuous is null || algorithm.CreateOptions().IsContinuous == continuous).Select(algorithm => algorithm.Name);

    private static TheoryData<string, string> With(IEnumerable<(string Algorithm, string Setting)> all, (string, string)[] more)
    {
        var data = new TheoryData<string, string>();
        foreach (var (algorithm, setting) in all.Concat(more))
        {
            data.Add(algorithm, setting);
        }
        return data;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void TwoStepGameSeparatesVdnFromQmix(ulong seed)
    {
        // Rashid et al. 2018, section "Two-Step Game": a sum cannot represent the payoffs of 2B, a monotone mixture can.
        Assert.Equal(7, Games.Train(Games.Configure("vdn", "two-step", 5_000, seed, 2)).ReturnMean);
        Assert.Equal(8, Games.Train(Games.Configure("qmix", "two-step", 5_000, seed, 2)).ReturnMean);
    }

    [Theory]
    [InlineData("qtran", 1)]
    [InlineData("qtran", 2)]
    [InlineData("qtran", 3)]
    [InlineData("qtran-alt", 1)]
    [InlineData("qtran-alt", 2)]
    [InlineData("qtran-alt", 3)]
    public void QtranFindsWhatASumNeverDoes(string algorithm, ulong seed)
    {
        // Son et al. 2019, matrix game: on average over what the other does, an agent's part in the best joint action is its worst action, and a sum is
        // fitted to averages; the joint value knows all payoffs.
        string[] small = ["agent=mlp", "hidden=32", "learningRate=0.002"];
        using var trainer = new Trainer(Games.Configure(algorithm, "qtran-game", 1_500, seed, settings: [.. small, "mixingEmbed=32"]));
        Assert.Equal(8, trainer.Run().ReturnMean);
        Assert.InRange(trainer.Learner.Statistics.Metrics.Single(metric => metric.Name == "tdLoss").Value, 0f, 0.5f);
        Assert.Equal(0, Games.Train(Games.Configure("vdn", "qtran-game", 1_500, seed, settings: small)).ReturnMean);
        Assert.Equal(8, Games.Train(Games.Configure(algorithm, "two-step", 5_000, seed, settings: "agent=mlp")).ReturnMean);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void WhatASumCannotRepresentIsFound(ulong seed)
    {
        // Son et al. 2019, matrix game, and Claus and Boutilier 1998: what is best together is worst for one whose partner acts at random, as all do here.
        Assert.Equal(0, Play("vdn", "qtran-game"));
        Assert.Equal(8, Play("qplex", "qtran-game"));
        Assert.Equal(8, Play("cw-qmix", "qtran-game"));
        Assert.Equal(8, Play("ow-qmix", "qtran-game"));
        Assert.Equal(5, Play("vdn", "climbing?steps=1"));
        Assert.Equal(11, Play("qplex", "climbing?steps=1"));

        double Play(string algorithm, string game) => Games.Train(Games.Configure(algorithm, game, 1_000, seed, settings: Games.Known(algorithm, game,
            "agent=mlp", "hidden=32", "mixer.hypernetEmbed=16", "optimizer=rmsprop", "optimizer.epsilon=1e-5", "learningRate=0.001", "targetUpdateInterval=100", "targetTau=1",
            "standardizeRewards=false", "bufferSize=500", "epsilonFinish=1", "epsilonAnneal=0", "terminateAtLimit=true",
            "centralHidden=32", "centralEmbed=32"))).ReturnMean;
    }

    [Fact]
    public void IndependentLearnersAnswerWhatTheySee()
        => Assert.Equal(10, Games.Train(Games.Configure("iql", "identity", 6_000, settings:
            ["agent=mlp", "hidden=32", "epsilonAnneal=3000", "learningRate=0.003", "targetTau=0.05", "targetUpdateInterval=1", "gamma=0.5"])).ReturnMean);

    [Theory]
    [MemberData(nameof(Runs))]
    public void WeightsDoNotDependOnTheNumberOfThreads(string algorithm, string setting) => CompareThreads(algorithm, Foraging, setting);

    [Theory]
    [MemberData(nameof(NumberRuns))]
    public void WeightsDoNotDependOnTheNumberOfThreadsWhereActionsAreNumbers(string algorithm, string setting) => CompareThreads(algorithm, Numbers, setting);

    private static void CompareThreads(string algorithm, string environment, string setting)
    {
        string[] shas = [.. new[] { 1, 2, 3, 4, 8 }.Select(threads => Games.Train(
            Games.Configure(algorithm, environment, 400, threads: threads, settings: [.. Games.TinyFor(algorithm), setting])).WeightsSha256)];
        Assert.Single(shas.Distinct());
        Assert.NotEqual(shas[0], Games.Train(Games.Configure(algorithm, environment, 400, seed: 2, settings: [.. Games.TinyFor(algorithm), setting])).WeightsSha256);
    }

    [Theory]
    [MemberData(nameof(ResumedRuns))]
    public void AResumedRunEndsWithTheSameBits(string algorithm, string setting, string environment)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var configuration = Games.Configure(algorithm, environment, 1_000, settings: [.. Games.TinyFor(algorithm), setting, "checkpointInterval=200"]);
            var whole = Games.Train(configuration);
            using (var stopped = new Trainer(configuration, folder: RunFolder.New(path)))
            using (var stop = new CancellationTokenSource())
            {
                Assert.False(stopped.Run(tick: (steps, _) =>
                {
                    if (steps > 450)
                    {
                        stop.Cancel();
                    }
                }, stop: stop.Token).Finished);
            }
            using var resumed = Trainer.Resume(new RunFolder(path));
            Assert.Equal(whole.WeightsSha256, resumed.Run().WeightsSha256);
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    [Fact]
    public void ARunWhoseEnvironmentFailedAnywhereEndsWithTheSameBits()
    {
        // Fails in rounds and in evaluations, at the beginning, in the middle and at the end of a run.
        var configuration = Games.Configure("qmix", "identity", 400, settings: [.. Games.Tiny, "evaluationInterval=80", "batchSize=4"]);
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var whole = Train(int.MaxValue, "whole", resumes: false);
            for (int fuse = 30; fuse < 600; fuse += 44)
            {
                string run = $"run{fuse}";
                Assert.Throws<EnvironmentException>(() => Train(fuse, run, resumes: false));
                var resumed = Train(int.MaxValue, run, resumes: true);
                Assert.Equal((whole.WeightsSha256, whole.ReturnMean, whole.ReturnMax), (resumed.WeightsSha256, resumed.ReturnMean, resumed.ReturnMax));
                Assert.Equal(Rows("whole"), Rows(run));
            }
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }

        TrainingSummary Train(int fuse, string run, bool resumes)
        {
            var folder = new RunFolder(Path.Combine(path, run));
            IEnvironment Create() => new Fragile(() => --fuse == 0);
            using var trainer = resumes ? Trainer.Resume(folder, Create) : new Trainer(configuration, Create, folder);
            return trainer.Run();
        }

        // Without the numbers of the last update, which a checkpoint does not hold, and without seconds.
        string[] Rows(string run) => [.. File.ReadLines(Path.Combine(path, run, "metrics.csv")).Select(line => string.Join(',', line.Split(',')[..9]))];
    }

    /// <summary>The identity game, until it fails.</summary>
    private sealed class Fragile(Func<bool> fails) : IEnvironment
    {
        private readonly IdentityGame game = new();

        public EnvironmentSpec Spec => game.Spec;

        public void Reset(ref Rng rng) => game.Reset(ref rng);

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
            => fails() ? throw new EnvironmentException("the fuse has blown") : game.Step(actions, rewards, ref rng);

        public void Observe(int agent, Span<float> observation) => game.Observe(agent, observation);

        public void Save(Span<double> snapshot) => game.Save(snapshot);

        public void Restore(ReadOnlySpan<double> snapshot) => game.Restore(snapshot);
    }

    [Fact]
    public void OneProcessAtATimeTrainsInAFolder()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using var first = new Trainer(Games.Configure("vdn", "two-step", 200, settings: Games.Tiny), folder: RunFolder.New(path));
            first.Run();
            using (var second = Trainer.Resume(new RunFolder(path)))
            {
                Assert.Contains("another process", Assert.Throws<UsageException>(() => second.Run()).Message, StringComparison.Ordinal);
            }
            first.Dispose();
            using var third = Trainer.Resume(new RunFolder(path));
            Assert.True(third.Run().Finished);
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    [Fact]
    public void ACheckpointOfAnotherNetworkIsRefused()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using (var trainer = new Trainer(Games.Configure("vdn", "two-step", 200, settings: Games.Tiny), folder: RunFolder.New(path)))
            {
                trainer.Run();
            }
            string configuration = Path.Combine(path, "config.json");
            File.WriteAllText(configuration, File.ReadAllText(configuration).Replace("\"hidden\": 8", "\"hidden\": 9", StringComparison.Ordinal));
            Assert.Contains("'learner.network.online", Assert.Throws<InvalidDataException>(() => Trainer.Resume(new RunFolder(path))).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    [Fact]
    public void DivergedNumbersStopTheRunAndNameTheTensor()
    {
        using var trainer = new Trainer(Games.Configure("qmix", "lbf:5x5-2p-1f", 400, settings: Games.Tiny));
        trainer.Learner.Parameters.Values.Span[3] = float.NaN;
        var e = Assert.Throws<DivergedException>(() => trainer.Run());
        Assert.Contains("update 1", e.Message, StringComparison.Ordinal);
        Assert.Contains("agent.fc1.weight", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vdn", "a mixer learns")]
    [InlineData("qtran", "QTRAN learns")]
    [InlineData("liir", "LIIR learns")]
    public void OneCommonValueRefusesIndividualRewards(string algorithm, string why)
    {
        var e = Assert.Throws<UsageException>(() => new Trainer(Games.Configure(algorithm, "lbf:5x5-2p-1f", 10, settings: ["reward=individual"])));
        Assert.StartsWith(why, e.Message, StringComparison.Ordinal);
        Assert.Contains("individual rewards need", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("maa2c", "ia2c and ippo need none")]
    [InlineData("pareto-ac", "ia2c and ippo need none")]
    [InlineData("coma", "use criticObservation=true")]
    [InlineData("liir", "use criticObservation=true")]
    public void ACriticThatWouldSeeNothingIsRefused(string algorithm, string remedy)
    {
        using var workers = new Workers(1);
        var spec = Catalog.CreateEnvironment("lbf:5x5-2p-1f").Spec with { StateSize = 0 };
        var configuration = Games.Configure(algorithm, "lbf:5x5-2p-1f", 10);
        var e = Assert.Throws<UsageException>(() => configuration.CreateLearner(configuration.Training.Context(spec, workers)));
        Assert.StartsWith("the critic cannot see the state", e.Message, StringComparison.Ordinal);
        Assert.EndsWith(remedy, e.Message, StringComparison.Ordinal);
    }
}
