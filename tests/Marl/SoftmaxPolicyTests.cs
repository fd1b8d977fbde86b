using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Actions drawn from policies, with a floor and without.</summary>
public sealed class PolicySamplerTests
{
    public static TheoryData<float, bool> Policies => new() { { 0f, true }, { 0.3f, true }, { 0f, false }, { 0.3f, false }, { 1f, true }, { 1f, false } };

    [Theory]
    [MemberData(nameof(Policies))]
    public void OnlyWhatIsAvailableIsDrawnAndAsOftenAsThePolicySays(float floor, bool maskBeforeSoftmax)
    {
        var (policy, rng) = (new SoftmaxPolicy { MaskBeforeSoftmax = maskBeforeSoftmax }, new Rng(11));
        const int actions = 6, draws = 20_000;
        for (int round = 0; round < 8; round++)
        {
            // What is not available has the greatest logits.
            bool[] available = [.. Enumerable.Range(0, actions).Select(a => a == round % actions || rng.NextSingle() < 0.5f)];
            float[] logits = [.. available.Select(a => rng.NextSingle(-2f, 2f) + (a ? 0f : 3f))], p = new float[actions];
            int[] counts = new int[actions];
            policy.Probabilities(logits, available, floor, p);
            for (int draw = 0; draw < draws; draw++)
            {
                var (action, probability) = policy.Select(logits, available, floor, ref rng);
                Assert.True(available[action], $"action {action} is not available");
                Assert.Equal(p[action], probability);
                counts[action]++;
            }
            Assert.Equal(1f, p.Sum(), 1e-6f);
            for (int action = 0; action < actions; action++)
            {
                // Five standard deviations.
                Assert.Equal(p[action], counts[action] / (float)draws, 5f * MathF.Sqrt(p[action] * (1f - p[action]) / draws) + 1e-6f);
            }
        }
    }

    [Fact]
    public void AnActionOfProbability0IsNeverDrawn()
    {
        // By rounding, the probabilities of the other actions add up to less than 1, and the largest random number of float32 is beyond their sum.
        float[] logits = [-2.3918142f, 0.26641825f, -0.53345096f, 1.52693f, -200f];
        bool[] available = [true, true, true, true, true];
        var (policy, rng, p) = (new SoftmaxPolicy(), new Rng(1), new float[5]);
        policy.Probabilities(logits, available, 0f, p);
        float remaining = 1f - 1f / (1 << 24);
        Assert.True(p.All(probability => (remaining -= probability) >= 0));
        Assert.Equal(0f, p[4]);
        var before = rng;
        while (rng.NextSingle() < 1f - 1f / (1 << 24))
        {
            before = rng;
        }
        Assert.Equal((3, p[3]), policy.Select(logits, available, 0f, ref before));
    }

    [Fact]
    public void DiscreteActionsOfADeterministicPolicyAreSampledInEvaluationsToo()
    {
        var (policy, p) = (new PolicyNoise().For(Catalog.CreateEnvironment("climbing").Spec), new float[3]);
        Assert.True(policy.IsStochastic);
        policy.Probabilities([5f, 0f, 1f], [false, true, true], policy.EvaluationRate, p);
        Assert.Equal([0f, 1f / (1f + MathF.E), MathF.E / (1f + MathF.E)], p, (one, other) => MathF.Abs(one - other) < 1e-6f);
        Assert.False(new PolicyNoise().For(Catalog.CreateEnvironment("mpe:spread?actions=continuous").Spec).IsStochastic);
    }

    [Fact]
    public void LogitsBeyondTheRangeOfExpAreNoTrouble()
    {
        var (policy, rng) = (new SoftmaxPolicy { MaskBeforeSoftmax = false }, new Rng(13));
        var (action, probability) = policy.Select([1000f, -1000f, 0f], [false, true, true], 0.2f, ref rng);
        Assert.InRange(action, 1, 2);
        Assert.Equal(0.5f, probability); // nothing but the floor is left of the two
    }

    [Fact]
    public void TheFloorFollowsItsSchedule()
    {
        using var trainer = new Trainer(Games.Configure("coma", "identity", 400, settings: ["hidden=8", "criticHidden=8", "environments=4",
            "epsilonFloorStart=0.5", "epsilonFloorFinish=0.1", "epsilonFloorAnneal=200"]));
        Assert.Equal(0.5f, trainer.Learner.ExplorationRate(0));
        trainer.Run(onRound: (steps, _) => Assert.Equal(Math.Max(0.1f, 0.5f - 0.4f * steps / 200f), trainer.Learner.ExplorationRate(steps), 1e-5f));
        Assert.Equal(0.1f, trainer.Learner.ExplorationRate(400));
    }

    [Theory]
    [InlineData("climbing?steps=3", false)]
    [InlineData("two-step", true)]
    public void WhereAnEpisodeIsCutOffTheNextActionIsChosen(string game, bool terminates)
    {
        using var workers = new Workers(2);
        IEnvironment[] stages = [.. Enumerable.Range(0, 20).Select(_ => Catalog.CreateEnvironment(game))];
        var spec = stages[0].Spec;
        var learner = Games.Configure("coma", game, 10, settings: ["environments=20", "hidden=8", "criticHidden=8"])
            .CreateLearner((new TrainingOptions { Environments = 20 }).Context(spec, workers));
        Assert.True(learner.NeedsBootstrapAction);
        foreach (bool beyond in new[] { true, false })
        {
            Episode[] episodes = [.. Enumerable.Range(0, 20).Select(_ => new Episode(spec))];
            var rollout = new Rollout(stages, 20, learner.Actors, learner.Exploration, workers, new Rng(5), beyond);
            int chosen = 0;
            for (int round = 0; round < 2; round++)
            {
                rollout.Play(episodes, 0f);
                Assert.All(episodes, episode => Assert.Equal((spec.EpisodeLimit, terminates), (episode.Length, episode.Terminated)));
                chosen += episodes.Count(episode => episode.ActionsAt(spec.EpisodeLimit).IndexOfAnyExcept(0) >= 0);
            }
            Assert.Equal(beyond && !terminates, chosen > 0);
        }
    }
}
