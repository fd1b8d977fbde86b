using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>
/// Individual-global-max (Son et al. 2019, equation 1): what is best for each agent by its own values is together best by the mixed value. Held by enumeration
/// of all joint actions, for random weights, states, values and availabilities.
/// </summary>
public sealed class IgmTests
{
    private const int Agents = 3, StateSize = 5, Cases = 80;

    /// <summary>All mixers of one value for all agents, for each agent acts by its own; some in several sizes.</summary>
    public static TheoryData<string> Mixers
        => [.. Games.Mixers.Where(mixer => Games.Mixer(mixer).IsJoint), "qmix 2", "qplex 2", "qplex 3"];

    /// <summary>Those that grow with every agent's value.</summary>
    public static TheoryData<string> Monotone => ["vdn", "qmix 1", "qmix 2"];

    [Theory]
    [MemberData(nameof(Mixers))]
    public void TheAgentsBestActionsAreTheTeams(string mixer)
    {
        for (int i = 0; i < Cases; i++)
        {
            var game = new Game(mixer, i);
            float[] qTot = game.Mix();
            float best = game.Joint.Max(u => qTot[u]), rounding = Rounding(qTot);
            // Ties between an agent's actions: each of the best, with each of the others' best, is a best joint action.
            Assert.All(game.Joint.Where(game.IsGreedy), u => Assert.True(qTot[u] >= best - rounding, $"case {i}: {qTot[u]} is below {best}"));
        }
    }

    [Theory]
    [InlineData("vdn")]
    [InlineData("qplex")]
    [InlineData("qplex 3")]
    public void WhatIsWorseForAnAgentIsWorseForTheTeam(string mixer)
    {
        // The reverse. Of QMIX only with >=: a weight of its network may be 0, and elu ends at -1.
        int told = 0;
        for (int i = 0; i < Cases; i++)
        {
            var game = new Game(mixer, i);
            float[] qTot = game.Mix();
            float best = game.Joint.Max(u => qTot[u]), loss = 10 * Rounding(qTot);
            foreach (int u in game.Joint.Where(u => game.Shortfall(u) > loss))
            {
                Assert.True(qTot[u] < best, $"case {i}: joint action {u} is as good as {best}");
                told++;
            }
        }
        Assert.True(told > 5 * Cases, "what is worse was lost in rounding");
    }

    [Theory]
    [MemberData(nameof(Monotone))]
    public void TheTeamsValueGrowsWithEveryAgents(string mixer)
    {
        for (int i = 0; i < Cases; i++)
        {
            var game = new Game(mixer, i);
            float[] gradient = game.Gradient();
            Assert.All(gradient, g => Assert.True(g >= 0, $"case {i}: {g}"));
            // The tape's word is held against differences, so that it cannot agree with itself.
            const float H = 1 / 64f;
            float rounding = Rounding(game.Mix()) / H, scale = gradient.Max();
            for (int agent = 0; agent < Agents; agent++)
            {
                float[] more = game.Mix(agent, H), less = game.Mix(agent, -H);
                for (int u = 0; u < more.Length; u++)
                {
                    Assert.Equal((more[u] - less[u]) / (2 * H), gradient[u * Agents + agent], rounding + 0.02f * scale);
                }
            }
        }
    }

