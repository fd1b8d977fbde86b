using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Segments of fixed length, in which episodes end and begin: <see cref="TrainingOptions.RolloutLength"/>.</summary>
public sealed class SegmentTests
{
    private const string Foraging = "lbf:5x5-2p-1f?steps=9", Identity = "identity?steps=4";

    public static TheoryData<string, string[]> Algorithms => new()
    {
        { "ippo", ["lastAction=true", "epochs=2", "minibatches=3"] }, { "ippo", ["agent=mlp", "standardizeReturns=true", "standardizeRewards=false"] }, { "mappo", ["shareParameters=false", "lambda=0.9"] },
        { "ia2c", ["standardizeRewards=true", "nStep=3"] }, { "maa2c", ["critic=both", "lastAction=true", "normalizeAdvantages=true"] },
        { "coma", ["lastAction=true", "criticLastActions=true", "lambda=0.8"] }, { "pareto-ac", ["lastAction=true"] }, { "mappo", ["advantage=stateBaseline", "criticSteps=2"] }, { "ia2c", ["advantage=counterfactual"] },
        { "pareto-ac", ["shareParameters=true", "criticSteps=3"] }, { "mappo", ["criticNetwork=gru", "critic=both"] },
        { "liir", ["lambda=0.7", "criticLastActions=true", "criticActions=true"] }, { "liir", ["nStep=2", "lambda=0"] }, { "coma", ["terminateAtLimit=true", "lambda=0"] },
    };

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void ASegmentAsLongAsAnEpisodeIsTheEpisode(string algorithm, string[] settings)
    {
        string[] all = ["hidden=8", "criticHidden=8", "environments=6", .. settings];
        Assert.Equal(Games.Train(Games.Configure(algorithm, Identity, 300, settings: all)).WeightsSha256,
            Games.Train(Games.Configure(algorithm, Identity, 300, settings: [.. all, "rolloutLength=4"])).WeightsSha256);
    }

    /// <summary>Segments of two episodes each, and the same episodes one by one: the same returns, advantages and gradients of all networks.</summary>
    [Theory]
    [MemberData(nameof(Algorithms))]
    public void ASegmentOfEpisodesGivesTheirGradients(string algorithm, string[] settings)
    {
        string[] all = ["hidden=8", "criticHidden=8", "epochs=1", .. settings.Where(setting => !setting.StartsWith("epochs", StringComparison.Ordinal)), "minibatches=1"];
        using Play segments = new(algorithm, Identity, 3, [.. all, "rolloutLength=8"]), whole = new(algorithm, Identity, 6, all);
        segments.Next();
        Assert.All(segments.Episodes, segment => Assert.Equal((9, 8, 2, 8), (segment.Length, segment.Steps, segment.EndedEpisodes, segment.EndedSteps)));
        for (int i = 0; i < 6; i++)
        {
            Cut(segments.Episodes[i / 2], i % 2 * 5, 4, whole.Episodes[i]);
        }
        var (ours, theirs) = ((OnPolicyLearner)segments.Learner, (OnPolicyLearner)whole.Learner);
        Assert.Equal(theirs.Parameters.Values.ToArray(), ours.Parameters.Values.ToArray());
        ours.Begin(segments.Episodes, 100);
        theirs.Begin(whole.Episodes, 100);
        foreach (var column in (Column[])[Column.Returns, Column.Values, Column.Advantages])
        {
            for (int i = 0; i < 6; i++)
            {
                int width = segments.Spec.Agents.Length, start = i % 2 * 5 * width;
                Near(whole.Episodes[i][column], segments.Episodes[i / 2][column].Slice(start, 4 * width), 1e-5);
            }
        }
        ours.RunEpoch(100);
        theirs.RunEpoch(100);
        foreach (var (our, their) in ours.Networks.Zip(theirs.Networks))
        {
            Assert.Contains(their.Online.Gradient.ToArray(), x => Math.Abs(x) > 1e-5);
            Near(their.Online.Gradient.Span, our.Online.Gradient.Span, 2e-5);
        }
        Assert.Equal(theirs.Statistics.Loss, ours.Statistics.Loss, 1e-4f);
    }

