using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>MADDPG and its kin: games whose answer is known, and each option by what it must change.</summary>
public sealed class MaddpgTests
{
    private static readonly string[] small = ["agent=mlp", "hidden=32", "criticHidden=32", "batchSize=32", "learningRate=0.003", "targetTau=0.02", "maxGradientNorm=1"];

    [Theory]
    [InlineData("maddpg", "shareParameters=false")]
    [InlineData("maddpg", "critic=observations")]
    [InlineData("maddpg", "inferPolicies=true")]
    [InlineData("matd3", "shareParameters=false")]
    [InlineData("ddpg", "shareParameters=false")]
    public void NumbersAreLearned(string algorithm, string setting)
    {
        // To say 0 whatever is seen costs 2.25 an episode.
        Assert.InRange(Play(algorithm, () => new Reach(), 9_000, setting).ReturnMean, -0.15, 0);
    }

    [Theory]
    [InlineData("maddpg", "shareParameters=true")]
    [InlineData("maddpg", "hardSamples=false", "sampleTargets=true")]
    [InlineData("maddpg", "inferPolicies=true", "shareParameters=false")]
    [InlineData("maddpg", "ensembleSize=2")]
    [InlineData("ddpg", "temperature=0.7")]
    public void ChoicesAreLearned(string algorithm, params string[] settings)
        => Assert.Equal(10, Play(algorithm, () => new IdentityGame(), 12_000, [.. settings, "gamma=0.5", "greedyEvaluation=true"]).ReturnMean);

