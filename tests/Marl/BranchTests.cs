using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Actions of several parts, discrete branches and a vector: their layout, what is recorded of them, and what is learned.</summary>
public sealed class BranchTests
{
    private static readonly string[] small = ["agent=mlp", "hidden=32", "criticHidden=32", "gamma=0.5"];

    [Fact]
    public void PartsArePaddedToTheLargest()
    {
        var layout = new PartsGame(PartsGame.Hybrid).Spec.ActionLayout;
        Assert.Equal((2, 4, 2, 10), (layout.Branches, layout.BranchSize, layout.VectorSize, layout.Size));
        Check(PartsGame.Of([3, 2], 2), "1010111", "1010 0100 11");
        Check(PartsGame.Of([2, 4]), "100110", "1000 0110 00");
        Check(PartsGame.Of([3]), "011", "0110 0000 00");
        Check(PartsGame.Of([], 1), "1", "0000 0000 10");
        // Without branches, and with a single one, nothing moves.
        Assert.Equal(new ActionLayout(1, 5, 0), ActionLayout.Of([new(3, 5), new(3, 2)]));
        Assert.Equal(new ActionLayout(0, 0, 4), ActionLayout.Of([new(3, 4, Box: new(0, 1)), new(3, 2, Box: new(0, 1))]));

        void Check(AgentSpec agent, string mask, string padded)
        {
            bool[] all = [.. mask.PadRight(layout.Size, '1').Select(x => x == '1')];
            layout.Pad(agent, all);
            Assert.Equal(padded.Replace(" ", ""), string.Concat(all.Select(x => x ? '1' : '0')));
        }
    }

    [Fact]
    public void AnAgentWithOneBranchIsAnAgentWithAnIndex()
    {
        Assert.Equal(new AgentSpec(3, 5), new AgentSpec(3, [5]));
        Assert.Equal(new AgentSpec(3, 5).GetHashCode(), new AgentSpec(3, [5]).GetHashCode());
        Assert.Equal(new AgentSpec(3, 5), new AgentSpec(3, 5) { Branches = [5] });
        Assert.Equal(new AgentSpec(3, 2, Box: new(0, 1)), new AgentSpec(3, [], 2, Box: new(0, 1)));
        Assert.Equal(new AgentSpec(3, [2, 3]), new AgentSpec(3, [2, 3]) { Name = "other" });
        Assert.NotEqual(new AgentSpec(3, [2, 3]), new AgentSpec(3, [3, 2]));
        Assert.NotEqual(new AgentSpec(3, 5), new AgentSpec(3, [2, 3]));
        Assert.Equal((2, 3, 2), (new AgentSpec(3, [2, 3], 2, Box: new(0, 1)).BranchCount, new AgentSpec(3, [2, 3]).BranchSize(1), new AgentSpec(3, [2], 2, Box: new(0, 1)).VectorSize));
    }

    [Fact]
    public void ReadingAnotherKindOfActionNamesTheRightOne()
    {
        Assert.Equal([2, 1], JointAction.Create([0, 4, 2, 1], branches: 2).Branches(1).ToArray());
        Assert.Equal([3], JointAction.Create([5, 3]).Branches(1).ToArray());
        Assert.Equal((3, 0.5f), (JointAction.Create([5, 3], 1, [0f, 0.5f], 1)[1], JointAction.Create([5, 3], 1, [0f, 0.5f], 1).Vector(1)[0]));
        Assert.Contains("actions.Branches(agent)", Assert.Throws<InvalidOperationException>(() => JointAction.Create([0, 4, 2, 1], branches: 2)[0]).Message);
        Assert.Contains("actions.Vector(agent)", Assert.Throws<InvalidOperationException>(() => JointAction.Create([0.5f, 1f], width: 1)[0]).Message);
    }

    [Fact]
    public void GamesOfPartsKeepTheContract()
    {
        Assert.Empty(EnvironmentChecker.Check(() => new PartsGame(PartsGame.Discrete)));
        Assert.Empty(EnvironmentChecker.Check(() => new PartsGame(PartsGame.Hybrid)));
    }

