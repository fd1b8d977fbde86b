using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>The protocol of the published runs: where returns bootstrap, and how policies are evaluated.</summary>
public sealed class ProtocolTests
{
    private const float Value = 3f;

    [Theory]
    [InlineData("ia2c", "mpe-v0:spread")]
    [InlineData("ia2c", "penalty-100")]
    [InlineData("ippo", "mpe-v0:spread")]
    [InlineData("maa2c", "mpe-v0:spread")]
    [InlineData("maa2c", "climbing")]
    [InlineData("mappo", "mpe-v0:spread")]
    [InlineData("mappo", "lbf-v1:8x8-2p-2f-coop")]
    [InlineData("coma", "mpe-v0:spread")]
    public void OnPolicyReturnsBootstrapAtTheTimeLimit(string algorithm, string environment)
    {
        using var workers = new Workers(1);
        string[] settings = ["standardizeRewards=false", "environments=1", "hidden=8", "criticHidden=8"];
        var configuration = Games.Configure(algorithm, environment, 500, settings: settings);
        var world = Catalog.CreateEnvironment(environment);
        var context = configuration.Training.Context(world.Spec, workers);
        var learner = (OnPolicyLearner)configuration.CreateLearner(context);
        // A critic whose value is the same everywhere.
        foreach (var critic in (Parameters[])[learner.Networks[1].Online, learner.Networks[1].Target])
        {
            critic.Values.Span.Clear();
            critic[critic.Layout.Slices.Single(slice => slice.Name == "critic.fc3.bias")].Span.Fill(Value);
        }
        Episode[] episodes = [context.NewEpisode(learner.Columns)];
        var rollout = new Rollout([world], 1, learner.Actors, learner.Exploration, workers, new Rng(4), learner.NeedsBootstrapAction, rewards: context.Rewards);
        rollout.Play(episodes, 0f);
        learner.Begin(episodes, 0);
        var episode = episodes[0];
        int last = world.Spec.EpisodeLimit - 1;
        Assert.Equal((last + 1, false), (episode.Steps, episode.Terminated));
        // t = 24 of spread: r + gamma V(s_25).
        float expected = (float)(episode[Column.Rewards][last] + 0.99 * Value);
        Assert.All(episode[Column.Returns][(last * episode.Agents)..((last + 1) * episode.Agents)].ToArray(), actual => Assert.Equal(expected, actual, 1e-3f));
    }

    [Theory]
    [InlineData("iql", true), InlineData("vdn", true), InlineData("qmix", true), InlineData("maddpg", true), InlineData("pareto-ac", true)]
    [InlineData("ia2c", false), InlineData("ippo", false), InlineData("maa2c", false), InlineData("mappo", false), InlineData("coma", false)]
    public void TheTimeLimitTerminatesReplayedEpisodes(string algorithm, bool terminates)
    {
        foreach (string environment in (string[])["mpe-v0:spread", "penalty-100", "lbf-v1:8x8-2p-2f-coop", "rware:tiny-2ag"])
        {
            Assert.Equal((environment, terminates), (environment, RunConfiguration.Of(algorithm, environment).Training.TerminateAtLimit));
        }
    }

    [Theory]
    [InlineData("maddpg"), InlineData("matd3"), InlineData("ddpg"), InlineData("ia2c"), InlineData("mappo"), InlineData("coma")]
    public void PoliciesAreSampledInEvaluationsUnlessAskedToBeGreedy(string algorithm)
    {
        using var sampled = new Trainer(Games.Configure(algorithm, "climbing", 25));
        Assert.True(sampled.Evaluate(20).StandardDeviation > 0);
        Assert.True(sampled.Policy.Description.Stochastic);
        using var greedy = new Trainer(Games.Configure(algorithm, "climbing", 25, settings: "greedyEvaluation=true"));
        Assert.Equal(0, greedy.Evaluate(20).StandardDeviation);
        Assert.False(greedy.Policy.Description.Stochastic);
    }

