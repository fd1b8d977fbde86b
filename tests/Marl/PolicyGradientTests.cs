using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>
/// The policy gradient theorem (Sutton et al. 2000) by enumeration: over all that can happen in a game of a few steps, the expectation of what an algorithm
/// takes for the gradient is the gradient of the expected return.
/// </summary>
public sealed class PolicyGradientTests
{
    [Theory]
    [InlineData("reinforce", "two-step")]
    [InlineData("maa2c", "two-step", "nStep=1")]
    [InlineData("maa2c", "two-step", "nStep=5")]
    [InlineData("maa2c", "climbing?steps=1", "epsilonFloorStart=0.2", "epsilonFloorFinish=0.2")]
    [InlineData("coma", "two-step", "nStep=1")]
    [InlineData("coma", "two-step", "epsilonFloorStart=0.3", "epsilonFloorFinish=0.3")]
    [InlineData("coma", "two-step", "epsilonFloorStart=0.3", "epsilonFloorFinish=0.3", "maskBeforeSoftmax=false")]
    [InlineData("coma", "climbing?steps=1")]
    [InlineData("maa2c", "two-step", "advantage=actionValue")]
    [InlineData("maa2c", "two-step", "advantage=stateBaseline", "nStep=1")]
    [InlineData("maa2c", "two-step", "advantage=counterfactual")]
    [InlineData("maa2c", "climbing?steps=1", "advantage=stateBaseline")]
    [InlineData("reinforce", "identity?actions=2&branches=2&steps=1")]
    [InlineData("maa2c", "identity?actions=2&branches=2&steps=1")]
    [InlineData("vdac", "identity?actions=3&branches=2&steps=1&agents=1", "epsilonFloorStart=0.2", "epsilonFloorFinish=0.2")]
    [InlineData("reinforce", "climbing?steps=1", "reward=difference", "defaultAction=1")]
    [InlineData("reinforce", "climbing?steps=1", "reward=aristocratic")]
    public void TheEstimateIsTheGradientInExpectation(string algorithm, string game, params string[] settings)
    {
        using var all = new Everything(algorithm, game, settings);
        var (exact, estimate) = (all.Gradient(), all.ExpectedEstimate());
        float scale = exact.Max(Math.Abs);
        Assert.True(scale > 0.01f, $"the gradient is no more than {scale}");
        Assert.All(exact.Zip(estimate), pair => Assert.Equal(pair.First, pair.Second, 1e-4f * scale));
    }

    /// <summary>Every episode that there is, each once, and a learner of known policy whose critic is exact.</summary>
    private sealed class Everything : IDisposable
    {
        private readonly Workers workers = new(1);
        private readonly IEnvironment environment;
        private readonly EnvironmentSpec spec;
        private readonly Episode[] episodes;
        private readonly float[] probabilities;

        public Everything(string algorithm, string game, string[] settings)
        {
            environment = Catalog.CreateEnvironment(game);
            spec = environment.Spec;
            var configuration = Games.Configure(algorithm, game, 10, settings: ["agent=mlp", "hidden=8", "criticHidden=12", "environments=1", "entropyCoefficient=0", "gamma=1",
                "maxGradientNorm=0", "standardizeRewards=false", "terminateAtLimit=true", .. settings]);
            var context = configuration.Training.Context(spec, workers);
            Learner = (OnPolicyLearner)configuration.CreateLearner(context);
            foreach (ref float weight in Learner.Parameters.Values.Span)
            {
                weight *= 1.5f; // further from uniform
            }
            int joint = (int)Math.Pow(spec.ActionLayout.BranchSize, spec.Agents.Length * spec.ActionLayout.Branches);
            episodes = [.. Enumerable.Range(0, (int)Math.Pow(joint, spec.EpisodeLimit)).Select(i => Play(i, context, default))];
            var tape = new Tape();
            using (tape.NoGrad())
            {
                // Once more, for rewards that are a matter of the policy.
                var policy = LogPolicy(tape.Detached(Learner.Parameters), Batch()).Exp().Value;
                episodes = [.. episodes.Select((_, i) => Play(i, context, policy))];
                probabilities = Probability(tape.Detached(Learner.Parameters), Batch()).Value.ToArray();
            }
            Assert.Equal(1f, probabilities.Sum(), 1e-5f);
            if (Learner.Networks.Count > 1)
            {
                var critic = Learner.Networks[1].Online;
                critic.Values.Span.Clear();
                TeachCritic("critic.");
                if (critic.Layout.Slices.Any(slice => slice.Name.StartsWith("state_value.", StringComparison.Ordinal)))
                {
                    TeachCritic("state_value.");
                }
                Learner.Networks[1].Target.CopyFrom(critic);
            }
        }

