using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Multi-agent importance weights: of which policies they are, and that they correct whole returns.</summary>
public sealed class ImportanceTests
{
    private const string Foraging = "lbf:5x5-2p-1f";
    private static readonly string[] common = [.. Games.Tiny, "batchSize=5", "epsilonStart=0.3", "epsilonFinish=0.3", "standardizeRewards=false"];

    [Fact]
    public void CurrentPoliciesHaveTheCurrentFingerprint()
    {
        using var run = new Round(Foraging, 0.3f, [.. common, "importance=step", "fingerprint=true", "hidden=32", "learningRate=0.01"]);
        // Weights that depend on the fingerprint.
        for (int update = 0; update < 60; update++)
        {
            run.Learner.Update(run.Episodes);
        }
        run.Learner.CompleteUpdates(steps: 1000);
        double mean = Mean(new Fingerprint(1f, 0.3f)), recorded = Mean(run.Episodes[0].Fingerprint);
        run.Learner.Update(run.Episodes);
        Assert.Equal(mean, run.Learner.Statistics.Metrics.Single(metric => metric.Name == "weight").Value, 1e-4 * mean);
        Assert.True(Math.Abs(mean - recorded) > 1e-2 * mean, $"{mean} {recorded}");

        // The mean weight, pi(u_b) now / pi(u_b) then of the other agent, if the policies now have a fingerprint.
        double Mean(Fingerprint now)
        {
            double sum = 0;
            int count = 0;
            foreach (var episode in run.Episodes)
            {
                var then = episode.Fingerprint;
                episode.Fingerprint = now;
                float[] probabilities = run.PresentProbability(episode, 0.3f);
                episode.Fingerprint = then;
                for (int i = 0; i < probabilities.Length; i++)
                {
                    (sum, count) = (sum + probabilities[i] / episode.Probabilities[i], count + 1);
                }
            }
            return sum / count;
        }
    }

    [Theory]
    [InlineData(2, 0f), InlineData(1, 1f), InlineData(1, 0.7f)]
    public void ReturnsAreCorrectedForAllStepsOfTheOthers(int nStep, float lambda)
    {
        // All 16 courses of two steps of two agents with two actions. The other agent's policies when it acted and now, by step:
        double[][] then = [[0.7, 0.3], [0.4, 0.6]], now = [[0.2, 0.8], [0.9, 0.1]];
        double[] own = [0.5, 0.5];
        const double Gamma = 0.9;
        var (reward, next, ratio) = (new float[2, 16], new float[2, 16], new float[2, 16]);
        for (int i = 0; i < 16; i++)
        {
            var (first, second) = ((A: i & 1, Other: i >> 1 & 1), (A: i >> 2 & 1, Other: i >> 3));
            (reward[0, i], reward[1, i]) = (1 + 3 * first.A - 2 * first.Other + 5 * first.A * first.Other, 2 - second.A + 7 * second.Other + 4 * first.Other * second.Other);
            (next[0, i], next[1, i]) = (6 * first.Other - first.A, 3 + second.Other);
            (ratio[0, i], ratio[1, i]) = ((float)(now[0][first.Other] / then[0][first.Other]), (float)(now[1][second.Other] / then[1][second.Other]));
        }
        var tape = new Tape();
        using var scope = tape.NoGrad();
        Tensor Of(float[,] x) => Tensor.Of([.. x.Cast<float>()], [2, 16, 1]);
        var transitions = Transitions.Of(tape, Of(reward), Tensor.Zeros(2, 16, 1), (float)Gamma);
        var ratioNext = tape.Scratch(new Shape(2, 16, 1));
        Transitions.Shift(tape, Of(ratio), ratioNext);
        var returns = lambda == 0 ? Targets.NStep(tape, transitions, Of(next), nStep, ratioNext) : Targets.Lambda(tape, transitions, Of(next), lambda, ratioNext);
        double mixing = lambda == 0 ? 1 : lambda;
        for (int action = 0; action < 2; action++)
        {
            // The mean over what happened, each error weighted by the ratio of its step, is the mean under the other's policy now.
            double weighted = 0, expected = 0, uncorrected = 0;
            for (int i = 0; i < 16; i++)
            {
                if ((i & 1) != action)
                {
                    continue;
                }
                double mine = own[i >> 2 & 1];
                double g = reward[0, i] + Gamma * ((1 - mixing) * next[0, i] + mixing * (reward[1, i] + Gamma * next[1, i]));
                double past = then[0][i >> 1 & 1] * then[1][i >> 3] * mine;
                weighted += past * ratio[0, i] * returns[0][i].ToScalar();
                expected += now[0][i >> 1 & 1] * now[1][i >> 3] * mine * g;
                uncorrected += past * ratio[0, i] * g;
            }
            Assert.Equal(expected, weighted, 1e-4);
            Assert.True(Math.Abs(uncorrected - expected) > 0.5);
        }
    }