    /// <summary>What agents do is recorded as it was done, with its probability, and is an input of their networks.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatWasDoneIsRecordedAndSeenAsLastAction(bool hybrid)
    {
        using var workers = new Workers(1);
        AgentSpec[] agents = hybrid ? PartsGame.Hybrid : PartsGame.Discrete;
        var spec = new PartsGame(agents).Spec;
        var (layout, parameters) = (spec.ActionLayout, new ParameterLayout());
        var agent = new Agent(parameters.Scope("agent"), spec, new AgentOptions { Network = new MlpNetwork(), Hidden = 8, LastAction = true, AgentId = false });
        var weights = new Parameters(parameters).Initialize(new Rng(3));
        Episode[] episodes = [.. Enumerable.Range(0, 3).Select(_ => new Episode(spec))];
        var softmax = new SoftmaxPolicy();
        new Rollout([.. episodes.Select(_ => new PartsGame(agents))], 3, [new Actor(agent, weights)], softmax, workers, new Rng(8)).Play(episodes, exploration: 0.1f);
        var batch = new EpisodeBatch(spec, 3, 1);
        batch.Load(episodes);
        Assert.Equal(new Shape(PartsGame.Steps, 3, agents.Length, layout.Branches), batch.Actions.Shape);
        Assert.Equal(new Shape(PartsGame.Steps + 1, 3, agents.Length, layout.Size), batch.Available.Shape);
        var tape = new Tape();
        using var scope = tape.NoGrad();
        var rows = agent.Input.Build(tape, batch);
        var output = agent.Forward(tape.Detached(weights), rows, agent.InitialState(tape, batch)).Output.Value;
        float[] probabilities = new float[layout.BranchSize];
        for (int b = 0; b < 3; b++)
        {
            for (int t = 0; t < PartsGame.Steps; t++)
            {
                for (int n = 0; n < agents.Length; n++)
                {
                    float[] did = new float[layout.Size];
                    double probability = 1;
                    for (int branch = 0; branch < agents[n].BranchCount; branch++)
                    {
                        int choice = episodes[b].BranchesAt(t, n)[branch];
                        did[branch * layout.BranchSize + choice] = 1f;
                        softmax.Probabilities(output[t][b][n].Span[layout.Branch(branch)], episodes[b].AvailableActions(t, n)[layout.Branch(branch)], 0.1f, probabilities);
                        probability *= probabilities[choice];
                    }
                    if (layout.VectorSize > 0)
                    {
                        episodes[b].ContinuousAction(t, n)[..agents[n].VectorSize].CopyTo(did.AsSpan(layout.VectorStart));
                    }
                    // Padding is 0: choices of branches that an agent lacks are no part of the encoding.
                    Assert.Equal(did, rows.Own.Value[t + 1][b][n].Slice(spec.ObservationSize, layout.Size).ToArray());
                    Assert.Equal(probability, episodes[b].Probabilities[t * agents.Length + n], 1e-5);
                }
            }
        }
    }

    /// <summary>The value of an action is the mean over its branches; the greedy choice of each branch has the largest value of all actions.</summary>
    [Fact]
    public void GreedyChoicesAreTheGreedyAction()
    {
        const int W = 3, K = 2;
        var (tape, rng) = (new Tape(), new Rng(5));
        using var scope = tape.NoGrad();
        var (q, available) = (Tensor.Zeros(1, 40, 2, K * W), Tensor.Zeros(1, 40, 2, K * W));
        foreach (ref float value in q.Span)
        {
            value = rng.NextSingle(-1f, 1f);
        }
        for (int i = 0; i < available.Count; i++)
        {
            // Agent 1 has a single branch.
            bool isPadding = i / (K * W) % 2 == 1 && i % (K * W) >= W;
            available.Span[i] = !isPadding && (i % W == 1 || rng.NextSingle() < 0.6f) ? 1f : 0f;
        }
        var layout = new ActionLayout(K, W, 0);
        var greedy = tape.ArgMax(q.Branches(layout, tape), available.Branches(layout, tape)).Reshape(1, 40, 2, K);
        var best = new ActionValues(tape.Constant(q), greedy, available).Chosen.Value;
        for (int row = 0; row < 40; row++)
        {
            for (int agent = 0; agent < 2; agent++)
            {
                var (own, mask) = (q[0][row][agent].ToArray(), available[0][row][agent].ToArray());
                double most = double.NegativeInfinity;
                for (int u = 0; u < W * W; u++)
                {
                    int first = u % W, second = W + u / W;
                    if (mask[first] == 1 && (agent == 1 || mask[second] == 1))
                    {
                        most = Math.Max(most, agent == 1 ? own[first] : (own[first] + own[second]) / 2.0);
                    }
                }
                Assert.Equal(most, best[0][row][agent].Span[0], 1e-6);
            }
        }
    }