    [Theory]
    [InlineData("qplex")]
    [InlineData("qplex 2")]
    [InlineData("qplex 3")]
    public void QplexIsAValueLessWeightedShortfalls(string mixer)
    {
        for (int i = 0; i < Cases; i++)
        {
            var game = new Game(mixer, i);
            var (qTot, weight, credit) = (game.Mix(), game.Gradient(), game.Credit());
            Assert.All(weight.Concat(credit), w => Assert.True(w > 0, $"case {i}: a weight of {w}"));
            // Q_tot = V_tot + sum_a lambda_a A_a (Wang et al. 2021, equations 8 - 10), V_tot being the value of what is greedy; the gradient is w_a.
            float rounding = Rounding(qTot), vTot = qTot[game.Joint.First(game.IsGreedy)];
            foreach (int u in game.Joint)
            {
                double aTot = Enumerable.Range(0, Agents).Sum(a => (double)credit[u * Agents + a] * weight[u * Agents + a] * game.Advantage(u, a));
                Assert.True(qTot[u] <= vTot + rounding, $"case {i}: Q_tot {qTot[u]} is above V_tot {vTot}");
                Assert.Equal(vTot + aTot, qTot[u], 4 * rounding + 1e-5 * Math.Abs(aTot));
            }
        }
    }

    [Fact]
    public void AMixerWithoutRestrictionIsFoundOut()
    {
        int broken = 0, falling = 0;
        for (int i = 0; i < Cases; i++)
        {
            var game = new Game("central", i);
            float[] qTot = game.Mix();
            float best = game.Joint.Max(u => qTot[u]), gap = 100 * Rounding(qTot);
            broken += game.Joint.Where(game.IsGreedy).Any(u => qTot[u] < best - gap) ? 1 : 0;
            falling += game.Gradient().Any(g => g < 0) ? 1 : 0;
        }
        Assert.True(broken > Cases / 2, $"only {broken} of {Cases} cases show it");
        Assert.True(falling > Cases / 2, $"only {falling} of {Cases} cases have a negative gradient");
    }

    /// <summary>What a sum of numbers of this size may be off by.</summary>
    private static float Rounding(float[] qTot) => 4e-6f * (1 + qTot.Max(MathF.Abs));

    /// <summary>One state, the agents' values there, and a batch with all joint actions, one a row.</summary>
    private sealed class Game
    {
        private readonly IMixer mixer;
        private readonly Parameters parameters;
        private readonly Tensor values, actions, available, state;
        private readonly int actionCount, rows;
        private readonly float[,] q;
        private readonly bool[,] can;
        private readonly Lazy<float[]> slope;

        public Game(string mixer, int index)
        {
            var rng = new Rng(11).Split(RngPurpose.Test, index);
            actionCount = rng.NextInt(3, 4);
            rows = (int)Math.Pow(actionCount, Agents);
            var layout = new ParameterLayout();
            var spec = new EnvironmentSpec
            {
                Id = mixer,
                Agents = [.. Enumerable.Repeat(new AgentSpec(1, actionCount), Agents)],
                StateSize = StateSize,
                EpisodeLimit = 1,
                SnapshotSize = 0,
            };
            int depth = mixer[^1] is >= '1' and <= '3' ? mixer[^1] - '0' : 1;
            this.mixer = mixer.Split(' ')[0] switch
            {
                "qmix" => new QmixMixer { Embed = 4, HypernetLayers = depth, HypernetEmbed = 6 }.Create(layout, spec),
                "qplex" => new QplexMixer { HypernetEmbed = 6, Kernels = 3, KernelLayers = depth, KernelEmbed = 4 }.Create(layout, spec),
                "central" => new CentralMixer { Embed = 16 }.Create(layout, spec),
                _ => Games.Mixer(mixer).Create(layout, spec),
            };
            parameters = new Parameters(layout);
            // From nearly none to those that saturate.
            float scale = ((float[])[0.1f, 0.5f, 1f, 2f])[rng.NextInt(4)];
            foreach (ref float weight in parameters.Values.Span)
            {
                weight = rng.NextSingle(-scale, scale);
            }
            // In half of the cases values are whole numbers, so that many are equal.
            bool whole = rng.NextInt(2) == 0;
            (q, can) = (new float[Agents, actionCount], new bool[Agents, actionCount]);
            for (int agent = 0; agent < Agents; agent++)
            {
                int surely = rng.NextInt(actionCount);
                for (int action = 0; action < actionCount; action++)
                {
                    q[agent, action] = whole ? rng.NextInt(-2, 2) : rng.NextSingle(-3, 3);
                    can[agent, action] = action == surely || rng.NextInt(4) > 0;
                }
            }
            (values, available) = (Tensor.Zeros(1, rows, Agents, actionCount), Tensor.Zeros(1, rows, Agents, actionCount));
            (actions, state) = (Tensor.Zeros(1, rows, Agents), Tensor.Zeros(1, rows, StateSize));
            float[] s = [.. Enumerable.Range(0, StateSize).Select(_ => rng.NextSingle(-1, 1))];
            for (int u = 0; u < rows; u++)
            {
                s.CopyTo(state.Span[(u * StateSize)..]);
                for (int agent = 0; agent < Agents; agent++)
                {
                    actions.Span[u * Agents + agent] = ActionOf(u, agent);
                    for (int action = 0; action < actionCount; action++)
                    {
                        int at = (u * Agents + agent) * actionCount + action;
                        (values.Span[at], available.Span[at]) = (q[agent, action], can[agent, action] ? 1f : 0f);
                    }
                }
            }
            slope = new(() => this.mixer is QplexMixer.Module ? [.. Gradient().Zip(Credit(), (w, lambda) => w * lambda)] : Gradient());
            Joint = [.. Enumerable.Range(0, rows).Where(u => Enumerable.Range(0, Agents).All(agent => can[agent, ActionOf(u, agent)]))];
        }

