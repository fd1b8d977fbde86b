using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Policy gradients with exact critics of action values in small decision processes: without a baseline, with the state value and with the
/// counterfactual baseline. The three have the same expectation, the gradient of the expected return, and different variances.</summary>
[Trait("Category", "Reference")]
public sealed class ActionValueCriticReference
{
    [Theory]
    [InlineData("tabular_q_actor_critic_a")]
    [InlineData("tabular_q_actor_critic_b")]
    public void AdvantagesAndGradients(string name) => ReferenceCase.Run(name, null, c =>
    {
        var process = new Process(c);
        Assert.Equal((c.Number("n_states"), c.Number("n_agents"), c.Number("samples")), (process.States, process.Agents, c["state"].Count));
        Assert.Equal(c.Numbers("n_actions"), process.Actions.Select(count => (double)count));
        Assert.Equal(c.Numbers("n_observations"), Enumerable.Range(0, process.Agents).Select(i => (double)c[$"theta.{i}"].Shape[0]));
        c.Compare("V", Tensor.Of([.. process.V.Select(v => (float)v)]));
        c.Compare("Q", Tensor.Of([.. process.Q.Select(q => (float)q)]).Reshape(process.States, process.Joints));
        c.Compare("visits", Tensor.Of([.. process.Visits.Select(d => (float)d)]));
        c.Compare("J", process.Start);

        // Every state with every joint action, weighted by how often it is met, and the samples of the case, all alike.
        var everything = (from s in Enumerable.Range(0, process.States) from j in Enumerable.Range(0, process.Joints) select (s, j, process.Visits[s] * process.Policy(s, j)))
            .ToArray();
        float[] states = c["state"].ToArray(), joints = c["joint"].ToArray();
        var samples = states.Zip(joints).Select(pair => ((int)pair.First, (int)pair.Second, 1.0 / states.Length)).ToArray();
        c.Compare("baseline", Tensor.Of([.. everything.SelectMany(row => Enumerable.Range(0, process.Agents), (row, i) => process.Baseline(row.s, row.j, i))])
            .Reshape(process.States, process.Joints, process.Agents));
        foreach (var (kind, variant) in ((AdvantageKind, string)[])
            [(AdvantageKind.ActionValue, "none"), (AdvantageKind.StateBaseline, "value"), (AdvantageKind.Counterfactual, "counterfactual")])
        {
            c.Compare($"advantage.{variant}", process.Advantages(kind, samples));
            Tensor[] expected = process.Ascent(kind, everything), sampled = process.Ascent(kind, samples);
            double total = process.Visits.Sum();
            for (int agent = 0; agent < process.Agents; agent++)
            {
                c.Compare($"expected.{variant}.{agent}", expected[agent]);
                c.Compare($"exact.{agent}", expected[agent]);
                c.Compare($"sample.{variant}.{agent}", sampled[agent]);
                double squares = everything.Sum(row => row.Item3 / total * process.Ascent(kind, [(row.s, row.j, 1.0)])[agent].ToArray().Sum(g => (double)g * g));
                c.Compare($"variance.{variant}.{agent}", squares - expected[agent].ToArray().Sum(g => g / total * (g / total)));
            }
        }
    }, "critics");

    /// <summary>A decision process with its exact values, and the loss of the engine on rows of it.</summary>
    private sealed class Process
    {
        private readonly ReferenceCase data;
        private readonly int[] counts;
        private readonly int actions;
        private readonly double[][] policies;

        public Process(ReferenceCase c)
        {
            data = c;
            (States, Agents, Joints) = (c["reward"].Shape[0], c["actions"].Shape[1], c["reward"].Shape[1]);
            counts = [.. Enumerable.Range(0, Agents).Select(i => c[$"theta.{i}"].Shape[1])];
            actions = counts.Max();
            policies = [.. Enumerable.Range(0, Agents).Select(i => Softmax(c[$"theta.{i}"]))];
            double gamma = c.Exact("gamma");
            (V, Q, Visits) = (new double[States], new double[States * Joints], new double[States]);
            double[] initial = Normalized(Doubles(c["initial"])), weight = initial;
            double[][] next = [.. Doubles(c["transition"]).Chunk(States).Select(Normalized)];
            for (int sweep = 0; sweep < 1000; sweep++)
            {
                double[] following = new double[States], values = new double[States];
                for (int s = 0; s < States; s++)
                {
                    Visits[s] += weight[s];
                    for (int j = 0; j < Joints; j++)
                    {
                        double p = Policy(s, j);
                        double[] to = next[s * Joints + j];
                        Q[s * Joints + j] = c["reward"].Span[s * Joints + j] + gamma * to.Zip(V).Sum(pair => pair.First * pair.Second);
                        values[s] += p * Q[s * Joints + j];
                        for (int t = 0; t < States; t++)
                        {
                            following[t] += gamma * weight[s] * p * to[t];
                        }
                    }
                }
                (V, weight) = (values, following);
            }
            Start = initial.Zip(V).Sum(pair => pair.First * pair.Second);
        }

        public int States { get; }