        public OnPolicyLearner Learner { get; }

        public void Dispose() => workers.Dispose();

        /// <summary>d/dtheta sum_e p(e) R(e)</summary>
        public float[] Gradient()
        {
            var (tape, gradient) = (new Tape(), Device.Cpu.Zeros(Learner.Parameters.Values.Shape));
            float[] returns = [.. episodes.Select(episode => (float)episode.Return)];
            using (tape.Step())
            {
                tape.Backward((Probability(tape.Bind(Learner.Parameters, gradient), Batch()) * Tensor.Of(returns)).Sum());
            }
            return gradient.ToArray();
        }

        /// <summary>sum_e p(e) g(e), where g is what the learner makes of an episode: its loss is the mean over steps and agents, and to be minimized.</summary>
        public float[] ExpectedEstimate()
        {
            float[] sum = new float[Learner.Parameters.Values.Count];
            float[][] before = [.. Learner.Networks.Select(network => network.Online.Values.ToArray())];
            for (int e = 0; e < episodes.Length; e++)
            {
                Learner.Begin(episodes.AsSpan(e, 1), steps: 0);
                Learner.RunEpoch(steps: 0);
                var gradient = Learner.Parameters.Gradient.Span;
                for (int i = 0; i < sum.Length; i++)
                {
                    sum[i] -= probabilities[e] * gradient[i] * episodes[e].Length * spec.Agents.Length;
                }
                foreach (var (network, values) in Learner.Networks.Zip(before))
                {
                    network.Online.Values.CopyFrom(values);
                }
            }
            return sum;
        }

        /// <summary>The episode whose joint actions are the digits of a number.</summary>
        private Episode Play(int number, LearningContext context, Tensor policy)
        {
            var (episode, recorder, rng) = (context.NewEpisode(), new EpisodeRecorder(spec, context.Rewards), new Rng(1));
            int rest = number;
            environment.Reset(ref rng);
            recorder.Begin(environment, episode);
            do
            {
                foreach (ref int choice in episode.ActionsAt(episode.Length))
                {
                    choice = rest % spec.ActionLayout.BranchSize;
                    rest /= spec.ActionLayout.BranchSize;
                }
                if (!policy.IsNone && episode.Find(Column.Policy) is ColumnData<float> column)
                {
                    policy[episode.Length][number].Span.CopyTo(column.Row(episode.Length));
                }
            }
            while (recorder.Step(ref rng));
            return episode;
        }

        private EpisodeBatch Batch()
        {
            var batch = new EpisodeBatch(spec, episodes.Length, episodes[0].RewardStreams);
            batch.Load(episodes);
            return batch;
        }

        /// <summary>[T, E, N, A]</summary>
        private Var LogPolicy(Weights w, EpisodeBatch batch)
        {
            var agent = Learner.Agent;
            var rest = w.Tape.Constant(Tensor.Zeros(batch.Count, agent.Agents, agent.StateSize));
            var logits = agent.Forward(w, agent.Input.Build(w.Tape, batch), rest).Output.Slice(0, 0, batch.Steps);
            var available = batch.Available.Slice(0, batch.Steps);
            return spec.ActionLayout.Branches == 1 ? Learner.Exploration.LogPolicy(logits, available) : LogPolicyOfBranches(logits, available);
        }

