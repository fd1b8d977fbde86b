namespace Marl.Native.Tests;

/// <summary>Longer returns in the learner: where the recursions of <see cref="TargetsTests"/> meet a mixer and what was greedy.</summary>
public sealed class TraceTests
{
    private static readonly string[] common = [.. Games.Tiny, "batchSize=5", "standardizeRewards=false"];

    [Theory]
    [InlineData("iql")]
    [InlineData("vdn")]
    [InlineData("qmix")]
    public void AllTracesAgreeWhereEverythingWasGreedy(string algorithm)
    {
        float[] peng = Gradient(algorithm, exploration: 0f, "lambda=0.8", "trace=peng");
        foreach (string trace in (string[])["trace=qLambda", "trace=retrace", "trace=pyMarl2"])
        {
            Close(peng, Gradient(algorithm, exploration: 0f, "lambda=0.8", trace));
        }
        Assert.NotEqual(peng, Gradient(algorithm, exploration: 0f, "lambda=0"));
    }

    [Theory]
    [InlineData("iql")]
    [InlineData("qmix")]
    public void TheyDifferWhereSomethingWasLeftToChance(string algorithm)
    {
        float[][] gradients = [.. new[] { "peng", "qLambda", "retrace", "pyMarl2" }.Select(trace => Gradient(algorithm, exploration: 0.5f, "lambda=0.8", $"trace={trace}"))];
        for (int i = 0; i < gradients.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                Assert.NotEqual(gradients[i], gradients[j]);
            }
        }
        // Nothing was greedy but by chance: Retrace cuts every trace and is one-step Q-learning, Q(lambda) is not.
        float[] oneStep = Gradient(algorithm, exploration: 0.5f, "lambda=0");
        Close(oneStep, Gradient(algorithm, exploration: 0.5f, "lambda=1e-7", "trace=retrace"));
        Assert.NotEqual(oneStep, gradients[2]);
    }

    private static float[] Gradient(string algorithm, float exploration, params string[] settings)
    {
        using var round = new Round("lbf:5x5-2p-1f", exploration, [.. common, .. settings], algorithm);
        round.Learner.Update(round.Episodes);
        return round.Learner.Parameters.Gradient.ToArray();
    }

    private static void Close(float[] expected, float[] got)
    {
        float scale = expected.Max(Math.Abs);
        Assert.All(expected.Index(), g => Assert.Equal(g.Item, got[g.Index], 1e-4f * scale));
    }
}