    [Theory]
    [InlineData("evaluationEpsilon=0", false)]
    [InlineData("evaluationEpsilon=0.5", true)]
    [InlineData("evaluationEpsilon=0.5", false, "greedyEvaluation=true")]
    public void ActionValuesAreEvaluatedWithTheirEpsilon(string epsilon, bool varies, string? setting = null)
    {
        using var trainer = new Trainer(Games.Configure("vdn", "climbing", 25, settings: [epsilon, .. setting is null ? (string[])[] : [setting]]));
        Assert.Equal(varies, trainer.Evaluate(20).StandardDeviation > 0);
        Assert.False(trainer.Policy.Description.Stochastic); // greedy where it is used
    }

    [Fact]
    public void EveryEvaluationPlaysEpisodesOfItsOwn()
    {
        List<float> draws = [];
        var configuration = RunConfiguration.Of("iql", "draws", null,
            ["steps=8", "environments=1", "evaluationInterval=2", "evaluationEpisodes=3", "batchSize=1", "hidden=4", "threads=1"]);
        using var trainer = new Trainer(configuration, () => new Draws(draws));
        List<float[]> evaluations = [];
        trainer.Run(_ =>
        {
            evaluations.Add([.. draws[^3..]]);
            draws.Clear();
        });
        // After the first round, of one step, and after 2, 4, 6 and 8 steps.
        Assert.Equal(5, evaluations.Count);
        Assert.Equal(15, evaluations.SelectMany(episodes => episodes).Distinct().Count());
        // On demand those of the last one, as often as asked.
        draws.Clear();
        trainer.Evaluate(3);
        trainer.Evaluate(3);
        Assert.Equal([.. evaluations[^1], .. evaluations[^1]], draws);
    }

    [Theory]
    [InlineData("ia2c")]
    [InlineData("vdn")]
    public void AResumedRunGoesOnWithTheNextEvaluation(string algorithm)
    {
        using var folder = new TemporaryFolder();
        var configuration = Games.Configure(algorithm, "climbing?steps=5", 400, settings:
            [.. Games.TinyFor(algorithm), "evaluationInterval=80", "evaluationEpisodes=6", .. Games.Known(algorithm, "climbing", "evaluationEpsilon=0.5")]);
        List<double> whole = [], parts = [];
        using (var trainer = new Trainer(configuration))
        {
            trainer.Run(row => whole.Add(row.Evaluation.Mean));
        }
        Assert.True(whole.Distinct().Count() > 2);
        using (var stop = new CancellationTokenSource())
        using (var trainer = new Trainer(configuration, folder: new RunFolder(folder["run"])))
        {
            trainer.Run(row =>
            {
                parts.Add(row.Evaluation.Mean);
                if (parts.Count == 3)
                {
                    stop.Cancel();
                }
            }, cancellationToken: stop.Token);
        }
        using var resumed = Trainer.Resume(new RunFolder(folder["run"]));
        resumed.Run(row => parts.Add(row.Evaluation.Mean));
        Assert.Equal(whole, parts);
    }

    /// <summary>One agent, episodes of one step; every reset draws a number and lists it.</summary>
    private sealed class Draws(List<float> draws) : IEnvironment
    {
        public EnvironmentSpec Spec { get; } = new() { Id = "draws", Agents = [new(1, 2)], StateSize = 1, EpisodeLimit = 1, SnapshotSize = 0 };

        public void Reset(ref Rng rng) => draws.Add(rng.NextSingle());

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            rewards[0] = actions[0];
            return StepResult.Terminated;
        }

        public void Observe(int agent, Span<float> observation) => observation.Clear();

        public void ReadState(Span<float> state) => state.Clear();

        public void Save(Span<double> snapshot)
        {
        }

        public void Restore(ReadOnlySpan<double> snapshot)
        {
        }
    }
}
