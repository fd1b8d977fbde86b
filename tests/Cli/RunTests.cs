using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>A run that is stopped, killed or runs out of disk goes on as if nothing had happened.</summary>
public sealed class RunTests(RunTests.Whole whole) : IClassFixture<RunTests.Whole>
{
    private const int HangUp = 1, Interrupt = 2, Kill = 9, Terminate = 15, Continue = 18, Stop = 19;

    private static readonly string[] Training =
    [
        "train", "qmix", "--env", "two-step", "--steps", "6000", "--json", "--set", "hidden=8", "mixer.embed=4", "environments=4",
        "batchSize=8", "bufferSize=5000", "evaluationInterval=200", "evaluationEpisodes=4", "checkpointInterval=100", "--out",
    ];

    /// <summary>The run that nothing happened to.</summary>
    public sealed class Whole : IDisposable
    {
        internal TemporaryFolder Folder { get; } = new();

        internal Outcome Outcome { get; }

        public Whole() => Outcome = MarlProcess.Run(Folder.Path, [.. Training, "whole"]).HasSucceeded();

        public void Dispose() => Folder.Dispose();
    }

    private string Folder => whole.Folder.Path;

    [Theory]
    [InlineData(HangUp)]
    [InlineData(Interrupt)]
    [InlineData(Terminate)]
    public void ASignalSavesTheRunAndEndsIt(int signal)
    {
        string run = $"signal{signal}";
        using var marl = MarlProcess.Start(Folder, [.. Training, run]);
        marl.ReadLine();
        marl.Send(signal);
        var stopped = marl.Wait();
        long steps = (long)stopped.Summary["steps"]!;
        Assert.Equal(128 + signal, stopped.Code);
        Assert.Equal(
            $"marl: stopping: saving to {run} .. (Ctrl-C again: quit without saving)\n" +
            $"marl: stopped and saved at step {steps}; continue with: marl resume {run}\n", stopped.Error.ReplaceLineEndings("\n"));
        Assert.False((bool)stopped.Summary["finished"]!);
        Assert.True(File.Exists(Path.Combine(Folder, run, "checkpoint.safetensors")) && steps < 6000);
        ResumesAsIfNothingHadHappened(run);
    }

    [Theory]
    [InlineData("ia2c", "environments=20000", "evaluationInterval=0")]
    [InlineData("vdn", "updatesPerEpisode=1000000", "evaluationInterval=0")]
    [InlineData("vdn", "evaluationEpisodes=100000", "evaluationInterval=1")]
    public void ASignalEndsWhatWouldTakeLong(string algorithm, string longer, string evaluation)
    {
        // A round of 20,000 episodes, a million updates per episode, an evaluation of 100,000 episodes.
        string run = $"{algorithm}-{longer}";
        using var marl = MarlProcess.Start(Folder, "train", algorithm, "--env", "lbf:5x5-2p-1f?steps=1000", "--steps", "1000000000", "--json", "--out", run,
            "--set", "hidden=8", longer, evaluation);
        while (!File.Exists(Path.Combine(Folder, run, "run.lock")))
        {
            Thread.Sleep(20);
        }
        Thread.Sleep(1000);
        marl.Send(Terminate);
        var stopped = marl.Wait();
        Assert.Equal(128 + Terminate, stopped.Code);
        Assert.Null(stopped.Summary["returnMean"]);
        Assert.True(File.Exists(Path.Combine(Folder, run, "checkpoint.safetensors")));
    }

