using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>What independent learners have against each other's change: weights of errors, fingerprints, policies on the state.</summary>
public sealed class StabilityTests
{
    private const string Foraging = "lbf:5x5-2p-1f";

    /// <summary>What an agent can see.</summary>
    public static TheoryData<string[]> Sights => new()
    {
        new[] { "agent=gru" }, new[] { "agent=gru", "lastAction=true", "fingerprint=true" }, new[] { "agent=mlp", "observation=state" },
        new[] { "agent=gru", "observation=state", "fingerprint=true", "lastAction=true", "agentId=false" },
    };

    [Theory]
    [MemberData(nameof(Sights))]
    public void AnAgentActsOnWhatItLearnsFrom(string[] sight)
    {
        using var run = new Round(Foraging, exploration: 0.3f, sight);
        foreach (var episode in run.Episodes)
        {
            // Step by step or all at once, with the same weights: the same greedy actions, and so the same probabilities.
            float[] probability = run.PresentProbability(episode, 0.3f);
            Assert.All(probability.Index(), p => Assert.Equal(episode.Probabilities[p.Index], p.Item, 1e-6f));
        }
    }

    [Fact]
    public void AFingerprintIsSeenAndTheStateIsTheSameForAll()
    {
        using var run = new Round(Foraging, exploration: 0.3f, ["fingerprint=true", "observation=state", "lastAction=true"]);
        var batch = new EpisodeBatch(run.Spec, 5, 1);
        batch.Load(run.Episodes);
        var tape = new Tape();
        using (tape.NoGrad())
        {
            var input = run.Learner.Agent.Input.Build(tape, batch).Own.Value;
            int size = run.Spec.StateSize;
            Assert.Equal(size + 6 + 2 + 2, input.Shape[-1]);
            foreach (int t in (int[])[0, 1, run.Episodes[1].Length])
            {
                for (int agent = 0; agent < 2; agent++)
                {
                    float[] row = input[t][1].ToArray()[(agent * input.Shape[-1])..((agent + 1) * input.Shape[-1])];
                    Assert.Equal(run.Episodes[1].State(t).ToArray(), row[..size]);
                    Assert.Equal([0.25f, 0.3f], row[(size + 6)..(size + 8)]);
                    Assert.Equal(1f, row[size + 8 + agent]);
                    Assert.Equal(t > 0 ? 1f : 0f, row[size..(size + 6)].Sum());
                }
            }
        }
    }

    [Fact]
    public void ExperienceOfThePresentPoliciesWeighsOne()
    {
        string[] common = [.. Games.Tiny, "batchSize=5", "epsilonStart=0.3", "epsilonFinish=0.3", "standardizeRewards=false"];
        foreach (string importance in (string[])["step", "episode"])
        {
            using var run = new Round(Foraging, 0.3f, [.. common, $"importance={importance}"]);
            using var plain = new Round(Foraging, 0.3f, common);
            run.Learner.Update(run.Episodes);
            plain.Learner.Update(run.Episodes);
            Assert.Equal(1f, Metric(run, "weight"), 1e-5f);
            Assert.Equal(1f, Metric(run, "effectiveSampleShare"), 1e-5f);
            Assert.Equal(plain.Learner.Statistics.GradientNorm, run.Learner.Statistics.GradientNorm, 1e-5f * plain.Learner.Statistics.GradientNorm);
            // Later the policies have changed, and the same experience weighs otherwise.
            for (int update = 0; update < 200; update++)
            {
                run.Learner.Update(run.Episodes);
            }
            Assert.InRange(Metric(run, "effectiveSampleShare"), 0.01f, 0.999f);
        }

        static float Metric(Round run, string name) => run.Learner.Statistics.Metrics.Single(metric => metric.Name == name).Value;
    }