        /// <summary>Branch by branch.</summary>
        private Var LogPolicyOfBranches(Var logits, Tensor available)
        {
            var (tape, size) = (logits.Tape, spec.ActionLayout.BranchSize);
            var all = tape.Constant(available);
            var parts = new Var[spec.ActionLayout.Branches];
            for (int branch = 0; branch < parts.Length; branch++)
            {
                parts[branch] = Learner.Exploration.LogPolicy(logits.Slice(-1, branch * size, size), all.Slice(-1, branch * size, size).Value);
            }
            return Ops.Concat(-1, parts);
        }

        /// <summary>[E]: the product over steps, agents and branches.</summary>
        private Var Probability(Weights w, EpisodeBatch batch)
        {
            var (logPolicy, actions, size) = (LogPolicy(w, batch), batch.Actions, spec.ActionLayout.BranchSize);
            int branches = spec.ActionLayout.Branches;
            var perBranch = Enumerable.Range(0, branches).Select(branch => logPolicy.Gather(Column(branch)).Reshape(batch.Steps, batch.Count, spec.Agents.Length));
            return perBranch.Aggregate((a, b) => a + b).Sum(-1).Sum(0).Exp();

            Tensor Column(int branch)
            {
                var column = Tensor.Zeros(batch.Steps, batch.Count, spec.Agents.Length, 1);
                for (int i = 0; i < column.Count; i++)
                {
                    column.Span[i] = branch * size + actions.Span[i * branches + branch];
                }
                return column;
            }
        }

        /// <summary>
        /// Weights with which a critic says the expected return exactly: its hidden units are one for every state, or for every state and action of another agent,
        /// and the last layer is the table. States are one-hot, or there is but one, which is zeros.
        /// </summary>
        private void TeachCritic(string name)
        {
            var critic = Learner.Networks[1].Online;
            var (fc1, bias, fc2, fc3) = (Slice("fc1.weight"), Slice("fc1.bias"), Slice("fc2.weight"), Slice("fc3.weight"));
            int states = environment is TwoStepGame ? spec.StateSize : 1, actions = spec.ActionCount, hidden = bias.Count, inputs = fc1.Shape[-1];
            bool single = states == 1, ofActions = fc3.Shape[0] > 1;
            for (int unit = 0; unit < hidden; unit++)
            {
                fc2.Span[unit * hidden + unit] = 1f;
            }
            int u = 0;
            for (int state = 0; state < states; state++)
            {
                if (!ofActions)
                {
                    Unit(state, column: -1);
                    fc3.Span[u++] = Expected(state, static (_, _) => true);
                    continue;
                }
                for (int other = 0; other < 2; other++)
                {
                    for (int b = 0; b < actions; b++, u++)
                    {
                        Unit(state, spec.StateSize + other * actions + b);
                        for (int a = 0; a < actions; a++)
                        {
                            fc3.Span[a * hidden + u] = Expected(state, (episode, t) => episode.ActionsAt(t)[other] == b && episode.ActionsAt(t)[1 - other] == a);
                        }
                    }
                }
            }
            Tensor Slice(string layer) => critic[critic.Layout.Slices.Single(slice => slice.Name == name + layer)];

            // relu of the sum of the state's number and the action's, less what one of two would give.
            void Unit(int state, int column)
            {
                float sum = 0;
                if (!single)
                {
                    fc1.Span[u * inputs + state] = 1f;
                    sum++;
                }
                if (column >= 0)
                {
                    fc1.Span[u * inputs + column] = 1f;
                    sum++;
                }
                bias.Span[u] = 1f - sum;
            }

            // E[return from there | state, which]
            float Expected(int state, Func<Episode, int, bool> which)
            {
                double sum = 0, weight = 0;
                for (int e = 0; e < episodes.Length; e++)
                {
                    for (int t = 0; t < episodes[e].Length; t++)
                    {
                        if ((single || episodes[e].States[t * spec.StateSize + state] == 1) && which(episodes[e], t))
                        {
                            sum += probabilities[e] * episodes[e].Rewards[t..].ToArray().Sum(reward => (double)reward);
                            weight += probabilities[e];
                        }
                    }
                }
                return weight > 0 ? (float)(sum / weight) : 0f;
            }
        }
    }
}