    [Theory]
    [InlineData("iql", 1), InlineData("iql", 2), InlineData("vdn", 1), InlineData("qmix", 1), InlineData("qmix", 2), InlineData("cw-qmix", 1), InlineData("ow-qmix", 1)]
    [InlineData("vdn", 1, "lambda=0.5", "trace=retrace")]
    public void ValuesOfBranchesAreLearned(string algorithm, ulong seed, params string[] settings)
        => Assert.Equal(10, Games.Train(Games.Configure(algorithm, "identity?branches=2", 8_000, seed, settings: [.. Games.Known(algorithm, "identity", [.. small, "epsilonAnneal=3000",
            "learningRate=0.003", "targetTau=0.05", "targetUpdateInterval=1", "centralHidden=32", "centralEmbed=32"]), .. settings])).ReturnMean);

    [Theory]
    [InlineData("reinforce", 1), InlineData("ia2c", 1), InlineData("ia2c", 2), InlineData("ippo", 1), InlineData("ippo", 2), InlineData("maa2c", 1), InlineData("mappo", 1)]
    [InlineData("vdac", 1), InlineData("liir", 1), InlineData("ippo", 1, "rolloutLength=7"), InlineData("ia2c", 1, "epsilonFloorStart=0.2")]
    public void PoliciesOfBranchesAreLearned(string algorithm, ulong seed, params string[] settings)
        => Assert.InRange(Games.Train(Games.Configure(algorithm, "identity?branches=2", 20_000, seed, settings: [.. Games.Known(algorithm, "identity", [.. small, "learningRate=0.003"]),
            .. settings])).ReturnMean, 9.5, 10);

    [Theory]
    [InlineData("maddpg", 1), InlineData("maddpg", 2), InlineData("matd3", 1), InlineData("maddpg", 1, "hardSamples=false", "sampleTargets=true")]
    [InlineData("maddpg", 1, "inferPolicies=true")]
    public void ChoicesAndPointsAreLearned(string algorithm, ulong seed, params string[] settings)
    {
        string[] all = [.. small, "batchSize=32", "learningRate=0.003", "targetTau=0.02", "maxGradientNorm=1", "greedyEvaluation=true", .. settings];
        Assert.InRange(Games.Train(Games.Configure(algorithm, "identity?branches=2", 12_000, seed, settings: all)).ReturnMean, 9.5, 10);
        // To name 0 for every point and the right symbols is worth 7.5.
        Assert.InRange(Games.Train(Games.Configure(algorithm, "identity?points=1", 12_000, seed, settings: all)).ReturnMean, 9.5, 10);
    }

    /// <summary>Agents whose actions have different parts: what one lacks is padding, and must not be taken, valued or explored.</summary>
    [Theory]
    [InlineData("iql"), InlineData("qmix"), InlineData("ippo"), InlineData("liir"), InlineData("maddpg"), InlineData("maddpg", "hybrid", "shareParameters=false", "inferPolicies=true")]
    public void AgentsWithDifferentPartsLearn(string algorithm, string kind = "discrete", params string[] settings)
    {
        AgentSpec[] agents = kind == "hybrid" ? PartsGame.Hybrid : PartsGame.Discrete;
        string[] all = [.. Games.Known(algorithm, "identity", [.. small, "epsilonAnneal=3000", "learningRate=0.003", "targetTau=0.05", "targetUpdateInterval=1", "maxGradientNorm=1"]), .. settings];
        var configuration = RunConfiguration.Of(algorithm, "parts", null, all) with
        {
            Training = new() { Steps = 12_000, EvaluationInterval = 0, EvaluationEpisodes = 20, Threads = 1, GreedyEvaluation = true },
        };
        // The right choices with 0 for every point are worth 0.81 of it.
        Assert.InRange(Games.Train(configuration, () => new PartsGame(agents)).ReturnMean, 0.92 * PartsGame.Steps, PartsGame.Steps);
    }