    [Theory]
    [InlineData("nStep=3"), InlineData("lambda=0.6"), InlineData("lambda=0.6", "trace=retrace")]
    [InlineData("nStep=3", "importance=episode")]
    public void ALearnersTargetsHaveTheRatiosOfLaterSteps(params string[] settings)
    {
        using var run = new Round(Foraging, 0.3f, [.. common, "importance=step", "gamma=0.9", .. settings]);
        var rng = new Rng(3);
        double sum = 0;
        int count = 0;
        foreach (var episode in run.Episodes)
        {
            // Behavior with other probabilities than the current policies.
            foreach (ref float probability in episode.Probabilities)
            {
                probability = 0.2f + 0.8f * rng.NextSingle();
            }
            float[] now = run.PresentProbability(episode, 0.3f), greedy = run.PresentProbability(episode, 0f);
            double[,] v = MaxValues(run, episode);
            for (int agent = 0; agent < 2; agent++)
            {
                double[] g = new double[episode.Length + 1];
                int n = settings[0] == "nStep=3" ? 3 : episode.Length;
                double factor = n == 3 ? 1 : 0.6;
                for (int application = 0; application < n; application++)
                {
                    double[] nextG = [.. g.Skip(1), 0];
                    for (int t = 0; t < episode.Length; t++)
                    {
                        double discount = episode.Terminated && t == episode.Length - 1 ? 0 : 0.9, c = 0;
                        if (t + 1 < episode.Length && application > 0)
                        {
                            int other = (t + 1) * 2 + 1 - agent;
                            c = factor * now[other] / episode.Probabilities[other] * (settings.Contains("trace=retrace") ? greedy[(t + 1) * 2 + agent] : 1);
                        }
                        g[t] = episode.Rewards[t] + discount * (v[t + 1, agent] + c * (nextG[t] - v[t + 1, agent]));
                    }
                }
                (sum, count) = (sum + g.Take(episode.Length).Sum(), count + episode.Length);
            }
        }
        run.Learner.Update(run.Episodes);
        Assert.Equal(sum / count, run.Learner.Statistics.Metrics.Single(metric => metric.Name == "target").Value, 1e-4);
    }

    /// <summary>The loss sum w d^2 / sum w, or the mean of w d^2, and its metrics, with the weights computed here.</summary>
    [Theory]
    [InlineData(0f, 1f, true), InlineData(0f, 1f, false), InlineData(0.9f, 1f, true), InlineData(0f, 0.3f, false), InlineData(0.9f, 0.3f, true)]
    public void ALossHasTheProductOfAllWeights(float ceiling, float hysteretic, bool normalize)
    {
        using var run = new Round(Foraging, 0.3f,
            [.. common, "importance=step", "gamma=0.9", FormattableString.Invariant($"importanceCeiling={ceiling}"), $"importanceNormalize={normalize}",
                FormattableString.Invariant($"hysteretic={hysteretic}"), "doubleQ=false"]);
        var rng = new Rng(3);
        double loss = 0, sum = 0, squares = 0;
        int count = 0;
        foreach (var episode in run.Episodes)
        {
            foreach (ref float probability in episode.Probabilities)
            {
                probability = 0.2f + 0.8f * rng.NextSingle();
            }
            float[] now = run.PresentProbability(episode, 0.3f);
            double[,] v = MaxValues(run, episode), q = ChosenValues(run, episode);
            for (int i = 0; i < now.Length; i++)
            {
                var (t, agent) = (i / 2, i % 2);
                int other = 2 * t + 1 - agent;
                double weight = now[other] / episode.Probabilities[other];
                weight = ceiling > 0 ? Math.Min(weight, ceiling) : weight;
                double delta = episode.Rewards[t] + (episode.Terminated && t == episode.Length - 1 ? 0 : 0.9 * v[t + 1, agent]) - q[t, agent];
                loss += weight * (delta < 0 ? hysteretic : 1) * delta * delta;
                (sum, squares, count) = (sum + weight, squares + weight * weight, count + 1);
            }
        }
        run.Learner.Update(run.Episodes);
        var (statistics, metrics) = (run.Learner.Statistics, run.Learner.Statistics.Metrics.ToDictionary(metric => metric.Name, metric => metric.Value));
        Assert.Equal(sum / count, metrics["weight"], 1e-4);
        Assert.Equal(sum * sum / squares / count, metrics["effectiveSampleShare"], 1e-4);
        Assert.Equal(loss / (normalize ? sum : count), statistics.Loss, 1e-4 * loss / count);
    }

    /// <summary>[T, N] Q of the actions taken.</summary>
    private static double[,] ChosenValues(Round run, Episode episode)
    {
        var (tape, batch) = (new Tape(), new EpisodeBatch(run.Spec, 1, 1));
        batch.Load([episode]);
        using var scope = tape.NoGrad();
        var all = run.Learner.Agent.Forward(tape.Detached(run.Learner.Parameters), batch).Value;
        double[,] q = new double[episode.Length, 2];
        for (int i = 0; i < q.Length; i++)
        {
            q[i / 2, i % 2] = all[i / 2][0][i % 2][episode.ActionsAt(i / 2)[i % 2]].ToScalar();
        }
        return q;
    }

    /// <summary>[T + 1, N] max Q over the available actions.</summary>
    private static double[,] MaxValues(Round run, Episode episode)
    {
        var (tape, batch) = (new Tape(), new EpisodeBatch(run.Spec, 1, 1));
        batch.Load([episode]);
        using var scope = tape.NoGrad();
        var q = run.Learner.Agent.Forward(tape.Detached(run.Learner.TargetParameters), batch).Value;
        double[,] v = new double[episode.Length + 1, 2];
        for (int t = 0; t <= episode.Length; t++)
        {
            for (int agent = 0; agent < 2; agent++)
            {
                var available = episode.AvailableActions(t, agent).ToArray();
                v[t, agent] = q[t][0][agent].ToArray().Where((_, action) => available[action]).Max();
            }
        }
        return v;
    }
}
