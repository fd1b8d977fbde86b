using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>The losses of MADDPG's policies and of inferred policies, against the same quantities obtained another way.</summary>
public sealed class MaddpgLossTests
{
    private const int Batch = 6;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void CurrentActionsOfTheOthersAreStoredOnesAfterSamplingThemAgain(bool shared)
    {
        // Current: the others' actions are one-hot samples by the same noise as the agent's own. Stored: the same samples, written into the episodes.
        using Learner current = new(OthersActions.Current, shared), stored = new(OthersActions.Stored, shared);
        current.Update();
        stored.Update();
        double[] taken = stored.Gradient();
        Assert.Contains(current.Gradient().Zip(taken), pair => Math.Abs(pair.First - pair.Second) > 1e-4);
        stored.SampleAgain();
        stored.Update();
        foreach (var (expected, actual) in stored.Gradient().Zip(current.Gradient()))
        {
            Assert.Equal(expected, actual, 1e-7);
        }
        Assert.True(taken.Max(Math.Abs) > 1e-4);
    }

    [Theory]
    [InlineData(InferredActionKind.Probabilities, 1f)]
    [InlineData(InferredActionKind.LogProbabilities, -1f)]
    [InlineData(InferredActionKind.Actions, 1f)]
    public void TargetsReadTheModels(InferredActionKind kind, float sign)
    {
        // Q_0 is agent 1's first action input or minus that, all other values are 0: for example y_0 = r_0 - log mu^_01(0 | o_1).
        using var inferring = new Learner(OthersActions.Stored, shared: false, kind);
        inferring.ReadActionInTarget(agent: 0, of: 1, sign);
        inferring.Update();
        double expected = inferring.MeanTargetByHand(agent: 0, of: 1, p => kind switch
        {
            InferredActionKind.Probabilities => p[0],
            InferredActionKind.LogProbabilities => -Math.Log(p[0]),
            _ => p[0] == p.Max() ? 1 : 0,
        });
        Assert.Equal(expected, inferring.Target(), 1e-4);
        Assert.True(expected > 0.1);
    }

    [Fact]
    public void InferenceStepsOnTheLatestEpisodes()
    {
        var (replay, spec) = (new ReplayBuffer(7), new IdentityGame().Spec);
        var latest = new Episode[3];
        for (int length = 1; length <= 17; length++)
        {
            replay.Add(new Episode(spec) { Length = length });
            if (length >= 3)
            {
                replay.Latest(latest);
                Assert.Equal([length, length - 1, length - 2], latest.Select(episode => episode.Length));
            }
        }
        Assert.Throws<InvalidOperationException>(() => replay.Latest(new Episode[8]));
    }

    [Theory]
    [InlineData("mpe:speaker-listener", "shareParameters=false")]
    [InlineData("mpe:adversary", "shareParameters=false")]
    [InlineData("mpe:push", "shareParameters=true")]
    public void ModelsComeCloserToTheTruePoliciesInCooperativeAndCompetitiveWorlds(string environment, string setting)
    {
        double learned = Divergence("inferenceLearningRate=0.01"), random = Divergence("inferenceLearningRate=1e-30");
        Assert.True(learned < 0.5 * random, $"{learned} of {random}");

        // The mean over the second half of training; without the presets of particle worlds.
        double Divergence(string rate)
        {
            var configuration = RunConfiguration.Of("maddpg", "test", null,
                ["inferPolicies=true", "hidden=32", "criticHidden=32", "batchSize=16", "learningRate=0.001", "critic=observations", setting, rate]) with
            {
                Training = new() { Steps = 8_000, EvaluationInterval = 400, EvaluationEpisodes = 1, Threads = 1 },
            };
            List<double> divergences = [];
            using var trainer = new Trainer(configuration, () => Catalog.CreateEnvironment(environment));
            trainer.Run(row => divergences.Add(row.Update.Metrics.Single(metric => metric.Name == "inferenceDivergence").Value));
            return divergences.TakeLast(10).Average();
        }
    }

    /// <summary>A learner of <see cref="UnlikeGame"/> whose critics do not change, with noise that depends on step, agent and action.</summary>
    private sealed class Learner : IDisposable
    {
        private readonly Workers workers = new(1);
        private readonly ReplayLearner learner;
        private readonly Episode[] episodes;
        private readonly EnvironmentSpec spec = new UnlikeGame(0, 0, 0).Spec;

