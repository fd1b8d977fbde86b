using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>A run that is stopped, killed or runs out of disk goes on as if nothing had happened.</summary>
public sealed class RunTests(RunTests.Whole whole) : IClassFixture<RunTests.Whole>
{
    private const int Interrupt = 2, Kill = 9, Terminate = 15;

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
        stopped.HasFailed(128 + signal, $"stopped at step {steps} with a checkpoint; go on with: marl resume {run}");
        Assert.False((bool)stopped.Summary["finished"]!);
        Assert.True(File.Exists(Path.Combine(Folder, run, "checkpoint.safetensors")) && steps < 6000);
        ResumesAsIfNothingHadHappened(run);
    }

    [Fact]
    public void AKilledRunGoesOnFromItsLastCheckpoint()
    {
        using var marl = MarlProcess.Start(Folder, [.. Training, "killed"]);
        marl.ReadLine();
        marl.ReadLine();
        marl.Send(Kill);
        Assert.Equal(128 + Kill, marl.Wait().Code);
        ResumesAsIfNothingHadHappened("killed");
    }

    [Fact]
    public void AFinishedRunGoesOnWhenMoreStepsAreAskedFor()
    {
        string[] half = [.. Training, "longer"];
        half[Array.IndexOf(half, "6000")] = "3000";
        MarlProcess.Run(Folder, half).HasSucceeded();
        MarlProcess.Run(Folder, "resume", "longer", "--steps", "1000").HasFailed(2, "'longer' has 3000 steps behind it already; --steps can only add to them");
        Assert.Equal(3000, (long)MarlProcess.Run(Folder, "resume", "longer", "--json").HasSucceeded().Summary["steps"]!);
        ResumesAsIfNothingHadHappened("longer", "--steps", "6000");
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

    /// <summary>The same weights, the same metrics and the same best return as of the run that was left in peace.</summary>
    private void ResumesAsIfNothingHadHappened(string run, params ReadOnlySpan<string> options)
    {
        var resumed = MarlProcess.Run(Folder, ["resume", run, "--threads", "1", "--json", .. options]).HasSucceeded();
        Assert.Equal(whole.Outcome.Sha, resumed.Sha);
        Assert.Equal((double)whole.Outcome.Summary["returnMax"]!, (double)resumed.Summary["returnMax"]!);
        Assert.Equal(Steps("whole"), Steps(run));

        string[] Steps(string name) => [.. File.ReadLines(Path.Combine(Folder, name, "metrics.csv")).Select(line => line.Split(',')[0])];
    }
}
