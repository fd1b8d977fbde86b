using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>What is special to VDAC; that it is reproducible and allocates nothing is tested with all algorithms.</summary>
public sealed class VdacTests
{
    /// <summary>Value, advantage and gradient are IA2C's, to the last bit, where there is nothing to mix.</summary>
    [Theory]
    [InlineData("none", "lbf:5x5-2p-1f", "lambda=0.8")]
    [InlineData("none", "lbf:5x5-2p-1f", "reward=individual")]
    [InlineData("none", "lbf:5x5-2p-1f", "shareParameters=false")]
    [InlineData("vdn", "identity?agents=1", "agent=gru")]
    public void WithNothingToMixItIsIa2c(string mixer, string environment, string setting)
    {
        Assert.Equal(Sha("ia2c"), Sha("vdac", $"mixer={mixer}"));

        string Sha(string algorithm, params string[] more) => Games.Train(Games.Configure(algorithm, environment, 400,
            settings: [.. Games.TinyFor("ia2c"), setting, "targetTau=0.5", "nStep=5", "entropyCoefficient=0.01", .. more])).WeightsSha256;
    }

    [Fact]
    public void AMixerNeedsOneReward() => Assert.StartsWith("VDAC learns one value for the team", Assert.Throws<UsageException>(
        () => new Trainer(Games.Configure("vdac", "lbf:5x5-2p-1f", 10, settings: ["reward=individual"])).Dispose()).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("vdn")]
    [InlineData("qmix")]
    [InlineData("vdn-s")]
    public void ItLearnsWithAnyMixer(string mixer)
    {
        string[] settings = [$"mixer={mixer}", "agent=mlp", "hidden=32", "criticHidden=32", "learningRate=0.003", "environments=10"];
        Assert.InRange(Games.Train(Games.Configure("vdac", "two-step", 20_000, settings: settings)).ReturnMean, 6.5, 8);
        Assert.InRange(Games.Train(Games.Configure("vdac", "identity", 60_000, settings: [.. settings, "gamma=0.5"])).ReturnMean, 8, 10);
    }
}
