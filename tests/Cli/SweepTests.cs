using System.Text.Json.Nodes;
using Marl.Native.Cli.Sweeps;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>marl sweep: which runs a file describes, and that each is done once, whatever happens to the process.</summary>
public sealed class SweepTests : IDisposable
{
    private const int Interrupt = 2, Kill = 9;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AGridIsEveryCombinationAndEverySeedOfAllComesBeforeTheNext()
    {
        Assert.Equal(
        [
            "out/climbing/iql-hidden-8/1 iql 8 500", "out/climbing/iql-hidden-16/1 iql 16 500", "out/climbing/vdn-hidden-8/1 vdn 8 500", "out/climbing/vdn-hidden-16/1 vdn 16 500",
            "out/lbf-8x8-2p-2f/iql-hidden-8/1 iql 8 500", "out/lbf-8x8-2p-2f/iql-hidden-16/1 iql 16 500",
            "out/lbf-8x8-2p-2f/vdn-hidden-8/1 vdn 8 500", "out/lbf-8x8-2p-2f/vdn-hidden-16/1 vdn 16 500",
            "out/climbing/iql-hidden-8/3 iql 8 500", "out/climbing/iql-hidden-16/3 iql 16 500", "out/climbing/vdn-hidden-8/3 vdn 8 500", "out/climbing/vdn-hidden-16/3 vdn 16 500",
            "out/lbf-8x8-2p-2f/iql-hidden-8/3 iql 8 500", "out/lbf-8x8-2p-2f/iql-hidden-16/3 iql 16 500",
            "out/lbf-8x8-2p-2f/vdn-hidden-8/3 vdn 8 500", "out/lbf-8x8-2p-2f/vdn-hidden-16/3 vdn 16 500",
        ], Runs("""
            // Comments and a comma at the end are allowed.
            {"algorithms": ["iql", "vdn"], "environments": ["climbing", "lbf:8x8-2p-2f"], "seeds": "1,3", "training": {"steps": 5e2}, "options": {"hidden": [8, 16]},}
            """));
    }

    [Fact]
    public void ItemsAreMergedOverTheCommonKeys()
    {
        Assert.Equal(
        [
            "out/climbing/iql/4 iql 8 500", "out/climbing/wide/4 iql 64 500", "out/penalty-0/vdn/2 vdn 8 700",
        ], Runs("""
            {"environments": "climbing", "seeds": 4, "training": {"steps": 500}, "options": {"hidden": 8, "batchSize": 4}, "runs": [
              {"algorithms": "iql"},
              {"algorithms": "iql", "label": "wide", "options": {"hidden": 64}},
              {"algorithms": ["vdn"], "environments": ["penalty-0"], "seeds": [2], "training": {"steps": 700}}]}
            """));
    }

