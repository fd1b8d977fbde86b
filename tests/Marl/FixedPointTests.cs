using System.Globalization;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>
/// Whole training runs that converge to values that can be computed by hand. In <see cref="Constant"/> all rows look alike, so a network has one value v for
/// all of them, and it learns the fixed point of v = mean_t G_t(v): every reward is 1, gamma is 0.9, and an episode has 5 steps.
/// </summary>
public sealed class FixedPointTests
{
    private const double Gamma = 0.9;
    private const int Limit = 5;

    /// <summary>Small networks that converge in some hundred updates: every target is computed with the newest weights.</summary>
    private static readonly string[] quick =
    [
        "agent=mlp", "hidden=8", "criticHidden=8", "mixer.embed=16", "mixer.hypernetEmbed=16", "mixingEmbed=8", "centralHidden=8", "centralEmbed=8",
        "optimizer=adam", "learningRate=0.01", "criticLearningRate=0.01", "maxGradientNorm=0", "targetTau=1", "targetUpdateInterval=1", "gamma=0.9",
        "standardizeRewards=false", "standardizeReturns=false", "intrinsicWeight=0", "environments=1", "batchSize=1", "bufferSize=1", "epsilonFinish=1",
    ];

    /// <summary>Every algorithm that learns a value, with every kind of return that it has.</summary>
    public static TheoryData<string, string> Values
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string algorithm in Algorithms.Where(name => name != "reinforce"))
            {
                bool hasLambda = Catalog.FindAlgorithm(algorithm).CreateOptions() is not MaddpgOptions;
                foreach (string returns in hasLambda ? (string[])["nStep=1", "nStep=3", "nStep=5", "lambda=0.95"] : ["nStep=1", "nStep=3", "nStep=5"])
                {
                    data.Add(algorithm, returns);
                }
            }
            foreach (string advantage in (string[])["actionValue", "stateBaseline", "counterfactual"])
            {
                data.Add("ia2c", $"nStep=3 advantage={advantage}");
                data.Add("mappo", $"lambda=0.95 advantage={advantage}");
            }
            return data;
        }
    }

    /// <summary>The algorithms that act greedily, with and without double Q-learning. QPLEX is not among them: its value depends on which actions are
    /// available, so to it rows are not alike.</summary>
    public static TheoryData<string, bool> Greedy
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (string algorithm in Algorithms.Where(name => Catalog.FindAlgorithm(name).CreateOptions() is ValueOptions and not QplexOptions))
            {
                data.Add(algorithm, true);
                data.Add(algorithm, false);
            }
            return data;
        }
    }

    public static TheoryData<string> Names => [.. Algorithms];

    private static IEnumerable<string> Algorithms => Catalog.Algorithms.Select(algorithm => algorithm.Name);

    [Theory]
    [InlineData(true, "nStep=1", 3.571)] // 1 / (1 - 0.9 4/5)
    [InlineData(true, "nStep=3", 3.114)] // (3 2.71 + 1.9 + 1) / 5 / (1 - 0.729 2/5)
    [InlineData(true, "nStep=5", 2.629)] // (4.0951 + 3.439 + 2.71 + 1.9 + 1) / 5
    [InlineData(true, "lambda=0.95", 2.689)]
    [InlineData(false, "nStep=1", 10)] // 1 / (1 - 0.9)
    [InlineData(false, "nStep=3", 10)]
    [InlineData(false, "nStep=5", 10)]
    [InlineData(false, "lambda=0.95", 10)]
    public void FixedPointsOfAConstantReward(bool terminates, string returns, double value) => Assert.Equal(value, FixedPoint(terminates, returns), 5e-4);

    [Theory]
    [MemberData(nameof(Values))]
    public void ATerminalStateHasNoValue(string algorithm, string returns)
        => Assert.Equal(FixedPoint(true, returns), Learned(algorithm, () => new Constant(StepResult.Terminated), returns.Split(' ')), 0.02);

    [Theory]
    [MemberData(nameof(Values))]
    public void ATruncatedEpisodeBootstraps(string algorithm, string returns)
        => Assert.Equal(10, Learned(algorithm, () => new Constant(StepResult.Truncated), returns.Split(' ')), 0.1);

    [Theory]
    [MemberData(nameof(Names))]
    public void ATimeLimitTerminatesWhereThatIsAsked(string algorithm)
        => Assert.Equal(FixedPoint(true, algorithm == "reinforce" ? "nStep=5" : "nStep=3"),
            Learned(algorithm, () => new Constant(StepResult.Truncated), "nStep=3", "terminateAtLimit=true"), 0.02);

    [Theory]
    [InlineData("ia2c")]
    [InlineData("ippo")]
    [InlineData("maa2c")]
    [InlineData("mappo")]
    [InlineData("vdac")]
    [InlineData("coma")]
    [InlineData("pareto-ac")]
    [InlineData("liir")]
    public void EndsWithinASegmentAreEnds(string algorithm)
    {
        // Segments of 7 steps begin and end anywhere in the episodes; one-step returns do not depend on where.
        Assert.Equal(FixedPoint(true, "nStep=1"),
            Learned(algorithm, () => new Constant(StepResult.Terminated), "nStep=1", "rolloutLength=7", "environments=5"), 0.1);
        Assert.Equal(10, Learned(algorithm, () => new Constant(StepResult.Truncated), "nStep=3", "rolloutLength=7"), 0.1);
    }

    [Theory]
    [InlineData(StepResult.Terminated)]
    [InlineData(StepResult.Truncated)]
    public void ReinforceDoesNotBootstrap(StepResult end)
        => Assert.Equal(FixedPoint(true, "nStep=5"), Learned("reinforce", () => new Constant(end), "nStep=1"), 1e-3);

    [Fact]
    public void OptimisticWeightsLearnAnExpectile()
    {
        // Q* is the mean of the targets y = 1 + 0.9 Q* (4 of 5 steps) and y = 1. Errors of a Q_tot above its target count half:
        // 4 (y - Q_tot) = 0.5 (Q_tot - 1).
        double star = FixedPoint(true, "nStep=1"), y = 1 + Gamma * star;
        Assert.Equal((4 * y + 0.5) / 4.5, Learned("ow-qmix", () => new Constant(StepResult.Terminated), "nStep=1", "alpha=0.5"), 0.02);
    }

    [Theory]
    [InlineData("maddpg")]
    [InlineData("matd3")]
    [InlineData("ddpg")]
    public void ContinuousActionsChangeNothing(string algorithm)
    {
        Assert.Equal(FixedPoint(true, "nStep=3"), Learned(algorithm, () => new Constant(StepResult.Terminated, continuous: true), "nStep=3"), 0.1);
        Assert.Equal(10, Learned(algorithm, () => new Constant(StepResult.Truncated, continuous: true), "nStep=3"), 0.1);
    }

    [Theory]
    [MemberData(nameof(Greedy))]
    public void TargetsAreMaximaOverAvailableActions(string algorithm, bool doubleQ)
    {
        int updates = Catalog.FindAlgorithm(algorithm).CreateOptions() is QtranOptions ? 400 : 160;
        foreach (var end in (StepResult[])[StepResult.Terminated, StepResult.Truncated])
        {
            using var trainer = NewTrainer(algorithm, () => new Choices(end), Choices.Batch($"doubleQ={doubleQ}", $"updatesPerEpisode={updates}"));
            Choices.Learn(trainer, end);
            double[] q = Choices.Table(end);
            // The rows of every action, 7 to 7 to 4.
            Assert.Equal((7 * q[0] + 7 * q[1] + 4 * q[2]) / 18, Metric(trainer), 0.01 * q[2]);
            if (algorithm is "iql" or "vdn")
            {
                Assert.All(Choices.Learned(trainer).Zip(q), pair => Assert.Equal(pair.Second, pair.First, 0.01 * q[2]));
            }
        }
    }

    [Theory]
    [InlineData("iql")]
    [InlineData("vdn")]
    public void TheOnlineNetworkSelectsAndTheTargetNetworkEvaluates(string algorithm)
    {
        foreach (var end in (StepResult[])[StepResult.Terminated, StepResult.Truncated])
        {
            // The target network keeps its values. What is learned is greater for greater actions: double Q-learning bootstraps from action 1 where action 2
            // is not available, else from action 2.
            Check(end, doubleQ: true, odd: 1, even: 2, 5, 1, 2);
            Check(end, doubleQ: false, odd: 5, even: 5, 5, 1, 2);
            Check(end, doubleQ: false, odd: 5, even: 7, 5, 1, 7);
        }

        void Check(StepResult end, bool doubleQ, double odd, double even, params float[] target)
        {
            using var trainer = NewTrainer(algorithm, () => new Choices(end), Choices.Batch($"doubleQ={doubleQ}", "targetUpdateInterval=1000000000"));
            var parameters = ((ReplayLearner)trainer.Learner).TargetParameters;
            parameters.Values.Span.Clear();
            target.CopyTo(parameters[parameters.Layout.Slices.Single(slice => slice.Name == "agent.fc2.bias")].Span);
            Choices.Learn(trainer, end);
            double[] q = Choices.Table(end, odd, even);
            Assert.All(Choices.Learned(trainer).Zip(q), pair => Assert.Equal(pair.Second, pair.First, 0.01 * q[2]));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void RewardsAMillionTimesAsLargeAreLearnedAlike(string algorithm)
    {
        var (one, million) = (Train(1), Train(1e6));
        Assert.Equal(one.Return, million.Return / 1e6, 1e-9);
        for (int i = 0; i < one.Weights.Length; i++)
        {
            Assert.Equal(one.Weights[i], million.Weights[i], 1e-3);
        }

        (double Return, float[] Weights) Train(double scale)
        {
            using var trainer = new Trainer(Games.Configure(algorithm, "lbf:5x5-2p-1f", 1_000,
                settings:
                [.. Games.Known(algorithm, "lbf:5x5-2p-1f", "standardizeReturns=false"), "standardizeRewards=true", .. Games.TinyFor(algorithm), "agent=mlp",
                "learningRate=0.001"]), () => new Scaled(scale));
            var summary = trainer.Run();
            return (summary.ReturnMean, trainer.Learner.Parameters.Values.ToArray());
        }
    }

    /// <summary>The solution of v = mean_t G_t(v), which is linear in v.</summary>
    private static double FixedPoint(bool terminates, string returns)
    {
        double argument = double.Parse(returns.Split(' ')[0].Split('=')[1], CultureInfo.InvariantCulture);
        double constant = MeanReturn(0), slope = MeanReturn(1) - constant;
        return constant / (1 - slope);

        double MeanReturn(double v) => Enumerable.Range(1, Limit).Average(remaining
            => returns.StartsWith("nStep", StringComparison.Ordinal) ? NStep(Math.Min((int)argument, remaining), remaining, v) : Lambda(remaining, v));

        // n rewards, and the value of the row after them.
        double NStep(int n, int remaining, double v)
            => (1 - Math.Pow(Gamma, n)) / (1 - Gamma) + (n == remaining && terminates ? 0 : Math.Pow(Gamma, n) * v);

        // The forward view: a weighted mean of all n-step returns (Sutton and Barto 2018, equation 12.3).
        double Lambda(int remaining, double v) => Math.Pow(argument, remaining - 1) * NStep(remaining, remaining, v)
            + Enumerable.Range(1, remaining - 1).Sum(n => (1 - argument) * Math.Pow(argument, n - 1) * NStep(n, remaining, v));
    }

    /// <summary>Trains and returns the mean of the learned values in the last batch.</summary>
    private static double Learned(string algorithm, Func<IEnvironment> create, params string[] settings)
    {
        using var trainer = NewTrainer(algorithm, create, settings);
        trainer.Run();
        return Metric(trainer);
    }

    private static Trainer NewTrainer(string algorithm, Func<IEnvironment> create, params string[] settings)
    {
        // With alpha 1 weighted QMIX weighs all errors alike.
        string[] weights = Catalog.FindAlgorithm(algorithm).CreateOptions() is WeightedQmixOptions ? ["alpha=1"] : [];
        return new(Games.Configure(algorithm, create().Spec.Id, 4_000,
            settings: [.. Games.Known(algorithm, "lbf:5x5-2p-1f", quick), "lambda=0", .. weights, .. settings]), create);
    }

    /// <summary>The learned value; of REINFORCE, which learns none, the return.</summary>
    private static double Metric(Trainer trainer)
    {
        string name = trainer.Configuration.Algorithm == "reinforce" ? "return"
            : trainer.Configuration.Options is ReplayOptions and not MaddpgOptions ? "prediction" : "value";
        return trainer.Learner.Statistics.Metrics.Single(metric => metric.Name == name).Value;
    }

    /// <summary>Two agents that see the same in every row, and receive a reward of 1 in every step. The second of two discrete actions is never
    /// available.</summary>
    private sealed class Constant(StepResult end, bool continuous = false) : IEnvironment
    {
        private int step;

        public EnvironmentSpec Spec { get; } = new()
        {
            Id = "constant",
            Agents = [.. Enumerable.Repeat(new AgentSpec(1, 2, Box: continuous ? new ActionBox(-1, 1) : null), 2)],
            StateSize = 1,
            EpisodeLimit = Limit,
            SnapshotSize = 1,
            Reward = RewardMode.Mean,
        };

        public void Reset(ref Rng rng) => step = 0;

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            rewards.Fill(1);
            return ++step == Limit ? end : StepResult.Running;
        }

        public void Observe(int agent, Span<float> observation) => observation[0] = 1;

        public void ReadState(Span<float> state) => state[0] = 1;

        public void ReadAvailable(int agent, Span<bool> available) => (available[0], available[1]) = (true, continuous);

        public void Save(Span<double> snapshot) => snapshot[0] = step;

        public void Restore(ReadOnlySpan<double> snapshot) => step = (int)snapshot[0];
    }

    /// <summary>
    /// One agent that sees the same in every row, for three steps. Action a has the reward a; action 2 is available in rows 0 and 2 only.
    /// </summary>
    private sealed class Choices(StepResult end) : IEnvironment
    {
        private const int Steps = 3, Episodes = 18;
        private int step;

        public EnvironmentSpec Spec { get; } = EnvironmentSpec.Uniform("choices", 1, 1, 3, Steps, 1);

        public static string[] Batch(params string[] more) => [$"batchSize={Episodes}", $"bufferSize={Episodes}", "updatesPerEpisode=80", .. more];

        /// <summary>The action values that all 18 episodes have in common, from the greatest values of the next row where it is odd and where it is even: of 7
        /// steps with action 0 or 1, 2 are the first, 3 the second and 2 the last of an episode; of 4 with action 2, 2 are the first and 2 the last.</summary>
        public static double[] Table(StepResult end, double odd, double even)
        {
            double last = end == StepResult.Terminated ? 0 : odd, next = Gamma * (2 * odd + 3 * even + 2 * last) / 7;
            return [next, 1 + next, 2 + Gamma * (2 * odd + 2 * last) / 4];
        }

        /// <summary>The fixed point of <see cref="Table(StepResult, double, double)"/>, in which a greater action has a greater value.</summary>
        public static double[] Table(StepResult end)
        {
            double[] q = new double[3];
            for (int i = 0; i < 1_000; i++)
            {
                q = Table(end, q[1], q[2]);
            }
            Assert.True(q[0] < q[1] && q[1] < q[2]);
            return q;
        }

        /// <summary>Learns from one episode of every sequence of actions.</summary>
        public static void Learn(Trainer trainer, StepResult end)
        {
            var (environment, rng, episodes) = (new Choices(end), new Rng(1), new Episode[Episodes]);
            for (int i = 0; i < Episodes; i++)
            {
                int[] actions = [i % 3, i / 3 % 2, i / 6];
                var recorder = new EpisodeRecorder(environment.Spec, new());
                episodes[i] = new Episode(environment.Spec);
                environment.Reset(ref rng);
                recorder.Begin(environment, episodes[i]);
                do
                {
                    episodes[i].ActionsAt(episodes[i].Length)[0] = actions[episodes[i].Length];
                }
                while (recorder.Step(ref rng));
            }
            trainer.Learner.Learn(episodes, 0);
        }

        /// <summary>The learned action values.</summary>
        public static float[] Learned(Trainer trainer)
        {
            var (environment, tape) = (new Choices(StepResult.Terminated), new Tape());
            var batch = new EpisodeBatch(environment.Spec, 1, 1);
            batch.Load([Games.Play(() => environment, 0)]);
            using (tape.NoGrad())
            {
                return trainer.Learner.Agent.Forward(tape.Bind(trainer.Learner.Parameters), batch).Value[0].ToArray();
            }
        }

        public void Reset(ref Rng rng) => step = 0;

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            rewards[0] = actions[0];
            return ++step == Steps ? end : StepResult.Running;
        }

        public void Observe(int agent, Span<float> observation) => observation[0] = 1;

        public void ReadAvailable(int agent, Span<bool> available)
        {
            available.Fill(true);
            available[2] = step % 2 == 0;
        }

        public void Save(Span<double> snapshot) => snapshot[0] = step;

        public void Restore(ReadOnlySpan<double> snapshot) => step = (int)snapshot[0];
    }

    /// <summary>The identity game with rewards in another unit.</summary>
    private sealed class Scaled(double scale) : IEnvironment
    {
        private readonly IdentityGame game = new(actions: 2);

        public EnvironmentSpec Spec => game.Spec;

        public void Reset(ref Rng rng) => game.Reset(ref rng);

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            var result = game.Step(actions, rewards, ref rng);
            foreach (ref double reward in rewards)
            {
                reward *= scale;
            }
            return result;
        }

        public void Observe(int agent, Span<float> observation) => game.Observe(agent, observation);

        public void Save(Span<double> snapshot) => game.Save(snapshot);

        public void Restore(ReadOnlySpan<double> snapshot) => game.Restore(snapshot);
    }
}