        /// <summary>Joint actions all of whose parts are available.</summary>
        public int[] Joint { get; }

        /// <summary>Q_a(u_a) less the greatest of the available.</summary>
        public float Advantage(int u, int agent)
            => q[agent, ActionOf(u, agent)] - Enumerable.Range(0, actionCount).Where(action => can[agent, action]).Max(action => q[agent, action]);

        /// <summary>Whether no agent has a better action.</summary>
        public bool IsGreedy(int u) => Enumerable.Range(0, Agents).All(agent => Advantage(u, agent) == 0);

        /// <summary>The least that Q_tot lacks because some agent has a better action.</summary>
        public float Shortfall(int u) => Enumerable.Range(0, Agents).Max(agent => -slope.Value[u * Agents + agent] * Advantage(u, agent));

        /// <summary>Q_tot of every joint action, one agent's values all shifted.</summary>
        public float[] Mix(int agent = 0, float shift = 0)
        {
            var tape = new Tape();
            using (tape.NoGrad())
            {
                var shifted = Tensor.Of(values.ToArray(), 1, rows, Agents, actionCount);
                for (int i = 0; i < shifted.Count; i++)
                {
                    shifted.Span[i] += i / actionCount % Agents == agent ? shift : 0;
                }
                return Forward(tape, tape.Constant(shifted)).Value.ToArray();
            }
        }

        /// <summary>dQ_tot(u) / dQ_a(u_a) [U, N] by the tape.</summary>
        public float[] Gradient()
        {
            var tape = new Tape();
            using (tape.Step())
            {
                var all = tape.Variable(values);
                tape.Backward(Forward(tape, all).Sum());
                float[] gradient = all.Gradient.ToArray();
                return [.. Enumerable.Range(0, rows * Agents).Select(i => gradient[i * actionCount + ActionOf(i / Agents, i % Agents)])];
            }
        }

        /// <summary>QPLEX's lambda [U, N].</summary>
        public float[] Credit()
        {
            var tape = new Tape();
            using (tape.NoGrad())
            {
                return ((QplexMixer.Module)mixer).Credit(tape.Detached(parameters), tape.Constant(state), new ActionValues(tape.Constant(values), actions, available)).Value.ToArray();
            }
        }

        private Var Forward(Tape tape, Var all) => mixer.Forward(tape.Detached(parameters), new ActionValues(all, actions, available), state);

        private int ActionOf(int u, int agent) => u / (int)Math.Pow(actionCount, agent) % actionCount;
    }
}
