using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Normalized returns: what PopArt must not change, and what it must.</summary>
public sealed class ReturnNormalizationTests
{
    [Theory]
    [InlineData("maa2c", "shareParameters=true", true)]
    [InlineData("maa2c", "shareParameters=false", true)]
    [InlineData("ippo", "rolloutLength=9", true)]
    [InlineData("ia2c", "criticNetwork=gru", true)]
    [InlineData("maa2c", "shareParameters=true", false)]
    public void ValuesOfReturnsStayTheSame(string algorithm, string setting, bool popArt)
    {
        using var workers = new Workers(1);
        var configuration = Games.Configure(algorithm, "lbf:5x5-2p-1f?steps=7", 1_000, settings:
            [.. Games.TinyFor(algorithm), "standardizeRewards=false", "standardizeReturns=true", $"popArt={popArt}", "returnDecay=0.5", setting, "learningRate=0.01"]);
        var spec = Catalog.CreateEnvironment(configuration.Environment).Spec;
        var context = configuration.Training.Context(spec, workers);
        var learner = (OnPolicyLearner)configuration.CreateLearner(context);
        Episode[] episodes = [.. Enumerable.Range(0, 5).Select(_ => context.NewEpisode(learner.Columns))];
        var rollout = new Rollout([.. episodes.Select(_ => Catalog.CreateEnvironment(configuration.Environment))], 5, learner.Actors, learner.Exploration, workers,
            new Rng(1), learner.NeedsBootstrapAction, configuration.Training.RolloutLength);
        double largest = 0;
        for (int round = 0; round < 4; round++)
        {
            rollout.Play(episodes, 0f);
            foreach (var episode in episodes)
            {
                // Rewards of another scale and another sign in every round.
                foreach (ref float reward in episode.Rewards)
                {
                    reward = (reward + 0.3f) * (round % 2 == 0 ? 50 : -3);
                }
            }
            float[] before = Values(learner.Networks[1].Online), target = Values(learner.Networks[1].Target);
            learner.Begin(episodes, 0);
            float[] after = Values(learner.Networks[1].Online);
            double error = Difference(before, after), scale = before.Max(Math.Abs);
            Assert.Equal(popArt, error < 1e-4 * (1 + scale));
            if (popArt)
            {
                Assert.True(Difference(target, Values(learner.Networks[1].Target)) < 1e-4 * (1 + scale));
                // The stored values are those of the critic after the change, so advantages are differences of like quantities.
                Assert.True(Difference(Stored(), Normalized()) < 1e-4 * (1 + Normalized().Max(Math.Abs)));
            }
            largest = Math.Max(largest, scale);
            learner.RunEpoch(0);
            learner.End();
        }
        Assert.True(largest > 1);

        // The critic's values of returns in all rows of the round, and its outputs.
        float[] Values(Parameters parameters)
        {
            float[] values = Outputs(parameters);
            var statistics = learner.ReturnStatistics!;
            statistics.Denormalize(values, ReturnNormalization.Epsilon);
            return values;
        }

        float[] Outputs(Parameters parameters)
        {
            var (tape, batch) = (new Tape(), new EpisodeBatch(context.NewSchema(learner.Columns), episodes.Length, Device.Cpu));
            batch.Load(episodes);
            using var scope = tape.NoGrad();
            return learner.Objective.ValueCritic!.Values(tape.Detached(parameters), batch).Value.ToArray();
        }

        float[] Normalized() => Transitions((b, t, agent, all) => all[(t * episodes.Length + b) * 2 + agent], Outputs(learner.Networks[1].Online));

        float[] Stored() => Transitions((b, t, agent, _) => episodes[b][Column.Values][t * 2 + agent], []);

        float[] Transitions(Func<int, int, int, float[], float> of, float[] all)
            => [.. from b in Enumerable.Range(0, episodes.Length)
                   from t in Enumerable.Range(0, episodes[b].Length)
                   where !episodes[b].IsEnd(t)
                   from agent in Enumerable.Range(0, 2)
                   select of(b, t, agent, all)];

        static double Difference(float[] one, float[] other) => one.Zip(other).Max(pair => Math.Abs(pair.First - pair.Second));
    }

    [Fact]
    public void WhatCannotBeIsRefused()
    {
        Assert.Contains("standardizeReturns", Refusal("mappo", "popArt=true"), StringComparison.Ordinal);
        Assert.Contains("critic of state values", Refusal("coma", "popArt=true", "standardizeReturns=true", "standardizeRewards=false"), StringComparison.Ordinal);
        Assert.Contains("returnDecay", Refusal("mappo", "returnDecay=0"), StringComparison.Ordinal);

        static string Refusal(string algorithm, params string[] settings)
            => Assert.Throws<UsageException>(() => Games.Train(Games.Configure(algorithm, "two-step", 100, settings: settings))).Message;
    }
}