    [Fact]
    public void ASecondSignalEndsTheRunWithoutSaving()
    {
        // Both arrive at once.
        using var marl = MarlProcess.Start(Folder, [.. Training, "twice"]);
        marl.ReadLine();
        marl.Send(Stop);
        marl.Send(Interrupt);
        marl.Send(Terminate);
        marl.Send(Continue);
        var ended = marl.Wait();
        Assert.Contains(ended.Code, new[] { 128 + Interrupt, 128 + Terminate });
        Assert.Contains("marl: terminated without saving\n", ended.Error.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        ResumesAsIfNothingHadHappened("twice");
    }

    [Fact]
    public void AKilledRunGoesOnFromItsLastCheckpoint()
    {
        using var marl = MarlProcess.Start(Folder, [.. Training, "killed"]);
        marl.ReadLine();
        marl.ReadLine();
        marl.Send(Kill);
        Assert.Equal(128 + Kill, marl.Wait().Code);
        ResumesAsIfNothingHadHappened("killed", mayLackTheLast: true);
    }

    [Fact]
    public void AFinishedRunGoesOnWhenMoreStepsAreAskedFor()
    {
        string[] half = [.. Training, "longer"];
        half[Array.IndexOf(half, "6000")] = "3000";
        MarlProcess.Run(Folder, half).HasSucceeded();
        MarlProcess.Run(Folder, "resume", "longer", "--steps", "1000").HasFailed(2, "'longer' has 3000 steps already; --steps must not be less");
        var finished = MarlProcess.Run(Folder, "resume", "longer", "--json");
        Assert.Equal((0, 3000), (finished.Code, (long)finished.Summary["steps"]!));
        Assert.Equal("marl: the run is finished at step 3000; a larger total, --steps N, extends it\n", finished.Error);
        ResumesAsIfNothingHadHappened("longer", options: ["--steps", "6000"]);
        Assert.Equal(6000, new RunFolder(Path.Combine(Folder, "longer")).ReadConfiguration().Training.Steps);
    }

    [Fact]
    public void AFullDiskLeavesTheLastCheckpointWhole()
    {
        var full = MarlProcess.RunWithFilesUpTo(40, Folder, [.. Training, "full"]);
        Assert.Equal((1, 1), (full.Code, full.Error.Count(c => c == '\n')));
        Assert.StartsWith("marl: 'full/checkpoint.safetensors' cannot be written: ", full.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Folder, "full"), "*.tmp"));
        ResumesAsIfNothingHadHappened("full");
    }

    [Fact]
    public void ADamagedCheckpointIsNamed()
    {
        string run = Path.Combine(Folder, "damaged"), checkpoint = Path.Combine(run, "checkpoint.safetensors");
        Directory.CreateDirectory(run);
        foreach (string file in new[] { "config.json", "checkpoint.safetensors" })
        {
            File.Copy(Path.Combine(Folder, "whole", file), Path.Combine(run, file));
        }
        byte[] bytes = File.ReadAllBytes(checkpoint);
        bytes[20] ^= 0x55;
        foreach (byte[] damaged in new[] { bytes[..^100], bytes, bytes[..3] })
        {
            File.WriteAllBytes(checkpoint, damaged);
            var outcome = MarlProcess.Run(Folder, "resume", "damaged");
            Assert.StartsWith("marl: damaged/checkpoint.safetensors", outcome.Error, StringComparison.Ordinal);
            Assert.Equal((1, "", 1), (outcome.Code, outcome.Output, outcome.Error.Count(c => c == '\n')));
        }
    }

    [Fact]
    public void DivergedNumbersEndTheRun()
    {
        var outcome = MarlProcess.Run(Folder,
            "train", "iql", "--env", "two-step", "--set", "hidden=8", "batchSize=4", "learningRate=1e25", "--out", "diverged");
        Assert.StartsWith("marl: diverged at update", outcome.Error, StringComparison.Ordinal);
        Assert.Equal((3, 1), (outcome.Code, outcome.Error.Count(c => c == '\n')));
    }

    /// <summary>The same weights, the same metrics and the same best return as of the run that was left in peace. A run that is killed between the two renames
    /// of a save has the checkpoint before it.</summary>
    private void ResumesAsIfNothingHadHappened(string run, bool mayLackTheLast = false, params ReadOnlySpan<string> options)
    {
        var resumed = MarlProcess.Run(Folder, ["resume", run, "--threads", "1", "--json", .. options]);
        if (!mayLackTheLast || !resumed.Error.Contains("checkpoint.safetensors' is missing", StringComparison.Ordinal))
        {
            resumed.HasSucceeded();
        }
        Assert.Equal(0, resumed.Code);
        Assert.Equal(whole.Outcome.Sha, resumed.Sha);
        Assert.Equal((double)whole.Outcome.Summary["returnMax"]!, (double)resumed.Summary["returnMax"]!);
        Assert.Equal(Steps("whole"), Steps(run));

        string[] Steps(string name) => [.. File.ReadLines(Path.Combine(Folder, name, "metrics.csv")).Select(line => line.Split(',')[0])];
    }
}
