using System.Text.Json.Nodes;
using Marl.Native.Cli;

namespace Marl.Native.Tests.Cli;

/// <summary>--seeds: one run per seed, a summary of all, and what is there already is not trained again. And runs that start at the same time.</summary>
public sealed class SeedsTests : IDisposable
{
    private const int Interrupt = 2;

    private static readonly string[] Settings = ["--set", "hidden=8", "batchSize=4", "evaluationInterval=100", "evaluationEpisodes=4", "--threads", "1"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void EverySeedIsTheRunThatItIsAloneAndTheSummaryTellsTheirMeans()
    {
        var outcome = Train("--seeds", "1-2,9", "--out", "all", "--json", "--steps", "3e2").HasSucceeded();
        var total = outcome.Summary;
        Assert.Equal(("seeds", "vdn", "two-step", 300L), ((string?)total["type"], (string?)total["algorithm"], (string?)total["environment"], (long)total["steps"]!));
        var runs = total["runs"]!.AsArray();
        Assert.Equal([1UL, 2UL, 9UL], runs.Select(run => (ulong)run!["seed"]!));
        foreach (string measure in (string[])["returnMean", "returnMax"])
        {
            double[] values = [.. runs.Select(run => (double)run![measure]!)];
            double mean = values.Average(), error = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / 2 / 3);
            Assert.Equal(mean, (double)total[measure]!["mean"]!, 1e-9);
            Assert.Equal(error, (double)total[measure]!["standardError"]!, 1e-9);
            Assert.Equal(mean + 4.302653 * error, (double)total[measure]!["high"]!, 1e-5);
        }
        total.Remove("type");
        Assert.True(JsonNode.DeepEquals(total, JsonNode.Parse(File.ReadAllText(folder["all/seeds.json"]))));
        string sha = (string)JsonNode.Parse(File.ReadAllText(folder["all/seed-9/summary.json"]))!["weightsSha256"]!;
        Assert.Equal(sha, Train("--seed", "9", "--out", "alone", "--json", "--steps", "300").HasSucceeded().Sha);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("3")]
    [InlineData("{\"finished\": true, \"steps\": \"many\"}")]
    public void ADamagedSummaryIsWrittenAgain(string damaged)
    {
        string[] train = ["--seeds", "1-2", "--steps", "100", "--out", "all", "--json"];
        var total = Train(train).HasSucceeded().Summary;
        string summary = folder["all/seed-2/summary.json"], written = File.ReadAllText(summary);
        File.WriteAllText(summary, damaged);
        Assert.True(JsonNode.DeepEquals(total, Train(train).HasSucceeded().Summary));
        Assert.Equal((string?)JsonNode.Parse(written)!["weightsSha256"], (string?)JsonNode.Parse(File.ReadAllText(summary))!["weightsSha256"]);
        if (!OperatingSystem.IsWindows())
        {
            MarlProcess.RunInShell(folder.Path, $"rm {summary} && mkfifo {summary} && exec \"$@\"", Command(train))
                .HasFailed(1, "'all/seed-2/summary.json' is a pipe or a device, not a file");
        }
    }

    [Fact]
    public void TheSameCommandGoesOnWithWhatIsMissing()
    {
        Train("--seeds", "1,2", "--steps", "300").HasSucceeded();
        const string all = "runs/vdn-two-step-seeds1-2";
        var written = File.GetLastWriteTimeUtc(folder[$"{all}/seed-1/checkpoint.safetensors"]);
        Directory.Delete(folder[$"{all}/seed-2"], recursive: true);
        string text = Train("--seeds", "1-2", "--steps", "300").HasSucceeded().Output;
        Assert.Equal(written, File.GetLastWriteTimeUtc(folder[$"{all}/seed-1/checkpoint.safetensors"]));
        Assert.DoesNotContain("seed 1, 300 steps", text, StringComparison.Ordinal);
        Assert.Contains("seed 2, 300 steps", text, StringComparison.Ordinal);
        Assert.Matches(@"\n +seed +final return +best return +run\n +1 +\S+ +\S+ +runs/vdn-two-step-seeds1-2/seed-1\n", text);
        Assert.Matches(@"\n +mean +\S+ +\S+\n +standard error +\S+ +\S+\n +95 % CI from +\S+ +\S+\n +to +\S+ +\S+\n$", text);
        foreach (string command in (string[])["play", "eval", "resume"])
        {
            MarlProcess.Run(folder.Path, command, all).HasFailed(2, $"'{all}' contains seed-1 .. seed-2; name one, for example {all}/seed-1");
        }
        MarlProcess.Run(folder.Path, "train", "--config", $"{all}/seed-1").HasFailed(2,
            $"the configuration file '{all}/seed-1' is a folder; use '{all}/seed-1/config.json'");
        // More steps let finished runs go on; other settings are another experiment.
        Train("--seeds", "1-2", "--steps", "400", "--out", all).HasSucceeded();
        Assert.True((long)JsonNode.Parse(File.ReadAllText(folder[$"{all}/seed-1/summary.json"]))!["steps"]! >= 400);
        MarlProcess.Run(folder.Path, "train", "vdn", "--env", "two-step", "--seeds", "1-2", "--out", all).HasFailed(2,
            $"'{all}/seed-1' contains a run with other settings; choose another --out");
    }

