using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>What must be true of every run: the answer of games whose answer is known, the same bits whoever computes them, no garbage.</summary>
public sealed class TrainingTests
{
    /// <summary>Every algorithm with recurrent agents, every mixer, and the settings in which an algorithm computes something else.</summary>
    public static TheoryData<string, string> Runs => With(Algorithms(continuous: null).Select(name => (name, "agent=gru"))
        .Concat(Games.Mixers.Select(mixer => ("vdn", $"mixer={mixer}"))),
    [
        ("iql", "reward=individual"), ("iql", "leniency=visits"), ("iql", "importance=step"),
        ("ia2c", "reward=difference rewardModel=true"), ("vdn", "agent=mlp"), ("vdn", "shareParameters=false"), ("qmix", "hypernetLayers=1"), ("qmix", "lambda=0.6"), ("vdn", "nStep=3"),
        ("qtran", "architecture=comaCritic"), ("qtran", "lambda=0.6"), ("qtran-alt", "agent=mlp"), ("qtran-alt", "doubleQ=false"),
        ("qplex", "kernelLayers=3"), ("cw-qmix", "doubleQ=false"), ("ow-qmix", "lambda=0.6"),
        ("ia2c", "shareParameters=false"), ("ia2c", "advantage=actionValue"), ("mappo", "advantage=stateBaseline"), ("ippo", "advantage=counterfactual"),
        ("coma", "criticSteps=3"), ("liir", "criticSteps=2"), ("pareto-ac", "shareParameters=true"), ("ippo", "reward=individual"), ("maa2c", "critic=both"), ("mappo", "epochs=2"),
        ("mappo", "standardizeRewards=false standardizeReturns=true popArt=true returnDecay=0.9"),
        ("pareto-ac", "agent=mlp"), ("liir", "lambda=0"), ("mappo", "criticNetwork=gru"), ("coma", "criticNetwork=gru"), ("liir", "criticNetwork=gru"),
        ("maddpg", "shareParameters=false"), ("maddpg", "inferPolicies=true"), ("maddpg", "ensembleSize=2"), ("matd3", "reward=individual"), ("ddpg", "nStep=3"),
    ]);

    /// <summary>Continuous actions.</summary>
    public const string Numbers = "mpe:speaker-listener?actions=continuous&steps=6";

    public static TheoryData<string, string> NumberRuns => With(Algorithms(continuous: true).Select(name => (name, "agent=gru")),
        [("maddpg", "shareParameters=true"), ("maddpg", "inferPolicies=true"), ("maddpg", "ensembleSize=2"), ("matd3", "lastAction=true")]);

    /// <summary>Actions with branches, and with a continuous part.</summary>
    public const string Branches = "identity?branches=2", Parts = "identity?branches=2&points=1";

    public static TheoryData<string, string> BranchRuns => With(Catalog.Algorithms.Where(algorithm => algorithm.CreateOptions().SupportsBranches)
        .Select(algorithm => (algorithm.Name, "agent=gru lastAction=true")),
        [("vdn", "lambda=0.6 trace=retrace"), ("ippo", "rolloutLength=7 lastAction=true"), ("liir", "criticActions=true")]);