    /// <summary>With the same weights an environment plays the same episodes, however they are cut.</summary>
    [Theory]
    [InlineData("agent=gru"), InlineData("agent=mlp")]
    public void SegmentsAreTheEpisodesOneAfterTheOther(string agent)
    {
        const int Length = 7, Rounds = 12;
        string[] all = ["hidden=8", "criticHidden=8", "lastAction=true", agent];
        using Play segments = new("ippo", Foraging, 3, [.. all, $"rolloutLength={Length}"]), whole = new("ippo", Foraging, 3, all);
        var expected = Enumerable.Range(0, 3).Select(_ => new List<string>()).ToArray();
        var got = Enumerable.Range(0, 3).Select(_ => new List<string>()).ToArray();
        double returns = 0;
        int ended = 0;
        for (int round = 0; round < Rounds; round++)
        {
            segments.Next();
            for (int i = 0; i < 3; i++)
            {
                Rows(segments.Episodes[i], got[i]);
                Assert.Equal((round + 1) * Length, got[i].Count);
                (returns, ended) = (returns + segments.Episodes[i].Return, ended + segments.Episodes[i].EndedEpisodes);
            }
        }
        double returnsOfWhole = 0;
        int endedOfWhole = 0;
        while (expected.Any(rows => rows.Count < Rounds * Length))
        {
            whole.Next();
            for (int i = 0; i < 3; i++)
            {
                Rows(whole.Episodes[i], expected[i]);
                if (expected[i].Count <= Rounds * Length)
                {
                    (returnsOfWhole, endedOfWhole) = (returnsOfWhole + whole.Episodes[i].Return, endedOfWhole + 1);
                }
            }
        }
        Assert.All(expected.Zip(got), pair => Assert.Equal(pair.First[..pair.Second.Count], pair.Second));
        Assert.Equal(returnsOfWhole, returns, 1e-9);
        Assert.Equal(endedOfWhole, ended);
        Assert.True(ended > 6);

        static void Rows(Episode episode, List<string> rows)
        {
            int n = episode.Agents;
            for (int t = 0; t < episode.Length; t++)
            {
                if (!episode.IsEnd(t))
                {
                    rows.Add($"{string.Join(' ', episode.Observation(t, 1).ToArray())} {string.Join(' ', episode.ActionsAt(t).ToArray())} {episode.Rewards[t]} " +
                        $"{string.Join(' ', episode.Probabilities.Slice(t * n, n).ToArray())} {string.Join(' ', episode.Observation(t + 1, 0).ToArray())}");
                }
            }
        }
    }

    /// <summary>The learner's policy of every row is the one that acted: state and last action are carried into a segment, and reset inside.</summary>
    [Theory]
    [InlineData("shareParameters=true", "lastAction=true"), InlineData("shareParameters=false", "lastAction=true"), InlineData("agent=mlp", "lastAction=true"), InlineData("shareParameters=true", "lastAction=false")]
    public void TheLearnerSeesThePolicyThatActed(params string[] settings)
    {
        using var play = new Play("mappo", Foraging, 4, ["hidden=8", "criticHidden=8", "rolloutLength=9", .. settings]);
        var (agent, tape) = (play.Learner.Agent, new Tape());
        Column[] state = agent.StateColumn is { } column ? [column] : [];
        var batch = new EpisodeBatch(play.Context.NewSchema(state), 4, Device.Cpu);
        for (int round = 0; round < 6; round++)
        {
            play.Next();
            batch.Load(play.Episodes);
            Assert.Equal(4 * 9, batch.Mask.ToArray().Sum());
            using (tape.NoGrad())
            {
                var rest = tape.Constant(state.Length > 0 ? batch[state[0]] : Tensor.Zeros(4, agent.Agents, agent.StateSize));
                var logits = agent.Forward(tape.Detached(play.Learner.Parameters), agent.Input.Build(tape, batch), rest, batch.ContinueMask).Output;
                var logPolicy = play.Learner.Exploration.LogPolicy(logits.Slice(0, 0, batch.Steps), batch.Available.Slice(0, batch.Steps));
                float[] p = (new ActionValues(logPolicy, batch.Actions, default).Chosen.Exp() * batch.Mask).Value.ToArray();
                Near((tape.Constant(batch.Probabilities) * batch.Mask).Value.Span, p, 1e-6);
            }
        }
    }

