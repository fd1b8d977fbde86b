using System.Diagnostics;
using System.Text.RegularExpressions;
using Marl.Native.Bench.Reliability;
using Marl.Native.Tests.Cli;
using Xunit.Abstractions;

namespace Marl.Native.Tests.Fuzz;

/// <summary>Whatever fails while a run is saved, and whenever it is killed, it goes on and ends with the same weights and metrics.</summary>
public sealed partial class SavingTests(ITestOutputHelper output)
{
    public static TheoryData<string> Algorithms => new(SavingRun.All.Select(run => run.Algorithm));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryOperationOnTheDiskMayFail(bool forever)
    {
        var report = SavingFaults.Fail(Run("vdn"), forever);
        output.WriteLine($"{report.Points} failing operations, {report.Resumed} runs resumed");
        Assert.Empty(report.Problems);
        Assert.True(report.Points > 50 && report.Resumed > report.Points / 2, $"{report.Points} operations, {report.Resumed} resumed");
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void ARunMayBeKilledInEverySave(string algorithm)
    {
        var report = SavingFaults.Kill(Run(algorithm), everyOperation: false);
        output.WriteLine($"{algorithm}: killed {report.Points} times, {report.Resumed} runs resumed");
        Assert.Empty(report.Problems);
        Assert.True(report.Points >= 8 && report.Resumed >= report.Points - 2, $"{report.Points} kills, {report.Resumed} resumed");
    }

    [StraceTheory]
    [InlineData("fsync:error=EIO:when=3")]
    [InlineData("fsync:error=EIO:when=8+")]
    [InlineData("rename:error=ENOSPC:when=4+")]
    [InlineData("pwrite64:error=ENOSPC:when=40+")]
    public void AFailingSystemCallIsReported(string fault)
    {
        using var folder = new TemporaryFolder();
        string[] marl = ["train", "vdn", "--env", "two-step", "--steps", "400", "--threads", "1", "--out", "run", "--set", "hidden=4", "environments=2",
            "batchSize=4", "bufferSize=16", "checkpointInterval=100", "evaluationEpisodes=1"];
        string call = fault[..fault.IndexOf(':')];
        // The runtime renames with renameat2 or rename, as the system has it.
        var failed = MarlProcess.RunTraced(folder.Path, [$"--trace={call}", $"--inject={fault}"], marl);
        Assert.Equal(1, failed.Code);
        Assert.Matches(OneLine(), failed.Error);
        var resumed = MarlProcess.Run(folder.Path, "resume", "run", "--json");
        marl[Array.IndexOf(marl, "run")] = "whole";
        MarlProcess.Run(folder.Path, marl).HasSucceeded();
        var whole = MarlProcess.Run(folder.Path, "resume", "whole", "--json");
        Assert.True(resumed.Code == 2 || resumed.Sha == whole.Sha, "the weights differ");
        Assert.Empty(Directory.EnumerateFiles(folder["run"], "*.part"));
    }

    private static SavingRun Run(string algorithm) => SavingRun.All.Single(run => run.Algorithm == algorithm);

    [GeneratedRegex(@"\Amarl: [^\n]+\n\z")]
    private static partial Regex OneLine();
}

/// <summary>A theory that needs strace, which makes system calls fail: skipped by name where it is missing or may not trace.</summary>
public sealed class StraceTheoryAttribute : TheoryAttribute
{
    private static readonly string? Missing = Find();

    public StraceTheoryAttribute() => Skip = Missing;

    private static string? Find()
    {
        try
        {
            using var strace = Process.Start(new ProcessStartInfo("strace", ["-f", "-o", "/dev/null", "true"]) { RedirectStandardError = true })!;
            strace.WaitForExit();
            return strace.ExitCode == 0 ? null : "strace may not trace processes";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "there is no strace";
        }
    }
}
