using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>The determinism contract from outside: a seed gives the same bits on any number of threads, at any SIMD width.</summary>
public sealed class DeterminismTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private int runs;

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Algorithms => [.. Catalog.Algorithms.Select(algorithm => algorithm.Name)];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void TheSeedDecidesAndNothingElse(string algorithm)
    {
        var first = Train("", "--threads", "1");
        Assert.True((double)first.Lines[^2]["gradientNorm"]! > 0, "nothing was learned, so nothing is shown");
        string sha = first.Sha;
        Assert.Equal(sha, Train("", "--threads", "2").Sha);
        Assert.Equal(sha, Train("", "--threads", "3").Sha);
        Assert.Equal(sha, Train("", "--threads", "4").Sha);
        Assert.Equal(sha, Train("DOTNET_EnableAVX512=0").Sha);
        Assert.Equal(sha, Train("DOTNET_EnableAVX2=0").Sha);
        Assert.NotEqual(sha, Train("", "--seed", "2").Sha);

        Outcome Train(string variable, params string[] more)
        {
            string agent = algorithm is "vdn" or "qtran-alt" or "cw-qmix" ? "mlp" : "gru";
            string[] sizes = ["hidden=12", "batchSize=5", "mixer.embed=5", "mixer.hypernetEmbed=6", "mixingEmbed=5", "centralHidden=11", "centralEmbed=10", "criticHidden=11"];
            string[] arguments =
            [
                "train", algorithm, "--env", "lbf:5x5-2p-1f", "--steps", "160", "--json", "--out", $"run{runs++}", .. more,
                "--set", $"agent={agent}", "environments=3", "evaluationEpisodes=2", .. Games.Known(algorithm, "", sizes),
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