        public Learner(OthersActions others, bool shared, InferredActionKind? infer = null)
        {
            var options = new MaddpgOptions
            {
                Others = others,
                ShareParameters = shared,
                Hidden = 16,
                CriticHidden = 16,
                BatchSize = Batch,
                BufferSize = Batch,
                LearningRate = 1e-30f,
                MaxGradientNorm = 0f,
                Critic = ActionCriticKind.Observations,
                AgentId = false,
                InferPolicies = infer is not null,
                InferredActions = infer ?? default,
                Gamma = 1f,
                StandardizeRewards = false,
            };
            var context = new TrainingOptions { Shards = 1 }.Context(spec, workers);
            learner = new ReplayLearner(options, context, new Maddpg(options, context, new Noise()));
            episodes = [.. Enumerable.Range(0, Batch).Select(i => Games.Play(() => new UnlikeGame(0, 0, 0), i))];
        }

        public void Update() => learner.Update(episodes);

        public double[] Gradient() => [.. learner.Networks[0].Online.Gradient.ToArray().Select(x => (double)x)];

        public double Target() => learner.Statistics.Metrics.Single(metric => metric.Name == "target").Value;

        /// <summary>Replaces all actions by samples of the policies, the largest logit with noise.</summary>
        public void SampleAgain() => ForEachRow(learner.Parameters, (episode, t, agent, logits) =>
        {
            if (t < episode.Length)
            {
                float[] noisy = [.. logits.Select((logit, action) => logit + Noise.At(t, agent, action))];
                episode.ActionsAt(t)[agent] = EpsilonGreedy.Greedy(noisy, episode.AvailableActions(t, agent));
            }
        });

        /// <summary>Makes the target critic of an agent the first action input of another times a sign, through one unit of each layer, and those of the others
        /// 0.</summary>
        public void ReadActionInTarget(int agent, int of, float sign)
        {
            var critic = learner.Networks[1].Target;
            critic.Values.Span.Clear();
            int input = spec.Agents.Length * spec.ObservationSize + of * spec.ActionCount;
            Set("critic.fc1.weight", input, sign);
            Set("critic.fc2.weight", 0, 1f);
            Set("critic.fc3.weight", 0, 1f);

            void Set(string name, int index, float value) => critic[critic.Layout.Slices.Single(slice => slice.Name == name)][agent].Span[index] = value;
        }

        /// <summary>The mean over transitions and agents of the targets of <see cref="ReadActionInTarget"/>.</summary>
        public double MeanTargetByHand(int agent, int of, Func<double[], double> read)
        {
            double sum = 0;
            int count = 0;
            ForEachRow(learner.Networks[2 + agent].Target, (episode, t, n, logits) =>
            {
                if (t < episode.Length)
                {
                    (sum, count) = (sum + episode.Rewards[t * episode.RewardStreams], count + 1);
                }
                if (n == of && t > 0 && (t < episode.Length || !episode.Terminated))
                {
                    double[] weights = [.. logits.Where((_, action) => episode.AvailableActions(t, n)[action]).Select(logit => Math.Exp(logit))];
                    sum += read([.. weights.Select(weight => weight / weights.Sum())]);
                }
            });
            return sum / count;
        }

        /// <summary>Calls an action for each episode, row and agent with the outputs of the agents' network.</summary>
        private void ForEachRow(Parameters parameters, Action<Episode, int, int, float[]> action)
        {
            var (tape, batch) = (new Tape(), new EpisodeBatch(spec, Batch, 1));
            batch.Load(episodes);
            using (tape.NoGrad())
            {
                var logits = learner.Agent.Forward(tape.Detached(parameters), batch).Value;
                for (int b = 0; b < Batch; b++)
                {
                    for (int t = 0; t <= episodes[b].Length; t++)
                    {
                        for (int agent = 0; agent < spec.Agents.Length; agent++)
                        {
                            action(episodes[b], t, agent, logits[t][b][agent].ToArray());
                        }
                    }
                }
            }
        }

        public void Dispose() => workers.Dispose();
    }

    private sealed class Noise : LossNoise
    {
        public static float At(int t, int agent, int action) => (float)Math.Sin(7 * t + 3 * agent + 11 * action) * 2;

        public override void Gumbel(LossContext context, int stream, Tensor noise)
        {
            var (count, agents, actions) = (noise.Shape[1], noise.Shape[2], noise.Shape[3]);
            float[] values = new float[noise.Count];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = At(i / (count * agents * actions), i / actions % agents, i % actions);
            }
            noise.CopyFrom(values);
        }
    }
}