    [Theory]
    [InlineData("qtran", "identity?branches=2", "qtran learns actions of one branch, and those of identity?agents=2&actions=4&steps=10&branches=2 have 2 branches; these algorithms learn them: iql")]
    [InlineData("qplex", "identity?branches=2", "qplex learns actions of one branch")]
    [InlineData("coma", "identity?branches=2", "coma learns actions of one branch")]
    [InlineData("pareto-ac", "identity?branches=2", "pareto-ac learns actions of one branch")]
    [InlineData("vdn", "identity?branches=2", "vdn learns actions of one branch", "mixer=qplex")]
    [InlineData("ippo", "identity?points=1", "ippo learns discrete actions, and those of identity?agents=2&actions=4&steps=10&points=1 have a continuous part; these algorithms learn them: maddpg")]
    [InlineData("iql", "identity?branches=2", "use importance=none", "importance=step")]
    [InlineData("iql", "identity?branches=2", "use leniency=annealed", "leniency=visits", "leniency.moderation=1")]
    [InlineData("maa2c", "identity?branches=2", "use advantage=return", "advantage=counterfactual")]
    [InlineData("ia2c", "identity?branches=2", "difference rewards require discrete actions of one branch", "reward=difference")]
    [InlineData("ia2c", "identity?branches=2", "difference rewards require discrete actions of one branch", "reward=aristocratic", "rewardModel=true")]
    public void WhatAnAlgorithmCannotDoIsRefused(string algorithm, string environment, string problem, params string[] settings)
        => Assert.Contains(problem, Assert.Throws<UsageException>(() => new Trainer(Games.Configure(algorithm, environment, 10, settings: settings))).Message, StringComparison.Ordinal);

    [Fact]
    public void APolicyOfPartsIsSavedAndActsOnObservations()
    {
        using var temporary = new TemporaryFolder();
        using var trainer = new Trainer(Games.Configure("maddpg", "identity?branches=2&points=1", 20, settings: ["hidden=8", "lastAction=true"]));
        trainer.Policy.Save(temporary["policy.safetensors"]);
        var policy = Policy.Load(temporary["policy.safetensors"]);
        Assert.Equal(trainer.Spec.Agents, policy.Description.Agents);
        var (rng, actions, vectors) = (new Rng(1), new int[4], new float[2]);
        float[] observations = new float[2 * policy.Description.ObservationSize];
        bool[] available = [.. Enumerable.Repeat(true, 2 * policy.Description.ActionLayout.Size)];
        available.AsSpan(4, 3).Clear(); // the second branch of agent 0 has one choice left
        policy.Act(observations, available, actions, vectors, ref rng);
        Assert.Equal(3, actions[1]);
        policy.SetLastActions([0, 1, 2, 3], [0.5f, -0.5f]);
        Assert.Contains("agent 1 has the actions 0 to 3 in branch 0; 4 was given", Assert.Throws<ArgumentException>(() => policy.SetLastActions([0, 0, 4, 0], [0f, 0f])).Message);
        Assert.Contains("Span<int> actions and Span<float> vectors", Assert.Throws<InvalidOperationException>(() => policy.Act(observations, [], new int[4], ref rng)).Message);
        Assert.Equal("vectors: 2 elements are required; 1 were given", Assert.Throws<ArgumentException>(() => policy.Act(observations, [], new int[4], new float[1], ref rng)).Message);
        available.AsSpan(4, 4).Clear();
        Assert.Equal("available: agent 0 has no available action in branch 1; at least one is required",
            Assert.Throws<ArgumentException>(() => policy.Act(observations, available, actions, vectors, ref rng)).Message);
    }

    /// <summary>Teams whose actions have different layouts.</summary>
    [Fact]
    public void OpponentsMayHaveOtherParts()
    {
        AgentSpec[] agents = [PartsGame.Of([3, 2], 2), PartsGame.Of([4], team: 1), PartsGame.Of([2, 2], 1)];
        using var trainer = new Trainer(RunConfiguration.Of("maddpg", "parts", null, ["hidden=8"]) with { Training = new() { Threads = 1 } }, () => new PartsGame(agents));
        for (int team = 0; team < 2; team++)
        {
            int own = team;
            Assert.Empty(EnvironmentChecker.Check(() => FixedOpponents.Create("against", new PartsGame(agents), trainer.Policy.Clone(), own)));
        }
    }
}