    [Theory]
    [InlineData("""{"algorithms": ["iql"], "seeds": 1}""", "'{0}': the key 'environments' is missing")]
    [InlineData("""{"algorithms": ["iqk"], "environments": ["climbing"], "seeds": 1}""", "'{0}': unknown algorithm 'iqk'; did you mean 'iql'?")]
    [InlineData("""{"algorithms": ["iql"], "environments": ["climbin"], "seeds": 1}""", "iql in climbin: unknown environment 'climbin'; did you mean 'climbing'?")]
    [InlineData("""{"algorithm": ["iql"], "environments": ["climbing"], "seeds": 1}""", "'{0}': unknown key of the sweep 'algorithm'; did you mean 'algorithms'?")]
    [InlineData("""{"algorithms": ["iql"], "environments": ["climbing"], "seeds": "5-1"}""",
        "'{0}': 'seeds' cannot be '5-1'; a list such as 1-5 or 1,3,7-9 is required, with at most 10000 seeds per range")]
    [InlineData("""{"algorithms": ["iql"], "environments": ["climbing"], "seeds": 1, "options": {"hiden": 8}}""", "'{0}': unknown option 'hiden'; did you mean 'hidden'?")]
    [InlineData("""{"algorithms": ["iql"], "environments": ["climbing"], "seeds": 1, "options": {"hidden": []}}""", "'{0}': 'hidden' has no values")]
    [InlineData("""{"algorithms": ["iql"], "environments": ["climbing"], "seeds": 1, "options": [8]}""", "'{0}': 'options' is not an object")]
    [InlineData("""{"algorithms": ["iql"], "environments": ["climbing"], "seeds": 1, "training": {"seed": 8}}""", "'{0}': 'seed' is set by the key 'seeds' of the sweep")]
    [InlineData("""{"algorithms": ["iql", 3], "environments": ["climbing"], "seeds": 1}""", "'{0}': 'algorithms' is not a name")]
    [InlineData("""{"algorithms": {}, "environments": ["climbing"], "seeds": 1}""", "'{0}': 'algorithms' is not a list of names")]
    [InlineData("""{"algorithms": ["iql", "iql"], "environments": ["climbing"], "seeds": 1}""",
        "'{0}' has two runs for the folder 'runs/sweep/climbing/iql/1'; give one of them a \"label\"")]
    [InlineData("""{"algorithms": ["iql"], "environments": ["climbing"], "seeds": 1, "runs": []}""", "'{0}': 'runs' is not a list of objects")]
    [InlineData("""{"algorithms": ["iql"], "environments": ["climbing"], "seeds": 1, "runs": [{}, 3]}""", "'{0}', runs[1] is not an object")]
    [InlineData("""{"algorithms": ["iql"], "environments": ["climbing"], "seeds": 1, "runs": [{"options": {"hidden": "x"}}]}""",
        "'{0}', runs[0]: option 'hidden' cannot be 'x'; an integer is required")]
    [InlineData("[]", "'{0}' is not a JSON object")]
    [InlineData("""{"algorithms": ["maddpg"], "environments": ["climbing"], "seeds": 1, "options": {"hidden": 0}}""",
        "maddpg in climbing: option 'hidden' cannot be 0; it must be in 1 .. 8192")]
    public void AWrongFileIsAnErrorBeforeTheFirstRun(string text, string error)
    {
        File.WriteAllText(folder["sweep.json"], text);
        MarlProcess.Run(folder.Path, "sweep", "sweep.json").HasFailed(2, error.Replace("{0}", "sweep.json", StringComparison.Ordinal));
        Assert.False(Directory.Exists(folder["runs"]));
    }

    [Fact]
    public void AFileStartsNoProgram()
    {
        File.WriteAllText(folder["sweep.json"], """{"algorithms": "iql", "environments": "cmd:touch started", "seeds": 1}""");
        Assert.Equal(2, MarlProcess.Run(folder.Path, "sweep", "sweep.json").Code);
        Assert.False(File.Exists(folder["started"]));
    }

    [Fact]
    public void ADryRunListsTheRunsOnly()
    {
        Write(300, "1-2");
        string text = MarlProcess.Run(folder.Path, "sweep", "sweep.json", "--dry-run").HasSucceeded().Output;
        Assert.Equal("""
            runs/sweep/two-step/iql/1 new: iql on two-step, seed 1, 300 steps
            runs/sweep/two-step/vdn/1 new: vdn on two-step, seed 1, 300 steps
            runs/sweep/two-step/iql/2 new: iql on two-step, seed 2, 300 steps
            runs/sweep/two-step/vdn/2 new: vdn on two-step, seed 2, 300 steps

            """, text, ignoreLineEndingDifferences: true);
        Assert.False(Directory.Exists(folder["runs"]));
    }

    [Theory]
    [InlineData(Kill)]
    [InlineData(Interrupt)]
    public void ASweepThatWasStoppedGoesOnToTheSameBitsAndRepeatsNothing(int signal)
    {
        const int steps = 6000;
        Write(steps, "1-2");
        MarlProcess.Run(folder.Path, "sweep", "sweep.json", "--out", "undisturbed", "--json").HasSucceeded();
        using (var marl = MarlProcess.Start(folder.Path, ["sweep", "sweep.json", "--out", "stopped", "--json", "--jobs", "2"]))
        {
            // The first run is finished, another one is in its middle.
            while (marl.ReadLine() is { } line && (string?)JsonNode.Parse(line)!["type"] != "summary")
            {
            }
            marl.Send(signal);
            var outcome = marl.Wait();
            Assert.Equal(128 + signal, outcome.Code);
            if (signal == Interrupt)
            {
                Assert.Matches(@"^marl: stopped and saved; \d of 4 runs are finished; continue with: the same command\n$", outcome.Error);
            }
        }
        string[] finished = [.. Runs("stopped").Where(run => File.Exists(folder[$"{run}/summary.json"]) && (bool)Summary(run)["finished"]!)];
        Assert.InRange(finished.Length, 1, 3);
        var starts = finished.ToDictionary(run => run, Starts);
        var total = MarlProcess.Run(folder.Path, "sweep", "sweep.json", "--out", "stopped", "--json").HasSucceeded().Summary;
        Assert.Equal([2, 2], total["results"]!.AsArray().Select(row => (int)row!["seeds"]!));
        Assert.All(finished, run => Assert.Equal(starts[run], Starts(run)));
        foreach (var (run, undisturbed) in Runs("stopped").Zip(Runs("undisturbed")))
        {
            Assert.Equal((string)Summary(undisturbed)["weightsSha256"]!, (string)Summary(run)["weightsSha256"]!);
            Assert.Equal(1, Starts(undisturbed));
        }
        string[] checkpoints = Directory.GetFiles(folder["stopped"], "*.safetensors", SearchOption.AllDirectories);
        var copies = Runs("stopped").ToDictionary(run => run, Starts);
        // A finished run needs its summary and metrics only, as a repository keeps them.
        Array.ForEach(checkpoints, File.Delete);
        MarlProcess.Run(folder.Path, "sweep", "sweep.json", "--out", "stopped").HasSucceeded();
        Assert.All(copies, run => Assert.Equal(run.Value, Starts(run.Key)));
    }

