using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Continuous actions, from the environment to the replay buffer.</summary>
public sealed class ContinuousTests
{
    [Theory]
    [InlineData("mpe:spread?actions=continuous")]
    [InlineData("mpe-v0:speaker-listener?actions=continuous&steps=4")]
    [InlineData("mpe:world-comm?actions=continuous")]
    public void EnvironmentsOfNumbersKeepTheContract(string id)
    {
        Assert.Empty(EnvironmentChecker.Check(() => Catalog.CreateEnvironment(id), episodes: 6));
        Assert.Equal(id, Catalog.CreateEnvironment(id).Spec.Id);
    }

    [Fact]
    public void TheCheckerSeesWhatIsWrongWithABox()
    {
        Assert.Contains(EnvironmentChecker.Check(() => new Reach { Box = new(1, 1) }), problem => problem.Contains("Box is empty", StringComparison.Ordinal));
        Assert.Contains(EnvironmentChecker.Check(() => new Reach { Inconsistent = true }), problem => problem.Contains("its parts do not have 2 elements together", StringComparison.Ordinal));
        Assert.Empty(EnvironmentChecker.Check(() => new Reach()));
    }

    [Theory]
    [InlineData("iql")]
    [InlineData("qtran")]
    [InlineData("mappo")]
    public void WhoChoosesAmongActionsRefusesNumbers(string algorithm)
    {
        var e = Assert.Throws<UsageException>(() => new Trainer(Games.Configure(algorithm, "mpe:spread?actions=continuous", 10)));
        Assert.StartsWith($"{algorithm} learns discrete actions, and those of mpe:spread?actions=continuous are continuous", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DifferenceRewardsRefuseNumbers()
        => Assert.Contains("require discrete actions", Assert.Throws<UsageException>(
            () => new EpisodeRecorder(new Reach().Spec, new() { Mode = RewardMode.Aristocratic })).Message, StringComparison.Ordinal);

    [Fact]
    public void AnActionIsTheSquashedOutputAndNoiseStaysInTheBox()
    {
        var spec = new Reach { Box = new(-3, 1) }.Spec;
        var (policy, rng, action) = (new TanhPolicy(spec), new Rng(5), new float[2]);
        policy.Act(1, [0f, 20f], 0f, ref rng, action);
        Assert.Equal([-1f, 1f], action);
        Assert.Equal(new Rng(5), rng);
        policy.Act(0, [0f, 0f], 0f, ref rng, action);
        Assert.Equal([-1f, 0f], action); // agent 0 has one number
        double sum = 0, squares = 0;
        const int draws = 4000;
        for (int i = 0; i < draws; i++)
        {
            policy.Act(1, [0.2f, 3f], 0.1f, ref rng, action);
            Assert.InRange(action[1], -3f, 1f);
            double z = (action[0] + 1) / 2 - Math.Tanh(0.2);
            (sum, squares) = (sum + z, squares + z * z);
        }
        Assert.Equal(0, sum / draws, 0.01);
        Assert.Equal(0.1, Math.Sqrt(squares / draws), 0.01);
    }

    [Fact]
    public void WhatWasDoneIsReplayedAndSeenAsLastAction()
    {
        using var workers = new Workers(1);
        var spec = new Reach().Spec;
        var layout = new ParameterLayout();
        var agent = new Agent(layout.Scope("agent"), spec, new AgentOptions { Network = new MlpNetwork(), Hidden = 8, LastAction = true });
        var parameters = new Parameters(layout).Initialize(new Rng(3));
        Episode[] episodes = [.. Enumerable.Range(0, 4).Select(_ => new Episode(spec))];
        IEnvironment[] stages = [.. episodes.Select(_ => new Reach())];
        new Rollout(stages, 4, [new Actor(agent, parameters)], new EpsilonGreedy(), workers, new Rng(8)).Play(episodes, exploration: 0.3f);
        var batch = new EpisodeBatch(spec, 4, 1);
        batch.Load(episodes);
        Assert.Equal(new Shape(Reach.Steps, 4, 2, 2), batch.ContinuousActions.Shape);
        var tape = new Tape();
        using (tape.NoGrad())
        {
            var input = agent.Input.Build(tape, batch).Own.Value;
            for (int b = 0; b < 4; b++)
            {
                float reward = 0;
                for (int t = 0; t < Reach.Steps; t++)
                {
                    for (int n = 0; n < 2; n++)
                    {
                        float[] did = episodes[b].ContinuousAction(t, n).ToArray();
                        Assert.Equal(did, batch.ContinuousActions[t][b][n].ToArray());
                        Assert.Equal(did, input[t + 1][b][n].Slice(Reach.Observation, 2).ToArray());
                        Assert.All(input[0][b][n].Slice(Reach.Observation, 2).ToArray(), x => Assert.Equal(0, x));
                        Assert.InRange(did[0], -1f, 1f);
                    }
                    Assert.Equal(0f, episodes[b].ContinuousAction(t, 0)[1]);
                    reward += episodes[b].Rewards[t];
                }
                Assert.Equal(episodes[b].Return, reward, 1e-4);
                Assert.True(reward < 0);
            }
            // Without noise an action is mu of the output.
            new Rollout(stages, 4, [new Actor(agent, parameters)], new EpsilonGreedy(), workers, new Rng(8)).Play(episodes, exploration: 0f);
            batch.Load(episodes);
            var output = agent.Forward(tape.Detached(parameters), agent.Input.Build(tape, batch), tape.Constant(Tensor.Zeros(4, 2, agent.StateSize))).Output;
            var mean = new TanhPolicy(spec).Mean(output).Value;
            for (int i = 0; i < batch.ContinuousActions.Count; i++)
            {
                Assert.Equal(mean.Span[i], batch.ContinuousActions.Span[i], 1e-6f);
            }
        }
    }
}

/// <summary>
/// Two agents name numbers: agent 0 one, agent 1 two. What is right follows from a number x that both see: a_0 = x, a_1 = (-x, x / 2); both earn minus the
/// squared distance.
/// </summary>
internal sealed class Reach : IEnvironment
{
    public const int Steps = 3, Observation = 2;
    private EnvironmentSpec? spec;
    private double x;
    private int step;

    public ActionBox Box { get; init; } = new(-1, 1);

    public bool Inconsistent { get; init; }

    public EnvironmentSpec Spec => spec ??= new()
    {
        Id = "reach",
        Agents = [new(Observation, 1, 0, Box), new(Observation, 2, 0, Box) { Branches = Inconsistent ? [3] : null }],
        StateSize = 2 * Observation,
        Reward = RewardMode.Mean,
        EpisodeLimit = Steps,
        SnapshotSize = 2,
    };

    public void Reset(ref Rng rng) => (step, x) = (0, 2 * rng.NextDouble() - 1);

    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        var second = actions.Vector(1);
        double error = Square(actions.Vector(0)[0] - x) + Square(second[0] + x) + Square(second[1] - x / 2);
        rewards.Fill(-error);
        x = 2 * rng.NextDouble() - 1;
        return ++step == Steps ? StepResult.Terminated : StepResult.Running;

        static double Square(double e) => e * e;
    }

    public void Observe(int agent, Span<float> observation) => (observation[0], observation[1]) = ((float)x, 1f);

    public void Save(Span<double> snapshot) => (snapshot[0], snapshot[1]) = (step, x);

    public void Restore(ReadOnlySpan<double> snapshot) => (step, x) = ((int)snapshot[0], snapshot[1]);
}
