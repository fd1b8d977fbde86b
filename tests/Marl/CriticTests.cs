using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Critics of action values that agents share, and additional steps of critics.</summary>
public sealed class CriticTests
{
    /// <summary>One agent receives 1 in every step, the other -1. With gamma 0.9 their values are 10 and -10, unless the critic of Q, from which returns are
    /// bootstrapped, cannot tell the agents apart.</summary>
    [Theory]
    [InlineData(true, 10)]
    [InlineData(false, 1)]
    public void ASharedCriticOfActionValuesKnowsTheAgent(bool knows, double value)
    {
        string[] settings =
        [
            "shareParameters=true", $"criticAgentId={knows}", "reward=individual", "hidden=8", "criticHidden=16", "optimizer=adam", "learningRate=0.01",
            "criticLearningRate=0.01", "maxGradientNorm=0", "targetTau=1", "targetUpdateInterval=1", "gamma=0.9", "nStep=1", "standardizeReturns=false",
            "environments=1", "entropyCoefficientStart=0.01",
        ];
        using var trainer = new Trainer(Games.Configure("pareto-ac", "opposed", 6_000, settings: settings), () => new Opposed());
        trainer.Run();
        Episode[] round = [Games.Play(() => new Opposed(), 0, RewardMode.Individual)];
        ((OnPolicyLearner)trainer.Learner).Begin(round, 0);
        var returns = round[0][Column.Returns];
        Assert.Equal(value, returns[0], 0.15 * value);
        Assert.Equal(-value, returns[1], 0.15 * value);
    }

    /// <summary>Every reward is 1: Q and V are both 10, so the advantage is 0. The value is of the state alone, Q of the others' actions as well.</summary>
    [Fact]
    public void AStateBaselineIsAValueThatIsSubtracted()
    {
        string[] settings =
        [
            "advantage=stateBaseline", "shareParameters=true", "reward=individual", "hidden=8", "criticHidden=16", "optimizer=adam", "learningRate=0.01",
            "criticLearningRate=0.01", "maxGradientNorm=0", "targetTau=1", "targetUpdateInterval=1", "gamma=0.9", "nStep=1", "standardizeReturns=false",
            "environments=1", "entropyCoefficient=0.01",
        ];
        using var trainer = new Trainer(Games.Configure("maa2c", "opposed", 6_000, settings: settings), () => new Opposed(1, 1));
        trainer.Run();
        Episode[] round = [Games.Play(() => new Opposed(1, 1), 0, RewardMode.Individual)];
        var learner = (OnPolicyLearner)trainer.Learner;
        learner.Begin(round, 0);
        Assert.All(round[0][Column.Returns].ToArray(), value => Assert.Equal(10, value, 1.5));
        Assert.All(round[0][Column.Advantages].ToArray(), advantage => Assert.Equal(0, advantage, 1.5));
        // State and agent; the actions of both agents too.
        Assert.Equal((1 + 2 + 4, 1 + 2), (Inputs("critic."), Inputs("state_value.")));

        int Inputs(string scope) => learner.Networks[1].Online.Layout.Slices.First(slice => slice.Name.Contains(scope, StringComparison.Ordinal)
            && slice.Name.EndsWith("weight", StringComparison.Ordinal)).Shape[-1];
    }

    /// <summary>The policy's step is the same, however many steps the critics take, because advantages are those before the first.</summary>
    [Theory]
    [InlineData("maa2c")]
    [InlineData("coma")]
    [InlineData("vdac")]
    [InlineData("pareto-ac")]
    [InlineData("liir")]
    public void CriticsTakeStepsOfTheirOwn(string algorithm)
    {
        var (one, three) = (Round(1), Round(3));
        Assert.Equal(one.Policy, three.Policy);
        Assert.NotEqual(one.Critic, three.Critic);
        Assert.True(three.Error < one.Error, $"{three.Error} after three steps of the critic, {one.Error} after one");

        (float[] Policy, float[] Critic, float Error) Round(int steps)
        {
            string[] settings = ["hidden=8", "criticHidden=8", "environments=4", "criticLearningRate=0.003", "maxGradientNorm=0", $"criticSteps={steps}"];
            using var trainer = new Trainer(Games.Configure(algorithm, "identity", 100, settings: settings));
            var learner = (OnPolicyLearner)trainer.Learner;
            Episode[] round = [.. Enumerable.Range(0, 4).Select(i => Games.Play(() => new IdentityGame(), i))];
            learner.Begin(round, 0);
            learner.RunEpoch(0);
            float[] policy = learner.Parameters.Values.ToArray(), critic = learner.Networks[1].Online.Values.ToArray();
            // A second epoch reports the critic's error after the first.
            learner.RunEpoch(0);
            return (policy, critic, learner.Statistics.Metrics.Single(metric => metric.Name == "criticLoss").Value);
        }
    }

    [Fact]
    public void StepsOfACriticNeedACritic()
        => Assert.Contains("criticSteps", Assert.Throws<UsageException>(() => new Trainer(Games.Configure("reinforce", "identity", 100, settings: ["criticSteps=2"]))).Message,
            StringComparison.Ordinal);

    private sealed class Opposed(double first = 1, double second = -1) : IEnvironment
    {
        private const int Limit = 5;

        private int step;

        public EnvironmentSpec Spec { get; } = new()
        {
            Id = "opposed",
            Agents = [new AgentSpec(1, 2), new AgentSpec(1, 2)],
            StateSize = 1,
            EpisodeLimit = Limit,
            SnapshotSize = 1,
            Reward = RewardMode.Individual,
        };

        public void Reset(ref Rng rng) => step = 0;

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            (rewards[0], rewards[1]) = (first, second);
            return ++step == Limit ? StepResult.Truncated : StepResult.Running;
        }

        public void Observe(int agent, Span<float> observation) => observation[0] = 1;

        public void ReadState(Span<float> state) => state[0] = 1;

        public void Save(Span<double> snapshot) => snapshot[0] = step;

        public void Restore(ReadOnlySpan<double> snapshot) => step = (int)snapshot[0];
    }
}