    [Fact]
    public void TwoSweepsAtTheSameTimeShareTheRuns()
    {
        Write(1500, "1-2");
        var both = Enumerable.Range(0, 2).Select(_ => MarlProcess.Start(folder.Path, ["sweep", "sweep.json", "--out", "shared", "--jobs", "2"])).ToArray();
        Assert.All(both, marl => marl.Wait().HasSucceeded());
        Array.ForEach(both, marl => marl.Dispose());
        Assert.All(Runs("shared"), run => Assert.Equal(1, Starts(run)));
    }

    [Fact]
    public void ARunThatFailsIsReportedAndTheOthersAreTrained()
    {
        File.WriteAllText(folder["sweep.json"], """
            {"algorithms": "iql", "environments": "two-step", "seeds": 1, "training": {"steps": 300}, "options": {"hidden": 8, "batchSize": 4, "learningRate": [1e25, 0.001]}}
            """);
        var outcome = MarlProcess.Run(folder.Path, "sweep", "sweep.json", "--out", "r", "--json");
        Assert.Equal(3, outcome.Code);
        Assert.Matches(@"^marl: '(r/two-step/\S+/1)' failed with exit code 3: diverged at update .*; see \1/run.log\n$", outcome.Error);
        Assert.Equal("iql-learningRate-0.001", (string?)outcome.Summary["results"]!.AsArray().Single()!["label"]);
        Assert.Contains(outcome.Lines, line => (string?)line["type"] == "failed" && (int)line["exitCode"]! == 3);
        // A run with other settings in the folder is an error that names it.
        File.WriteAllText(folder["sweep.json"], File.ReadAllText(folder["sweep.json"]).Replace("\"hidden\": 8", "\"hidden\": 4", StringComparison.Ordinal));
        MarlProcess.Run(folder.Path, "sweep", "sweep.json", "--out", "r").HasFailed(2,
            $"'{(string)outcome.Lines.First(line => (string?)line["type"] == "failed")["run"]!}' contains a run with other settings; choose another --out");
    }

    private void Write(int steps, string seeds) => File.WriteAllText(folder["sweep.json"], $$"""
        {"algorithms": ["iql", "vdn"], "environments": ["two-step"], "seeds": "{{seeds}}",
         "training": {"steps": {{steps}}, "evaluationInterval": 500, "evaluationEpisodes": 4}, "options": {"hidden": 8, "batchSize": 4} }
        """);

    private string[] Runs(string text) => text.Contains('{', StringComparison.Ordinal) ? Described(text)
        : [.. from label in (string[])["iql", "vdn"] from seed in (int[])[1, 2] select $"{text}/two-step/{label}/{seed}"];

    private string[] Described(string text)
    {
        File.WriteAllText(folder["sweep.json"], text);
        return [.. SweepFile.Read(folder["sweep.json"], "out").Select(run =>
        {
            var options = JsonNode.Parse(run.Configuration.ToJson())!["options"]!;
            Assert.Equal(Path.GetFileName(run.Folder), $"{run.Configuration.Training.Seed}");
            return $"{run.Folder} {run.Configuration.Algorithm} {options["hidden"] ?? options["agent"]!["hidden"]} {run.Configuration.Training.Steps}";
        })];
    }

    private int Starts(string run) => File.ReadLines(folder[$"{run}/run.log"]).Count(line => line.StartsWith("""{"type":"start",""", StringComparison.Ordinal));

    private JsonNode Summary(string run) => JsonNode.Parse(File.ReadAllText(folder[$"{run}/summary.json"]))!;
}