    public static TheoryData<string, string> PartRuns => With(Algorithms(continuous: true).Select(name => (name, "agent=gru lastAction=true")),
        [("maddpg", "inferPolicies=true"), ("maddpg", "ensembleSize=2"), ("maddpg", "sampleTargets=true shareParameters=false")]);

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
            foreach (var (name, setting) in new[] { ("qmix", "agent=gru"), ("qplex", "kernelLayers=2"), ("mappo", "minibatches=5"),
                ("mappo", "standardizeRewards=false standardizeReturns=true popArt=true returnDecay=0.9"), ("liir", "criticActions=true"),
                ("maddpg", "ensembleSize=3"), ("matd3", "inferPolicies=true"), ("iql", "leniency=visits"),
                ("iql", "reward=difference rewardModel=true"), ("ia2c", "reward=aristocratic rewardModel=true") })
            {
                data.Add(name, setting, Foraging);
            }
            data.Add("matd3", "lastAction=true", Numbers);
            data.Add("qmix", "agent=gru lastAction=true", Branches);
            data.Add("ippo", "rolloutLength=7 agent=gru lastAction=true", Branches);
            data.Add("maddpg", "ensembleSize=2 agent=gru lastAction=true", Parts);
            return data;
        }
    }

    private const string Foraging = "lbf:5x5-2p-1f";

    /// <summary>The names of all algorithms, or of those that learn continuous actions.</summary>
    private static IEnumerable<string> Algorithms(bool? continuous) => Catalog.Algorithms
        .Where(algorithm => continuous is null || algorithm.CreateOptions().SupportsContinuousActions == continuous).Select(algorithm => algorithm.Name);

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

    [Theory]
    [MemberData(nameof(BranchRuns))]
    public void WeightsDoNotDependOnTheNumberOfThreadsWithBranches(string algorithm, string setting) => CompareThreads(algorithm, Branches, setting);

    [Theory]
    [MemberData(nameof(PartRuns))]
    public void WeightsDoNotDependOnTheNumberOfThreadsWithParts(string algorithm, string setting) => CompareThreads(algorithm, Parts, setting);

    private static void CompareThreads(string algorithm, string environment, string setting)
    {
        string[] shas = [.. new[] { 1, 2, 3, 4, 8 }.Select(threads => Games.Train(
            Games.Configure(algorithm, environment, 400, threads: threads, settings: [.. Games.TinyFor(algorithm), .. setting.Split(" ")])).WeightsSha256)];
        Assert.Single(shas.Distinct());
        Assert.NotEqual(shas[0], Games.Train(Games.Configure(algorithm, environment, 400, seed: 2, settings: [.. Games.TinyFor(algorithm), .. setting.Split(" ")])).WeightsSha256);
    }

    [Theory]
    [MemberData(nameof(ResumedRuns))]
    public void AResumedRunEndsWithTheSameBits(string algorithm, string setting, string environment)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var configuration = Games.Configure(algorithm, environment, 1_000, settings: [.. Games.TinyFor(algorithm), .. setting.Split(" "), "checkpointInterval=200"]);
            var whole = Games.Train(configuration);
            using (var stopped = new Trainer(configuration, folder: RunFolder.New(path)))
            using (var stop = new CancellationTokenSource())
            {
                Assert.False(stopped.Run(onRound: (steps, _) =>
                {
                    if (steps > 450)
                    {
                        stop.Cancel();
                    }
                }, cancellationToken: stop.Token).Finished);
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

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void AnEnvironmentThatThrowsIsNamedWithTheStep(int rolloutLength)
    {
        var configuration = Games.Configure("ia2c", "identity", 400, settings: ["hidden=8", "environments=1", "threads=1", $"rolloutLength={rolloutLength}"]);
        int steps = 0;
        using var trainer = new Trainer(configuration, () => new Fragile(() => ++steps == 13 ? throw new InvalidOperationException("the door is stuck") : false));
        var error = Assert.Throws<EnvironmentException>(() => trainer.Run());
        Assert.Equal("environment 'identity?agents=2&actions=4&steps=10' failed at step 3 of an episode: InvalidOperationException: the door is stuck", error.Message);
        Assert.IsType<InvalidOperationException>(error.InnerException);
    }

    [Theory]
    [InlineData("qmix", "batchSize=4")]
    [InlineData("ippo", "rolloutLength=7")]
    [InlineData("ippo", "epochs=3")]
    [InlineData("ippo", "rolloutLength=7 reward=difference rewardModel=true")]
    public void ARunThatWasStoppedAnywhereEndsWithTheSameBits(string algorithm, string setting)
    {
        // In rounds and in evaluations, again and again.
        var configuration = Games.Configure(algorithm, "identity", 400, settings: [.. Games.TinyFor(algorithm), "evaluationInterval=80", .. setting.Split(" ")]);
        using var temporary = new TemporaryFolder();
        var whole = Train("whole", every: int.MaxValue);
        Assert.True(whole.Finished);
        foreach (int every in new[] { 150, 233, 401 })
        {
            string run = $"run{every}";
            var last = Train(run, every);
            Assert.False(last.Finished);
            for (int stops = 1; !last.Finished; stops++)
            {
                Assert.True(stops < 100, "it gets no further");
                last = Train(run, every);
            }
            Assert.Equal((whole.WeightsSha256, whole.ReturnMean, whole.ReturnMax), (last.WeightsSha256, last.ReturnMean, last.ReturnMax));
            Assert.Equal((whole.Steps, whole.Episodes), (last.Steps, last.Episodes));
            Assert.Equal(Rows("whole"), Rows(run));
        }

        TrainingSummary Train(string run, int every)
        {
            var folder = new RunFolder(temporary[run]);
            using var stop = new CancellationTokenSource();
            int fuse = every;
            IEnvironment Create() => new Fragile(() =>
            {
                if (--fuse == 0)
                {
                    stop.Cancel();
                }
                return false;
            });
            using var trainer = File.Exists(folder.Configuration) ? Trainer.Resume(folder, Create) : new Trainer(configuration, Create, folder);
            return trainer.Run(cancellationToken: stop.Token);
        }

        string[] Rows(string run) => [.. File.ReadLines(temporary[$"{run}/metrics.csv"]).Select(line => string.Join(',', line.Split(',')[..9]))];
    }

    [Theory]
    [InlineData("ippo", "epochs=4", "minibatches=5")]
    [InlineData("liir", "epochs=2", "minibatches=5")]
    [InlineData("ippo", "epochs=4", "minibatches=5", "reward=aristocratic", "rewardModel=true")]
    [InlineData("qmix", "updatesPerEpisode=3.5", "batchSize=4")]
    [InlineData("maddpg", "updatesPerEpisode=2", "batchSize=4")]
    public void ARunThatWasStoppedWhileItLearnedEndsWithTheSameBits(string algorithm, params string[] settings)
    {
        var configuration = Games.Configure(algorithm, "identity", 300, settings: [.. Games.TinyFor(algorithm), .. settings]);
        using var temporary = new TemporaryFolder();
        var whole = Train("whole", after: int.MaxValue);
        long updates = 0;
        foreach (int after in new[] { 30, 31, 47, 64 })
        {
            string run = $"run{after}";
            var stopped = Train(run, after);
            Assert.False(stopped.Finished);
            updates = Math.Max(updates, stopped.Updates);
            Assert.Equal((whole.WeightsSha256, whole.Updates), (Train(run, int.MaxValue).WeightsSha256, Train(run, int.MaxValue).Updates));
        }
        Assert.InRange(updates, 1, whole.Updates - 1);

        TrainingSummary Train(string run, int after)
        {
            var folder = new RunFolder(temporary[run]);
            using var stop = new CancellationTokenSource();
            // A step of an optimizer asks for the end.
            int left = after;
            var device = new FaultyDevice(name =>
            {
                if (name == "Update" && --left == 0)
                {
                    stop.Cancel();
                }
            });
            using var trainer = File.Exists(folder.Configuration) ? Trainer.Resume(folder, device: device) : new Trainer(configuration, folder: folder, device: device);
            if (((trainer.Learner as DifferenceLearner)?.Learner ?? trainer.Learner) is OnPolicyLearner learner)
            {
                learner.ShortestCancelable = TimeSpan.Zero;
            }
            return trainer.Run(cancellationToken: stop.Token);
        }
    }

    [Theory]
    [InlineData("ippo")]
    [InlineData("mappo")]
    [InlineData("liir")]
    public void LearningThatIsStoppedIsUndone(string algorithm)
    {
        using var trainer = new Trainer(Games.Configure(algorithm, "identity", 300, threads: 2, settings: [.. Games.TinyFor(algorithm), "epochs=3"]));
        using var stop = new CancellationTokenSource();
        Episode[] round = [.. Enumerable.Range(0, 5).Select(i => Games.Play(() => new IdentityGame(), i))];
        ((OnPolicyLearner)trainer.Learner).ShortestCancelable = TimeSpan.Zero;
        trainer.Learner.Learn(round, 0);
        float[] before = trainer.Learner.Parameters.Values.ToArray();
        trainer.Learner.Learn(round, 0, stop.Token);
        float[] after = trainer.Learner.Parameters.Values.ToArray();
        Assert.NotEqual(before, after);
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => trainer.Learner.Learn(round, 0, stop.Token));
        Assert.Equal(2, trainer.Learner.Updates);
        Assert.Equal(after, trainer.Learner.Parameters.Values.ToArray());
    }

    [Fact]
    public void PendingUpdatesAreCountedExactly()
    {
        // 2^25 and one more: a float does not know the difference.
        using var trainer = new Trainer(Games.Configure("vdn", "two-step", 300, settings: [.. Games.Tiny, "batchSize=1", "updatesPerEpisode=1000000", "environments=40"]));
        using var stop = new CancellationTokenSource();
        Episode[] round = [.. Enumerable.Range(0, 40).Select(i => Games.Play(() => new TwoStepGame(), i))];
        stop.Cancel();
        trainer.Learner.Learn(round, 0, stop.Token);
        var saved = new Pending();
        trainer.Learner.Archive(saved);
        Assert.Equal(40_000_000.0, saved.Value);
        trainer.Learner.Learn(round.AsSpan(0, 1), 0, stop.Token);
        trainer.Learner.Archive(saved);
        Assert.Equal(41_000_000.0, saved.Value);
        Assert.Equal(0, trainer.Learner.Updates);
    }

    /// <summary>An archive that only looks for the pending updates.</summary>
    private sealed class Pending : IArchive
    {
        public bool IsLoading => false;

        public double Value { get; private set; }

        public IArchive Scope(string name) => this;

        public void Array<T>(string name, Span<T> values) where T : unmanaged => Value = name == "pendingUpdates" ? (double)(object)values[0] : Value;

        public void Tensor(string name, Tensor values)
        {
        }
    }

    [Fact]
    public void ARoundThatIsLongerThanTheRunIsRefused()
    {
        Assert.Equal("a round of environments=100000 takes at least 100000 steps, more than steps=1000; lower environments or raise steps",
            Assert.Throws<UsageException>(() => new Trainer(Games.Configure("vdn", "two-step", 1000, settings: "environments=100000"))).Message);
        Assert.Equal("a round of environments=8 and rolloutLength=200 takes at least 1600 steps, more than steps=1000; lower environments or raise steps",
            Assert.Throws<UsageException>(() => new Trainer(Games.Configure("ippo", "two-step", 1000, settings: ["environments=8", "rolloutLength=200"]))).Message);
        // Less than one round more: five episodes of ten steps.
        Assert.InRange(Games.Train(Games.Configure("vdn", "identity", 101, settings: Games.Tiny)).Steps, 101, 150);
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
    [InlineData("liir", "LIIR maximizes")]
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
        Assert.StartsWith("the state is an input of the critic", e.Message, StringComparison.Ordinal);
        Assert.EndsWith(remedy, e.Message, StringComparison.Ordinal);
    }
}