    [Fact]
    public void ImportanceWeightsAreThoseOfTheOthers()
    {
        // Two agents: the weight of one is the ratio of the other. Three: the product of the other two.
        var tape = new Tape();
        using (tape.NoGrad())
        {
            Tensor now = Tensor.Of([0.5f, 0.1f, 0.8f]).Reshape(1, 1, 3), then = Tensor.Of([0.25f, 0.2f, 0.2f]).Reshape(1, 1, 3), one = Tensor.Of([1f]).Reshape(1, 1, 1);
            Close([0.5 * 4, 2 * 4, 2 * 0.5], Weighting.Importance(tape, now, then, one, ImportanceKind.Step));
            Close([2, 3, 1], Weighting.Importance(tape, now, then, one, ImportanceKind.Step, ceiling: 3f));
            // What one would never do now makes the experience worthless for the others, not for itself.
            Close([0, 8, 0], Weighting.Importance(tape, Tensor.Of([0.5f, 0f, 0.8f]).Reshape(1, 1, 3), then, one, ImportanceKind.Step));
            // The second row is padding.
            var (nowTwo, thenTwo) = (Tensor.Of([0.5f, 0.1f, 0.6f, 0.3f]).Reshape(2, 1, 2), Tensor.Of([0.25f, 0.2f, 0.2f, 0.3f]).Reshape(2, 1, 2));
            var mask = Tensor.Of([1f, 0f]).Reshape(2, 1, 1);
            Close([0.5, 2, 1, 1], Weighting.Importance(tape, nowTwo, thenTwo, mask, ImportanceKind.Step));
            Close([0.5, 2, 1, 1], Weighting.Importance(tape, nowTwo, thenTwo, mask, ImportanceKind.Episode));
        }

        static void Close(double[] expected, Tensor got)
        {
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.Equal(expected[i], got.Span[i], 1e-4);
            }
        }
    }

    [Fact]
    public void ForgivingEverythingIsBeingDeafToNegativeErrors()
    {
        string[] common = [.. Games.Tiny, "batchSize=5", "standardizeRewards=false"];
        Assert.Equal(Gradient("hysteretic=0"), Gradient("leniency.moderation=1e6"));
        Assert.NotEqual(Gradient("hysteretic=0"), Gradient("hysteretic=0.5"));
        Assert.NotEqual(Gradient("hysteretic=1"), Gradient("hysteretic=0.5"));
        // The temperature has fallen to 0: nothing is forgiven any more.
        Assert.Equal(Gradient("hysteretic=1"), Gradient("leniency.anneal=0", "leniency.moderation=2"));
        // A part is forgiven.
        Assert.NotEqual(Gradient("hysteretic=1"), Gradient("leniency.moderation=1"));
        Assert.NotEqual(Gradient("hysteretic=0"), Gradient("leniency.moderation=1"));

        float[] Gradient(params string[] settings)
        {
            using var run = new Round(Foraging, 0.3f, [.. common, .. settings]);
            run.Learner.Update(run.Episodes);
            return run.Learner.Parameters.Gradient.ToArray();
        }
    }

    [Fact]
    public void LeniencyIsThatOfEachTransitionAndAgent()
    {
        string[] common = [.. Games.Tiny, "batchSize=5", "standardizeRewards=false"];
        Assert.Equal(Gradient("hysteretic=0"), Gradient("leniency=visits"));
        Assert.Equal(Gradient("hysteretic=1"), Gradient("leniency=visits", leniency: 0f));
        // Agent 1's transitions alone are lenient: of separate weights, only agent 1's gradient is another.
        float[] Own(float[] gradient, int agent) => [.. gradient.Chunk(gradient.Length / 2).ElementAt(agent)];
        float[] strict = Bias("hysteretic=1", 1f), lenient = Bias("hysteretic=0", 1f), mixed = Bias("leniency=visits", 0f, 1f);
        Assert.Equal(Own(strict, 0), Own(mixed, 0));
        Assert.Equal(Own(lenient, 1), Own(mixed, 1));
        Assert.NotEqual(Own(strict, 1), Own(lenient, 1));

        float[] Gradient(string setting, params float[] leniency)
        {
            using var run = new Round(Foraging, 0.3f, [.. common, setting]);
            return Learn(run, leniency is [] ? [1f] : leniency).Gradient.ToArray();
        }

        float[] Bias(string setting, params float[] leniency)
        {
            using var run = new Round(Foraging, 0.3f, [.. common, setting, "shareParameters=false"]);
            var parameters = Learn(run, leniency);
            return Parameters.View(parameters.Gradient, parameters.Layout.Slices.Single(slice => slice.Name == "agent.fc2.bias")).ToArray();
        }

        static Parameters Learn(Round run, float[] leniency)
        {
            foreach (var episode in run.Episodes)
            {
                var column = run.Learner.Columns.Contains(Temperatures.Leniency) ? episode[Temperatures.Leniency] : [];
                for (int i = 0; i < column.Length; i++)
                {
                    column[i] = leniency[i % leniency.Length];
                }
            }
            run.Learner.Update(run.Episodes);
            return run.Learner.Parameters;
        }
    }

    [Theory]
    [InlineData(0f, true), InlineData(0.4f, true), InlineData(0.4f, false)]
    public void TemperaturesFallWithVisits(float folding, bool terminated)
    {
        // Palmer et al. 2018, algorithm 1, with a dictionary of observations.
        const double K = 2, Rho = -0.3, D = 0.8, Mu = 0.98;
        var (spec, rng) = (EnvironmentSpec.Uniform("states", 2, 2, 3, 20, 0), new Rng(5));
        var temperatures = new Temperatures(new VisitLeniency
        {
            Moderation = (float)K,
            DecayExponent = (float)Rho,
            DecayRate = (float)D,
            MaxTemperatureDecay = (float)Mu,
            Folding = folding,
        }, spec);
        Dictionary<(int Agent, float, float, int Action), double> table = [];
        double max = 1;
        for (int e = 0; e < 6; e++)
        {
            var episode = new Episode(spec, columns: [Temperatures.Leniency]) { Length = 4 + 2 * e, Terminated = terminated };
            for (int i = 0; i < episode.Observations.Length; i++)
            {
                episode.Observations[i] = rng.NextInt(3) - 1;
            }
            for (int i = 0; i < episode.Actions.Length; i++)
            {
                episode.Actions[i] = rng.NextInt(3);
            }
            for (int i = 0; i < episode.Available.Length; i++)
            {
                episode.Available[i] = i % 3 != 1 || rng.NextInt(2) == 0;
            }
            temperatures.Record(episode);
            for (int t = 0; t < episode.Length; t++)
            {
                for (int agent = 0; agent < 2; agent++)
                {
                    Assert.Equal(1 - Math.Exp(-K * Of(Key(t, agent))), episode[Temperatures.Leniency][2 * t + agent], 1e-5);
                }
            }
            for (int n = 0; n < episode.Length; n++)
            {
                int t = episode.Length - 1 - n;
                for (int agent = 0; agent < 2; agent++)
                {
                    double mean = Enumerable.Range(0, 3).Where(action => episode.AvailableActions(t + 1, agent)[action])
                        .Average(action => Of(Key(t + 1, agent) with { Action = action }));
                    double eta = n == 0 && terminated ? 0 : folding, own = table.GetValueOrDefault(Key(t, agent), 1);
                    table[Key(t, agent)] = Math.Min(max, Math.Exp(Rho * Math.Pow(D, n)) * ((1 - eta) * own + eta * mean));
                }
            }
            max *= Mu;

            (int Agent, float, float, int Action) Key(int t, int agent)
                => (agent, episode.Observation(t, agent)[0], episode.Observation(t, agent)[1], episode.ActionsAt(t)[agent]);

            double Of((int, float, float, int) key) => Math.Min(max, table.GetValueOrDefault(key, 1));
        }
        Assert.True(table.Values.Distinct().Count() > 20);
    }

    [Fact]
    public void WhatCannotBeCombinedIsRefused()
    {
        Assert.Contains("mixer=none", Refusal("iql", "importance=step", "mixer=vdn"), StringComparison.Ordinal);
        Assert.Contains("mixer=none", Refusal("iql", "leniency=visits", "mixer=vdn"), StringComparison.Ordinal);
        Assert.Contains("hysteretic", Refusal("iql", "hysteretic=1.5"), StringComparison.Ordinal);

        static string Refusal(string algorithm, params string[] settings)
            => Assert.Throws<UsageException>(() => Games.Train(Games.Configure(algorithm, Foraging, 100, settings: settings))).Message;
    }

    [Fact]
    public void ASavedPolicyRemembersItsFingerprintAndSeesTheState()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using var trainer = new Trainer(Games.Configure("iql", Foraging, 300, settings: [.. Games.Tiny, "fingerprint=true", "observation=state"]));
        trainer.Run();
        var policy = trainer.Policy;
        try
        {
            policy.Save(path);
            var loaded = Policy.Load(path);
            Assert.Equal(1f, loaded.Description.Fingerprint.Progress);
            Rng one = new(3), other = new(3);
            Assert.Equal(policy.Play(Catalog.CreateEnvironment(Foraging), ref one).Actions, loaded.Play(Catalog.CreateEnvironment(Foraging), ref other).Actions);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