    [Fact]
    public void AStopStopsAllSeedsAndTheSameCommandGoesOn()
    {
        string[] arguments = ["train", "vdn", "--env", "two-step", "--seeds", "1-2", "--steps", "3000", "--out", "stopped", "--json", .. Settings];
        using (var marl = MarlProcess.Start(folder.Path, arguments))
        {
            marl.ReadLine();
            marl.Send(Interrupt);
            var stopped = marl.Wait();
            Assert.Equal(128 + Interrupt, stopped.Code);
            Assert.EndsWith("continue with: the same command\nmarl: 0 of 2 seeds are done\n", stopped.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("marl resume", stopped.Error, StringComparison.Ordinal);
        }
        Assert.False(Directory.Exists(folder["stopped/seed-2"]));
        Assert.Equal(2, MarlProcess.Run(folder.Path, arguments).HasSucceeded().Summary["runs"]!.AsArray().Count);
    }

    [Fact]
    public void SeedsThatDivergeDoNotKeepTheOthersFromBeingTrained()
    {
        string[] arguments = ["train", "iql", "--env", "two-step", "--steps", "200", "--out", "diverged", "--set", "hidden=8", "batchSize=4", "learningRate=1e25"];
        var outcome = MarlProcess.Run(folder.Path, [.. arguments, "--seeds", "1-2"]);
        Assert.Equal(3, outcome.Code);
        Assert.Matches("^marl: seed 1: diverged at update .*\nmarl: seed 2: diverged at update .*\n$", outcome.Error);
        Assert.False(File.Exists(folder["diverged/seeds.json"]));
    }

    [Fact]
    public void RunsThatStartAtTheSameTimeGetFoldersOfTheirOwn()
    {
        const int count = 8;
        var runs = Enumerable.Range(0, count).Select(_ => MarlProcess.Start(folder.Path, ["train", "vdn", "--env", "two-step", "--steps", "40", "--json", .. Settings])).ToArray();
        string[] folders = [.. runs.Select(run => (string)run.Wait().HasSucceeded().Summary["run"]!)];
        Array.ForEach(runs, run => run.Dispose());
        Assert.Equal(Enumerable.Range(1, count).Select(i => i == 1 ? "runs/vdn-two-step-seed1" : $"runs/vdn-two-step-seed1-{i}"), folders.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(1, 12.70620474)]
    [InlineData(2, 4.30265273)]
    [InlineData(3, 3.18244631)]
    [InlineData(4, 2.77644511)]
    [InlineData(9, 2.26215716)]
    [InlineData(30, 2.04227246)]
    [InlineData(99, 1.98421695)]
    [InlineData(10_000, 1.96020124)]
    public void TheIntervalIsThatOfStudentsT(int degrees, double quantile) => Assert.Equal(quantile, MeanEstimate.StudentQuantile(degrees), 1e-7);

    private Outcome Train(params IEnumerable<string> arguments) => MarlProcess.Run(folder.Path, Command(arguments));

    private static IEnumerable<string> Command(IEnumerable<string> arguments) => ["train", "vdn", "--env", "two-step", .. Settings, .. arguments];
}