    /// <summary>Before the first step of a round, PPO's ratios are 1 in every row of segments that begin in the middle of episodes.</summary>
    [Theory]
    [InlineData("shareParameters=true"), InlineData("shareParameters=false"), InlineData("agent=mlp")]
    public void RatiosAreOneBeforeTheFirstStep(string setting)
    {
        using var play = new Play("ippo", Foraging, 4, ["hidden=8", "criticHidden=8", "rolloutLength=5", "lastAction=true", "clipRange=0.00001", "minibatches=1", setting]);
        var learner = (OnPolicyLearner)play.Learner;
        for (int round = 0; round < 5; round++)
        {
            play.Next();
            float[] before = learner.Parameters.Values.ToArray();
            learner.Begin(play.Episodes, 0);
            learner.RunEpoch(0);
            Assert.Equal(0f, learner.Statistics.Metrics.Single(metric => metric.Name == "clipFraction").Value);
            learner.Parameters.Values.CopyFrom(before);
        }
        Assert.Contains(play.Episodes, segment => !segment.Bools(Segment.Begins).All[0]);
    }

    /// <summary>A one-step return at the cut of a segment bootstraps from what came next, as within the episode.</summary>
    [Fact]
    public void ReturnsBootstrapFromWhereASegmentIsCut()
    {
        string[] all = ["hidden=8", "criticHidden=8", "nStep=1", "lambda=0", "agent=mlp", "standardizeRewards=false"];
        using Play segments = new("maa2c", Foraging, 2, [.. all, "rolloutLength=5"]), whole = new("maa2c", Foraging, 2, all);
        List<float>[] got = [[], []], expected = [[], []];
        for (int round = 0; round < 8; round++)
        {
            segments.Next();
            ((OnPolicyLearner)segments.Learner).Begin(segments.Episodes, 0);
            Add(segments.Episodes, got);
        }
        while (expected.Any(list => list.Count < got[0].Count))
        {
            whole.Next();
            ((OnPolicyLearner)whole.Learner).Begin(whole.Episodes, 0);
            Add(whole.Episodes, expected);
        }
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(8 * 5 * 2, got[i].Count);
            Near(expected[i].ToArray().AsSpan(0, got[i].Count), got[i].ToArray(), 1e-6);
        }