    [Fact]
    public void TeamsOfUnlikeAgentsLearnTheirOwnRewards()
    {
        var summary = Play("maddpg", () => new UnlikeGame(0, 1, 0), 8_000, "shareParameters=false", "gamma=0.5", "reward=individual", "greedyEvaluation=true");
        Assert.Equal([25, 10], summary.TeamReturnMeans);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void InferredPoliciesComeCloserToTheTrueOnes(bool numbers)
    {
        foreach (bool shared in (bool[])[true, false])
        {
            List<double> divergences = [];
            var configuration = RunConfiguration.Of("maddpg", "test", null, [.. small, "inferPolicies=true", $"shareParameters={shared}", "gamma=0.5"]) with
            {
                Training = new() { Steps = 5_000, EvaluationInterval = 100, EvaluationEpisodes = 1, Threads = 1 },
            };
            using var trainer = new Trainer(configuration, numbers ? () => new Reach() : () => new UnlikeGame(0, 0, 0));
            trainer.Run(row => divergences.Add(row.Update.Metrics.Single(metric => metric.Name == "inferenceDivergence").Value));
            Assert.Contains(divergences, divergence => divergence > 0.02);
            Assert.InRange(divergences[^1], 0, 0.5 * divergences.Max());
            Assert.Equal(shared ? 3 : 2 + trainer.Spec.Agents.Length, ((ReplayLearner)trainer.Learner).Networks.Count);
        }
    }

    [Fact]
    public void InferenceTakesThePlaceOfTheOthersInTheTargetAndNotOfOneself()
    {
        // Agent 0's target is a function of its idea of agent 1 and not of the true policy of agent 1; of its own policy it is.
        using var round = new Updates("maddpg", "inferPolicies=true", "shareParameters=false", "critic=observations");
        // The value of agent 1, whose target does read its own policy, is made a constant.
        var critic = round.Learner.Networks[1].Target;
        critic[critic.Layout.Slices.Single(slice => slice.Name == "critic.fc3.weight")][1].Span.Clear();
        double before = round.Target();
        Disturb(round.Learner.Networks[0].Target, agent: 1);
        double others = round.Target();
        Disturb(round.Learner.Networks[2].Target, agent: 1);
        double idea = round.Target();
        Disturb(round.Learner.Networks[0].Target, agent: 0);
        double own = round.Target();
        Disturb(round.Learner.Networks[2].Target, agent: 0); // what agent 0 infers of itself, nobody asks for
        Assert.Equal(before, others);
        Assert.NotEqual(others, idea);
        Assert.NotEqual(idea, own);
        Assert.Equal(own, round.Target());

        static void Disturb(Parameters parameters, int agent)
            => parameters[parameters.Layout.Slices.Single(slice => slice.Name == "agent.fc2.bias")][agent].Span[0] += 3f;
    }

    [Fact]
    public void OfTwinCriticsTheLesserCounts()
    {
        using var round = new Updates("matd3", "targetPolicyNoise=0", "gamma=1", "standardizeRewards=false");
        var critic = round.Learner.Networks[1];
        foreach (var slice in critic.Target.Layout.Slices)
        {
            critic.Target[slice].Span.Clear();
        }
        double rewards = round.Target(); // both say 0
        const double goesOn = 1 - 1.0 / Reach.Steps; // the share of steps that do not terminate
        Bias("critic2", -5);
        Assert.Equal(rewards - 5 * goesOn, round.Target(), 1e-5);
        Bias("critic", -7);
        Assert.Equal(rewards - 7 * goesOn, round.Target(), 1e-5);
        Bias("critic2", 4);
        Assert.Equal(rewards - 7 * goesOn, round.Target(), 1e-5);

        void Bias(string which, float value) => critic.Target[critic.Target.Layout.Slices.Single(slice => slice.Name == $"{which}.fc3.bias")].Span.Fill(value);
    }

    [Fact]
    public void PoliciesAndTargetsAreDelayed()
    {
        using var round = new Updates("matd3", "policyDelay=3");
        var (actor, critic) = (round.Learner.Networks[0], round.Learner.Networks[1]);
        float[] policy = actor.Online.Values.ToArray(), target = critic.Target.Values.ToArray();
        for (int update = 1; update <= 3; update++)
        {
            float[] values = critic.Online.Values.ToArray();
            round.Learner.Update(round.Episodes);
            Assert.NotEqual(values, critic.Online.Values.ToArray());
            Assert.Equal(update < 3, policy.AsSpan().SequenceEqual(actor.Online.Values.ToArray()));
            Assert.Equal(update < 3, target.AsSpan().SequenceEqual(critic.Target.Values.ToArray()));
        }
    }

    [Fact]
    public void SmoothingNoiseIsBoundedAndStaysInTheBox()
    {
        var (spec, tape) = (new Reach { Box = new(-2, 4) }.Spec, new Tape());
        using (tape.NoGrad())
        {
            var clipped = new TanhPolicy(spec).Clip(tape.Constant(Tensor.Of([9f, 9f, 0f, -9f], [1, 1, 2, 2]))).Value;
            Assert.Equal([4, 0, 0, -2], clipped.ToArray()); // agent 0 has no second number
        }
    }

    [Fact]
    public void MembersPlayAndLearnApart()
    {
        using var workers = new Workers(1);
        var configuration = RunConfiguration.Of("maddpg", "test", null, [.. small, "ensembleSize=3", "shareParameters=false", "batchSize=6"]) with { Training = new() { Threads = 1 } };
        var spec = new Reach().Spec;
        var learner = (ReplayLearner)configuration.CreateLearner(configuration.Training.Context(spec, workers));
        Assert.Equal(["actor0", "actor1", "actor2"], learner.Networks.Take(3).Select(network => network.Name));
        Episode[] episodes = [.. Enumerable.Range(0, 30).Select(_ => new Episode(spec))];
        new Rollout([.. episodes.Select(_ => new Reach())], 30, learner.Actors, learner.Exploration, workers, new Rng(3)).Play(episodes, 0.1f);
        var drawn = episodes.Select(episode => (episode.Members[0], episode.Members[1])).ToHashSet();
        Assert.True(drawn.Count > 5, $"{drawn.Count} of 9 pairs");
        // An agent does what its member says.
        var tape = new Tape();
        var batch = new EpisodeBatch(spec, 30, 1);
        new Rollout([.. episodes.Select(_ => new Reach())], 30, learner.Actors, learner.Exploration, workers, new Rng(4)).Play(episodes, 0f);
        batch.Load(episodes);
        using (tape.NoGrad())
        {
            var rest = tape.Constant(Tensor.Zeros(30, 2, learner.Agent.StateSize));
            for (int member = 0; member < 3; member++)
            {
                var output = learner.Agent.Forward(tape.Detached(learner.Actors[member].Parameters), learner.Agent.Input.Build(tape, batch), rest).Output;
                var mean = new TanhPolicy(spec).Mean(output).Value;
                for (int b = 0; b < 30; b++)
                {
                    for (int agent = 0; agent < 2; agent++)
                    {
                        Assert.Equal(episodes[b].Members[agent] == member, Math.Abs(mean[1][b][agent].Span[0] - episodes[b].ContinuousAction(1, agent)[0]) < 1e-6);
                    }
                }
            }
        }
        // Who did not play does not learn: of agent 1, member 2.
        foreach (var episode in episodes)
        {
            (episode.Members[0], episode.Members[1]) = (episode.Members[0], episode.Members[1] % 2);
        }
        float[] before = Weights(2, agent: 1), same = Weights(2, agent: 0), played = Weights(1, agent: 1);
        learner.Update(episodes.AsSpan(0, 6));
        Assert.Equal(before, Weights(2, agent: 1));
        Assert.Equal(!episodes.Take(6).Any(episode => episode.Members[0] == 2), same.AsSpan().SequenceEqual(Weights(2, agent: 0)));
        Assert.NotEqual(played, Weights(1, agent: 1));

        float[] Weights(int member, int agent)
        {
            var parameters = learner.Actors[member].Parameters;
            return parameters[parameters.Layout.Slices.Single(slice => slice.Name == "agent.fc2.weight")][agent].ToArray();
        }
    }

    [Fact]
    public void AMemberLearnsFromEpisodesThatItPlayed()
    {
        var (replay, spec, rng, sample) = (new ReplayBuffer(50), new Reach().Spec, new Rng(2), new Episode[8]);
        int[] seen = new int[50];
        for (int i = 0; i < 50; i++)
        {
            var episode = new Episode(spec, columns: [Column.Members]) { Length = i };
            (episode.Members[0], episode.Members[1]) = (i % 4, i < 3 ? 5 : 0);
            replay.Add(episode);
        }
        Assert.False(replay.Sample(sample, 5, ref rng));
        for (int draw = 0; draw < 600; draw++)
        {
            Assert.True(replay.Sample(sample, 2, ref rng));
            Assert.Equal(8, sample.Distinct().Count());
            Assert.All(sample, episode => Assert.Contains(2, episode.Members.ToArray()));
            foreach (var episode in sample)
            {
                seen[episode.Length]++;
            }
        }
        // 12 of the 50, each in 8 of 12 samples.
        Assert.Equal(12, seen.Count(times => times > 0));
        Assert.All(seen.Where(times => times > 0), times => Assert.InRange(times, 340, 460));
    }

    [Fact]
    public void AnEnsembleIsSavedWhole()
    {
        string path = Path.GetTempFileName();
        try
        {
            using var trainer = new Trainer(RunConfiguration.Of("maddpg", "test", null, [.. small, "ensembleSize=2"]) with
            {
                Training = new() { Steps = 300, EvaluationInterval = 0, EvaluationEpisodes = 2, Threads = 1 },
            }, () => new Reach());
            trainer.Run();
            trainer.Policy.Save(path);
            var (saved, loaded, environment, rng) = (trainer.Policy, Policy.Load(path), new Reach(), new Rng(4));
            Assert.Equal(2, loaded.Description.EnsembleSize);
            HashSet<float> answers = [];
            environment.Reset(ref rng);
            var (one, other) = (new Rng(5), new Rng(5));
            for (int episode = 0; episode < 12; episode++)
            {
                saved.Begin(ref one);
                loaded.Begin(ref other);
                float answer = saved.Act(environment, ref one).Vector(0)[0];
                Assert.Equal(answer, loaded.Act(environment, ref other).Vector(0)[0]);
                answers.Add(answer);
            }
            Assert.Equal(2, answers.Count);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void ALocalCriticReadsOneAgentAlone()
    {
        using var local = new Updates("ddpg", "shareParameters=true");
        using var central = new Updates("maddpg", "shareParameters=true");
        Assert.Equal(Reach.Observation + 2 + 2, Inputs(local));
        Assert.Equal(2 * Reach.Observation + 2 + 2 * 2, Inputs(central));
        Assert.Contains("inferPolicies=true needs critic", Assert.Throws<UsageException>(() => new Updates("ddpg", "inferPolicies=true")).Message, StringComparison.Ordinal);

        static int Inputs(Updates of) => of.Learner.Networks[1].Online.Layout.Slices.Single(slice => slice.Name == "critic.fc1.weight").Shape[1];
    }

    private static TrainingSummary Play(string algorithm, Func<IEnvironment> create, long steps, params string[] settings)
    {
        var configuration = RunConfiguration.Of(algorithm, "test", null, [$"steps={steps}", "evaluationInterval=0", "evaluationEpisodes=40", "threads=1", .. small, .. settings]);
        using var trainer = new Trainer(configuration, create);
        return trainer.Run();
    }

    /// <summary>A learner of <see cref="Reach"/> and a batch for it.</summary>
    private sealed class Updates : IDisposable
    {
        private readonly Workers workers = new(1);
        private readonly RunConfiguration configuration;
        private readonly EnvironmentSpec spec = new Reach().Spec;

        public Updates(string algorithm, params string[] settings)
        {
            configuration = RunConfiguration.Of(algorithm, "test", null, [.. small, "batchSize=6", .. settings]);
            Learner = (ReplayLearner)configuration.CreateLearner((configuration.Training with { Threads = 1 }).Context(spec, workers));
            Episodes = [.. Enumerable.Range(0, 6).Select(i => Games.Play(() => new Reach(), i))];
        }

        public ReplayLearner Learner { get; }

        public Episode[] Episodes { get; }

        /// <summary>The mean of y in an update of a learner that has the present target networks.</summary>
        public double Target()
        {
            var copy = (ReplayLearner)configuration.CreateLearner((configuration.Training with { Threads = 1 }).Context(spec, workers));
            for (int i = 0; i < copy.Networks.Count; i++)
            {
                copy.Networks[i].Target.CopyFrom(Learner.Networks[i].Target);
            }
            copy.Update(Episodes);
            return copy.Statistics.Metrics.Single(metric => metric.Name == "target").Value;
        }

        public void Dispose() => workers.Dispose();
    }
}
