using System.Text.Json.Nodes;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>Ids with relative paths, and the command in another working directory.</summary>
public sealed class PathTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public PathTests()
    {
        Directory.CreateDirectory(folder["here"]);
        Directory.CreateDirectory(folder["elsewhere"]);
        File.WriteAllText(folder["here/game.json"], """{"payoffs": [[[1, 0], [0, 2]], [[2, 0], [0, 1]]], "steps": 3}""");
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ARunAndItsPolicyMeanTheSameInAnotherWorkingDirectory()
    {
        Train("matrix:game.json?steps=4", "first");
        Train("mpe:tag?steps=4", "tag");
        Train("against:tag?team=1", "second");
        foreach (string run in (string[])["first", "second"])
        {
            var evaluation = MarlProcess.Run(folder["elsewhere"], "eval", $"../here/{run}", "--episodes", "2", "--json");
            Assert.Equal((0, ""), (evaluation.Code, evaluation.Error));
            Assert.Equal(4, (int)JsonNode.Parse(evaluation.Output)!["episodeLength"]!);
            var resumed = MarlProcess.Run(folder["elsewhere"], "resume", $"../here/{run}", "--steps", "80");
            Assert.Equal(0, resumed.Code);
        }
        Assert.Equal(("matrix:../game.json?steps=4", "against:../tag?team=1"), (Environment("first"), Environment("second")));
        Assert.Equal($"against:{folder["here/tag"]}?team=1", Policy.Load(folder["here/second/policy.safetensors"]).Description.Environment);
    }

    [Fact]
    public void ARunAndTheFileOfItsEnvironmentCanBeMovedTogether()
    {
        Train("matrix:game.json", "run");
        Directory.Move(folder["here"], folder["moved"]);
        Assert.Equal((0, ""), Ended(MarlProcess.Run(folder["elsewhere"], "resume", "../moved/run", "--steps", "80")));
        Assert.Equal((0, ""), Ended(MarlProcess.Run(folder["elsewhere"], "train", "--config", "../moved/run/config.json", "--out", "again")));
        File.Delete(folder["moved/game.json"]);
        var (code, error) = Ended(MarlProcess.Run(folder["elsewhere"], "resume", "../moved/run", "--steps", "120"));
        Assert.Equal(2, code);
        Assert.Contains($"'{folder["moved/game.json"]}'", error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheFolderOfARunIsNamedByWhatTheUserWrote()
    {
        Train("matrix:game.json", null);
        Assert.Equal(["iql-matrix-game.json-seed1"], Directory.GetDirectories(folder["here/runs"]).Select(Path.GetFileName));
    }

    [Fact]
    public void ARunThatIsTooShortForABatchWarns()
    {
        var run = MarlProcess.Run(folder["here"], "train", "vdn", "--env", "two-step", "--steps", "16", "--set", "hidden=4", "evaluationEpisodes=1");
        Assert.Equal((0, "marl: nothing was learned: 8 episodes were played, and a batch has 32; lower batchSize or raise steps\n"), (run.Code, run.Error));
        Assert.Equal("", MarlProcess.Run(folder["here"], "train", "vdn", "--env", "two-step", "--steps", "16", "--set", "hidden=4", "evaluationEpisodes=1",
            "batchSize=8").Error);
    }

    private string Environment(string run) => (string)JsonNode.Parse(File.ReadAllText(folder[$"here/{run}/config.json"]))!["environment"]!;

    private static (int Code, string Error) Ended(Outcome run) => (run.Code, run.Error);

    private void Train(string environment, string? run)
    {
        var outcome = MarlProcess.Run(folder["here"],
            ["train", "iql", "--env", environment, "--steps", "40", "--set", "hidden=4", "environments=2", "batchSize=2", "evaluationEpisodes=1",
                .. run is null ? (string[])[] : ["--out", run]]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
    }
}