        static void Add(Episode[] episodes, List<float>[] lists)
        {
            for (int i = 0; i < 2; i++)
            {
                int first = 0;
                while (episodes[i].NextTransitions(ref first, out var rows))
                {
                    lists[i].AddRange(episodes[i][Column.Returns][(rows.Start.Value * 2)..(rows.End.Value * 2)].ToArray());
                }
            }
        }
    }

    /// <summary>The values of a critic with memory do not depend on where its history is cut.</summary>
    [Theory]
    [InlineData("mappo"), InlineData("mappo", "shareParameters=false", "critic=both"), InlineData("vdac"), InlineData("liir"), InlineData("ippo")]
    public void ARecurrentCriticKeepsItsStateFromSegmentToSegment(string algorithm, params string[] settings)
    {
        string[] all = ["hidden=8", "criticHidden=8", "criticNetwork=gru", .. settings];
        using Play segments = new(algorithm, Foraging, 3, [.. all, "rolloutLength=7"]), whole = new(algorithm, Foraging, 3, all);
        List<float>[] expected = [[], [], []], got = [[], [], []];
        for (int round = 0; round < 12; round++)
        {
            Add(segments, got);
        }
        while (expected.Zip(got).Any(pair => pair.First.Count < pair.Second.Count))
        {
            Add(whole, expected);
        }
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(12 * 7 * 2, got[i].Count);
            Near(expected[i].ToArray().AsSpan(0, got[i].Count), got[i].ToArray(), 1e-5);
        }

        static void Add(Play play, List<float>[] values)
        {
            play.Next();
            ((OnPolicyLearner)play.Learner).Begin(play.Episodes, 0);
            for (int i = 0; i < 3; i++)
            {
                for (int first = 0; play.Episodes[i].NextTransitions(ref first, out var rows);)
                {
                    values[i].AddRange(play.Episodes[i].Transitions(Column.Values, rows));
                }
            }
        }
    }

    [Theory]
    [InlineData("ippo", "lastAction=true"), InlineData("coma", "agent=gru"), InlineData("mappo", "reward=individual"), InlineData("liir", "criticActions=true"), InlineData("mappo", "criticNetwork=gru")]
    public void AStoppedRunGoesOnInTheMiddleOfEpisodesOnAnyNumberOfThreads(string algorithm, string setting)
    {
        string[] all = ["hidden=8", "criticHidden=8", "environments=5", "rolloutLength=6", setting];
        var expected = Games.Train(Games.Configure(algorithm, Foraging, 600, settings: all));
        Assert.Equal(expected.WeightsSha256, Games.Train(Games.Configure(algorithm, Foraging, 600, threads: 3, settings: all)).WeightsSha256);
        using var folder = new TemporaryFolder();
        using (var stop = new CancellationTokenSource())
        using (var first = new Trainer(Games.Configure(algorithm, Foraging, 600, settings: all), folder: new RunFolder(folder["run"])))
        {
            Assert.False(first.Run(onRound: (steps, _) =>
            {
                if (steps >= 330)
                {
                    stop.Cancel();
                }
            }, cancellationToken: stop.Token).Finished);
        }
        using var resumed = Trainer.Resume(new RunFolder(folder["run"]));
        var summary = resumed.Run();
        Assert.Equal((expected.WeightsSha256, expected.Episodes, expected.Steps), (summary.WeightsSha256, summary.Episodes, summary.Steps));
    }

    [Theory]
    [InlineData("ippo", "climbing?steps=3", 20_000, 33.0), InlineData("mappo", "identity?steps=4", 12_000, 4.0)]
    public void AgentsLearnFromSegments(string algorithm, string game, int steps, double best)
    {
        var summary = Games.Train(Games.Configure(algorithm, game, steps, settings: ["hidden=32", "criticHidden=32", "rolloutLength=10", "environments=8", "epochs=4",
            "learningRate=0.003", "terminateAtLimit=false", "evaluationEpisodes=40"]));
        Assert.InRange(summary.ReturnMean, 0.6 * best, best);
    }

    [Fact]
    public void FinishedEpisodesAreCounted()
    {
        TrainingProgress? row = null;
        using var trainer = new Trainer(Games.Configure("ippo", "identity?steps=5", 84, settings: ["hidden=8", "criticHidden=8", "environments=4", "rolloutLength=7"]));
        var summary = trainer.Run(progress => row = progress);
        Assert.Equal((84, 4 * 4), (summary.Steps, summary.Episodes)); // 21 steps in each of 4 environments
        Assert.Equal(5, row!.EpisodeLength);
        Assert.InRange(row.TrainingReturn, 0.01, 5);
    }

    [Fact]
    public void ARoundThatFailsIsTakenBack()
    {
        using var workers = new Workers(1);
        var configuration = Games.Configure("ippo", "failing", 1_000, settings: ["hidden=8", "criticHidden=8", "rolloutLength=6", "lastAction=true"]);
        var environment = new Failing();
        var context = configuration.Training.Context(environment.Spec, workers);
        var learner = configuration.CreateLearner(context);
        var rollout = new Rollout([environment], 1, learner.Actors, learner.Exploration, workers, new Rng(3), rolloutLength: 6);
        Episode[] segment = [context.NewEpisode(learner.Columns)];
        rollout.Play(segment, 0f);
        environment.FailsAfter = 3;
        Assert.IsType<NotSupportedException>(Assert.Throws<EnvironmentException>(() => rollout.Play(segment, 0f)).InnerException);
        environment.FailsAfter = int.MaxValue;
        rollout.Play(segment, 0f);
        // 6 steps, then 3 that do not count: the second segment begins after 6.
        Assert.Equal(6, segment[0].Observation(0, 0)[0]);
        Assert.Equal(12, segment[0].Observation(6, 0)[0]);
    }

    [Theory]
    [InlineData("qmix"), InlineData("maddpg"), InlineData("reinforce")]
    public void WhoNeedsWholeEpisodesSaysSo(string algorithm)
        => Assert.Contains("rolloutLength", Assert.Throws<UsageException>(() => new Trainer(Games.Configure(algorithm, Identity, 100, settings: ["rolloutLength=4"]))).Message,
            StringComparison.Ordinal);

    private static void Near(ReadOnlySpan<float> expected, ReadOnlySpan<float> got, double tolerance)
    {
        Assert.Equal(expected.Length, got.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - got[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])), $"{i}: {expected[i]} and {got[i]}");
        }
    }

    /// <summary>An episode within a segment, by itself.</summary>
    private static void Cut(Episode segment, int first, int steps, Episode episode)
    {
        int n = segment.Agents;
        episode.Length = steps;
        (episode.Terminated, episode.Fingerprint) = (segment.Bools(Segment.Terminates).All[first + steps - 1], segment.Fingerprint);
        segment.Observations.Slice(first * n * segment.ObservationSize, episode.Observations.Length).CopyTo(episode.Observations);
        segment.States.Slice(first * segment.StateSize, episode.States.Length).CopyTo(episode.States);
        segment.Available.Slice(first * n * segment.ActionCount, episode.Available.Length).CopyTo(episode.Available);
        segment.Actions.Slice(first * n, episode.Actions.Length).CopyTo(episode.Actions);
        segment.Probabilities.Slice(first * n, steps * n).CopyTo(episode.Probabilities);
        segment.Rewards.Slice(first * segment.RewardStreams, steps * segment.RewardStreams).CopyTo(episode.Rewards);
    }

    /// <summary>A learner and its rollout, round by round, with nothing learned.</summary>
    private sealed class Play : IDisposable
    {
        private readonly Workers workers = new(2);
        private readonly Rollout rollout;

        public Play(string algorithm, string game, int environments, string[] settings)
        {
            var configuration = Games.Configure(algorithm, game, 1_000, settings: [.. settings, $"environments={environments}"]);
            IEnvironment[] stages = [.. Enumerable.Range(0, environments).Select(_ => Catalog.CreateEnvironment(game))];
            Spec = stages[0].Spec;
            Context = configuration.Training.Context(Spec, workers);
            Learner = configuration.CreateLearner(Context);
            rollout = new Rollout(stages, environments, Learner.Actors, Learner.Exploration, workers, Context.Rng, Learner.NeedsBootstrapAction, Context.RolloutLength, Context.Rewards);
            Episodes = [.. stages.Select(_ => Context.NewEpisode(Learner.Columns))];
        }

        public EnvironmentSpec Spec { get; }

        public LearningContext Context { get; }

        public ILearner Learner { get; }

        public Episode[] Episodes { get; }

        public void Next() => rollout.Play(Episodes, Learner.ExplorationRate(0), new(0f, Learner.ExplorationRate(0)));

        public void Dispose() => workers.Dispose();
    }

    /// <summary>Counts its steps, and fails when it is told to.</summary>
    private sealed class Failing : IEnvironment
    {
        private int step;

        public int FailsAfter { get; set; } = int.MaxValue;

        public EnvironmentSpec Spec { get; } = EnvironmentSpec.Uniform("failing", 1, 1, 2, 100, 1);

        public void Reset(ref Rng rng) => step = 0;

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            step++;
            return FailsAfter-- > 0 ? StepResult.Running : throw new NotSupportedException();
        }

        public void Observe(int agent, Span<float> observation) => observation[0] = step;

        public void Save(Span<double> snapshot) => snapshot[0] = step;

        public void Restore(ReadOnlySpan<double> snapshot) => step = (int)snapshot[0];
    }
}
