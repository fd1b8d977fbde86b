namespace Marl.Native.Tests.Cli;

/// <summary>The determinism contract from outside: a seed gives the same bits on any number of threads, at any SIMD width.</summary>
public sealed class DeterminismTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private int runs;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("qmix", "gru")]
    [InlineData("vdn", "mlp")]
    [InlineData("qtran", "gru")]
    [InlineData("qtran-alt", "mlp")]
    [InlineData("qplex", "gru")]
    [InlineData("cw-qmix", "mlp")]
    public void TheSeedDecidesAndNothingElse(string algorithm, string agent)
    {
        var first = Train("", "--threads", "1");
        string sha = first.Sha;
        Assert.True((double)first.Lines[0]["gradientNorm"]! > 0, "nothing was learned, so nothing is shown");
        Assert.Equal(sha, Train("", "--threads", "2").Sha);
        Assert.Equal(sha, Train("", "--threads", "3").Sha);
        Assert.Equal(sha, Train("", "--threads", "4").Sha);
        Assert.Equal(sha, Train("DOTNET_EnableAVX512=0").Sha);
        Assert.Equal(sha, Train("DOTNET_EnableAVX2=0").Sha);
        Assert.NotEqual(sha, Train("", "--seed", "2").Sha);

        Outcome Train(string variable, params string[] more)
        {
            string[] arguments =
            [
                "train", algorithm, "--env", "lbf:5x5-2p-1f", "--steps", "160", "--json", "--out", $"run{runs++}", .. more,
                "--set", $"agent={agent}", "hidden=12", "environments=3", "batchSize=5", "evaluationEpisodes=2",
                .. algorithm.StartsWith("qtran", StringComparison.Ordinal) ? ["mixingEmbed=5"] : Games.Known(algorithm, "", "mixer.embed=5", "mixer.hypernetEmbed=6"),
                .. algorithm == "cw-qmix" ? ["centralHidden=11", "centralEmbed=10"] : Array.Empty<string>(),
            ];
            var outcome = variable == "" ? MarlProcess.Run(folder.Path, arguments) : MarlProcess.RunWith(variable, folder.Path, arguments);
            return outcome.HasSucceeded();
        }
    }

    [Fact]
    public void TheSwitchesThatNarrowSimdAreHeard()
    {
        // Otherwise the test above would compare a width with itself.
        Assert.Matches(@"simd +128 bits", MarlProcess.RunWith("DOTNET_EnableAVX2=0", folder.Path, "doctor").Output);
        Assert.DoesNotMatch(@"simd +512 bits", MarlProcess.RunWith("DOTNET_EnableAVX512=0", folder.Path, "doctor").Output);
    }
}