        public int Agents { get; }

        public int Joints { get; }

        /// <summary>[N] The number of actions of each agent.</summary>
        public int[] Actions => counts;

        public double[] V { get; }

        public double[] Q { get; }

        public double[] Visits { get; }

        public double Start { get; }

        public double Policy(int s, int j) => Enumerable.Range(0, Agents).Aggregate(1.0, (p, i) => p * policies[i][Observation(s, i) * counts[i] + Action(j, i)]);

        /// <summary>sum_a pi_i(a) Q(s, (a, u_-i)).</summary>
        public float Baseline(int s, int j, int agent)
            => (float)Enumerable.Range(0, counts[agent]).Sum(a => policies[agent][Observation(s, agent) * counts[agent] + a] * Q[s * Joints + With(j, agent, a)]);

        /// <summary>[K, N] the advantages that the engine computes from exact values.</summary>
        public Tensor Advantages(AdvantageKind kind, (int State, int Joint, double Weight)[] rows)
        {
            var tape = new Tape();
            using (tape.NoGrad())
            {
                return Loss(tape, kind, rows, [.. Enumerable.Range(0, Agents).Select(i => tape.Constant(data[$"theta.{i}"]))]).Advantages.Reshape(rows.Length, Agents);
            }
        }

        /// <summary>The gradients of -loss with respect to theta.</summary>
        public Tensor[] Ascent(AdvantageKind kind, (int State, int Joint, double Weight)[] rows)
        {
            var tape = new Tape();
            using (tape.Step())
            {
                Var[] theta = [.. Enumerable.Range(0, Agents).Select(i => tape.Variable(data[$"theta.{i}"]))];
                tape.Backward(-Loss(tape, kind, rows, theta).Value);
                return [.. theta.Select(x => Tensor.Of(x.Gradient.ToArray()).Reshape(x.Shape))];
            }
        }

        private (Var Value, Tensor Advantages) Loss(Tape tape, AdvantageKind kind, (int State, int Joint, double Weight)[] rows, Var[] theta)
        {
            int k = rows.Length;
            Tensor q = Tensor.Zeros(1, k, Agents, actions), available = Tensor.Zeros(1, k, Agents, actions), chosen = Tensor.Zeros(1, k, Agents),
                v = Tensor.Zeros(1, k, Agents), weights = Tensor.Zeros(1, k, 1);
            Var[] logits = new Var[Agents];
            for (int i = 0; i < Agents; i++)
            {
                var seen = Tensor.Zeros(k, theta[i].Shape[0]);
                for (int row = 0; row < k; row++)
                {
                    var (s, j, weight) = rows[row];
                    seen.Span[row * seen.Shape[1] + Observation(s, i)] = 1f;
                    int at = row * Agents + i;
                    (chosen.Span[at], v.Span[at], weights.Span[row]) = (Action(j, i), (float)V[s], (float)weight);
                    for (int a = 0; a < counts[i]; a++)
                    {
                        (q.Span[at * actions + a], available.Span[at * actions + a]) = ((float)Q[s * Joints + With(j, i, a)], 1f);
                    }
                }
                var own = tape.Constant(seen).MatMul(theta[i]);
                logits[i] = (counts[i] == actions ? own : Ops.Concat(-1, own, tape.Constant(Tensor.Zeros(k, actions - counts[i])))).Reshape(1, k, 1, actions);
            }
            var logPolicy = new SoftmaxPolicy().LogPolicy(Ops.Concat(2, logits), available);
            var values = new ActionValues(tape.Constant(q), chosen, available);
            var advantages = (kind switch
            {
                AdvantageKind.ActionValue => values.Chosen,
                AdvantageKind.StateBaseline => values.Chosen - v,
                _ => ActorCritic.CounterfactualAdvantage(values, logPolicy),
            }).Value;
            var logChosen = new ActionValues(logPolicy, chosen, default).Chosen;
            return ((PolicyObjective.ActorLoss(logChosen, advantages, logPolicy.Entropy(), entropyCoefficient: 0f) * weights).Sum(), advantages);
        }

        private int Observation(int s, int agent) => (int)data["observation"].Span[s * Agents + agent];

        private int Action(int j, int agent) => (int)data["actions"].Span[j * Agents + agent];

        /// <summary>The joint action with another action of an agent; agent 0 is the slowest index.</summary>
        private int With(int j, int agent, int action)
        {
            int stride = 1;
            for (int i = Agents - 1; i > agent; i--)
            {
                stride *= counts[i];
            }
            return j + (action - Action(j, agent)) * stride;
        }

        private static IEnumerable<double> Doubles(Tensor x) => x.ToArray().Select(value => (double)value);

        private static double[] Softmax(Tensor theta)
        {
            int width = theta.Shape[1];
            return [.. theta.ToArray().Chunk(width).SelectMany(row => Normalized(row.Select(x => Math.Exp(x))))];
        }

        private static double[] Normalized(IEnumerable<double> values)
        {
            double sum = values.Sum();
            return [.. values.Select(value => value / sum)];
        }
    }
}
