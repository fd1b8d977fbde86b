using Marl.Native.Rl;
using static System.FormattableString;

namespace Marl.Native.Tests;

/// <summary>LIIR's meta-gradient against finite differences: other intrinsic rewards, the policies' step again, the extrinsic surrogate where it led to.</summary>
public sealed class MetaGradientTests
{
    private const float Rate = 0.5f;

    // RMSprop is gradient descent where its epsilon is all that counts.
    private const float Flat = 1e4f;

    [Theory]
    [InlineData("lambda=0.8")]
    [InlineData("lambda=1")]
    [InlineData("lambda=0", "nStep=1")]
    [InlineData("lambda=0", "nStep=3")]
    [InlineData("lambda=0.8", "agent=gru", "epsilonFloorStart=0.3", "maskBeforeSoftmax=false")]
    [InlineData("lambda=0.8", "shareParameters=false", "criticActions=true")]
    [InlineData("lambda=0.8", "entropyCoefficient=0.3", "criticObservation=true", "standardizeRewards=true")]
    public void ItIsTheSlopeOfTheSurrogateAfterTheStep(params string[] settings) => Compare("lbf:5x5-2p-2f", settings);

    [Theory]
    [InlineData("lambda=0.8")]
    [InlineData("lambda=0.8", "agent=gru", "criticActions=true", "entropyCoefficient=0.3")]
    public void ItIsTheSlopeWithBranches(params string[] settings) => Compare("identity?actions=3&branches=2&steps=5", settings);

    private static void Compare(string game, string[] settings)
    {
        using var workers = new Workers(1);
        var configuration = Games.Configure("liir", game, 10, settings: ["agent=mlp", "hidden=12", "criticHidden=12", "environments=6",
            "intrinsicWeight=5", "maxGradientNorm=0", "standardizeRewards=false", "criticLearningRate=1e-9", Invariant($"learningRate={Rate * Flat}"),
            Invariant($"optimizer.epsilon={Flat}"), .. settings]);
        var environment = Catalog.CreateEnvironment(game);
        var learner = (OnPolicyLearner)configuration.CreateLearner(configuration.Training.Context(environment.Spec, workers));
        // Of another policy than the learner's: ratios are not 1 before the step either.
        Episode[] episodes = [.. Enumerable.Range(0, 6).Select(i => Games.Play(() => Catalog.CreateEnvironment(game), i))];
        foreach (var episode in episodes)
        {
            foreach (ref float reward in episode.Rewards)
            {
                reward *= 4f;
            }
        }
        var (actor, intrinsic) = (learner.Networks[0].Online, learner.Networks[2].Online);
        var slices = intrinsic.Layout.Slices.Where(slice => slice.Name.Contains("r_in", StringComparison.Ordinal)).ToArray();
        float[] theta = actor.Values.ToArray(), eta = intrinsic.Values.ToArray();
        Surrogate(0f, new float[eta.Length]);
        float[] gradient = intrinsic.Gradient.ToArray();

        var rng = new Rng(5);
        for (int trial = 0; trial < 4; trial++)
        {
            float[] direction = new float[eta.Length];
            foreach (var slice in slices)
            {
                for (int i = slice.Offset; i < slice.Offset + slice.Shape.Count; i++)
                {
                    direction[i] = trial == 0 ? gradient[i] : 2f * rng.NextSingle() - 1f;
                }
            }
            double norm = Math.Sqrt(direction.Sum(d => (double)d * d));
            // A short way, so that few ReLUs have their kink in it.
            double slope = Slope(0.001), expected = -Rate * direction.Zip(gradient, (d, g) => (double)d * g).Sum() / norm;
            double scale = Rate * Math.Sqrt(slices.Sum(slice => gradient.Skip(slice.Offset).Take(slice.Shape.Count).Sum(g => (double)g * g)));
            Assert.True(scale > 1e-3, $"the gradient is no more than {scale}");
            Assert.Equal(expected, slope, 1e-3 * scale);

            double Slope(double h) => (Surrogate((float)(h / norm), direction) - Surrogate((float)(-h / norm), direction)) / (2 * h);
        }

        // J_ex where the policies are led to by intrinsic rewards eta + h d.
        double Surrogate(float h, float[] d)
        {
            actor.Values.CopyFrom(theta);
            float[] moved = [.. eta.Zip(d, (e, di) => e + h * di)];
            intrinsic.Values.CopyFrom(moved);
            learner.Begin(episodes, steps: 0);
            learner.RunEpoch(steps: 0);
            intrinsic.Values.CopyFrom(eta);
            return MeanOfRatios();
        }

        double MeanOfRatios()
        {
            var (tape, agent, batch) = (new Tape(), learner.Agent, new EpisodeBatch(environment.Spec, episodes.Length, 1));
            batch.Load(episodes);
            using (tape.NoGrad())
            {
                var rest = tape.Constant(Tensor.Zeros(batch.Count, agent.Agents, agent.StateSize));
                var logits = agent.Forward(tape.Detached(actor), agent.Input.Build(tape, batch), rest).Output.Slice(0, 0, batch.Steps);
                var layout = agent.Layout;
                var logPolicy = learner.Exploration.LogPolicy(logits.Branches(layout), batch.Available.Slice(0, batch.Steps).Branches(layout, tape));
                float[] log = logPolicy.OfChoices(batch.Actions).Value.ToArray(); // of every branch
                int choices = agent.Agents * layout.Branches;
                double sum = 0;
                int count = 0;
                for (int b = 0; b < episodes.Length; b++)
                {
                    for (int t = 0; t < episodes[b].Length; t++, count++)
                    {
                        double ratio = 1;
                        for (int i = 0; i < choices; i++)
                        {
                            ratio *= Math.Exp(log[(t * batch.Count + b) * choices + i]);
                        }
                        for (int n = 0; n < agent.Agents; n++)
                        {
                            ratio /= episodes[b].Probabilities[t * agent.Agents + n];
                        }
                        sum += ratio * episodes[b][Liir.ExtrinsicAdvantages][t];
                    }
                }
                return sum / count;
            }
        }
    }

    [Fact]
    public void WithoutAnyWeightIntrinsicRewardsStayAsTheyWere()
    {
        using var trainer = new Trainer(Games.Configure("liir", "lbf:5x5-2p-1f", 400, settings: [.. Games.TinyFor("liir"), "intrinsicWeight=0"]));
        var network = ((OnPolicyLearner)trainer.Learner).Networks[2].Online;
        var slice = network.Layout.Slices.Single(slice => slice.Name.EndsWith("r_in.weight", StringComparison.Ordinal));
        float[] before = network[slice].ToArray();
        trainer.Run();
        Assert.Equal(before, network[slice].ToArray());
    }
}
