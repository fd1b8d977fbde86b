using Marl.Native.Rl;
using Marl.Native.Tests.External;

namespace Marl.Native.Tests.Cli;

/// <summary>Pipes, devices, outputs that fail, few descriptors, and programs that misbehave: the command ends soon, with one line.</summary>
public sealed class HostileTests : IDisposable
{
    private static readonly string[] Training =
        ["train", "vdn", "--env", "two-step", "--steps", "400", "--threads", "1", "--set", "hidden=4", "environments=2", "batchSize=4", "bufferSize=16", "evaluationEpisodes=1", "--out", "run"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("eval", "pipe")]
    [InlineData("play", "pipe")]
    [InlineData("train", "vdn", "--env", "matrix:pipe")]
    [InlineData("train", "vdn", "--env", "matrix:/dev/zero")]
    [InlineData("train", "--config", "pipe")]
    [InlineData("train", "--config", "/dev/zero")]
    [InlineData("eval", "/dev/zero")]
    [InlineData("eval", "random", "--env", "matrix:/")]
    [InlineData("train", "--config", "/")]
    [InlineData("eval", "run")]
    [InlineData("resume", "run")]
    public void APipeOrADeviceIsRefused(params string[] command)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        var outcome = MarlProcess.RunInShell(folder.Path, "mkfifo pipe && mkdir run && mkfifo run/config.json && exec \"$@\"", command);
        Assert.InRange(outcome.Code, 1, 2);
        IsOneLine(outcome.Error);
    }

    [Theory]
    [InlineData("exec \"$@\" >/dev/full", true)]
    [InlineData("exec \"$@\" >&-", false)]
    [InlineData("\"$@\" | true; exit ${PIPESTATUS[0]}", false)]
    public void ARunWhoseOutputFailsIsSaved(string script, bool stops)
    {
        if (!File.Exists("/dev/full"))
        {
            return;
        }
        var outcome = MarlProcess.RunInShell(folder.Path, script, Training);
        if (stops || outcome.Code != 0)
        {
            Assert.Equal(1, outcome.Code);
            IsOneLine(outcome.Error);
            Assert.StartsWith("marl: the standard output cannot be written to: ", outcome.Error, StringComparison.Ordinal);
            Assert.Contains("continue with: marl resume run", outcome.Error, StringComparison.Ordinal);
        }
        Assert.True(File.Exists(folder["run/checkpoint.safetensors"]));
        var resumed = MarlProcess.Run(folder.Path, "resume", "run", "--json");
        Assert.Equal(0, resumed.Code);
        Assert.Equal(400, (long)resumed.Summary["steps"]!);
    }

    [Fact]
    public void FewDescriptorsAreAnErrorOfOneLine()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        int refused = 0;
        foreach (int descriptors in (int[])[40, 48, 56, 64, 72, 80, 96, 128, 192, 256])
        {
            // The runtime itself needs some before the command begins.
            bool starts = Limited(descriptors, "--version").Code == 0;
            var outcome = Limited(descriptors, [.. Training[..^1], $"run{descriptors}"]);
            if (starts && outcome.Code != 0)
            {
                refused++;
                Assert.Equal(1, outcome.Code);
                IsOneLine(outcome.Error);
            }
        }
        Assert.True(refused > 0, "no limit was too small for training and large enough for the command");

        Outcome Limited(int descriptors, params IEnumerable<string> command)
            => MarlProcess.RunInShell(folder.Path, $"ulimit -n {descriptors}; exec \"$@\"", command);
    }

    [Theory]
    [InlineData(@"{""observations"":[[0,1],[1]],""observations"":[[5,5],[1]],""rewards"":[0,0],""terminated"":false,""truncated"":false}", "the field 'observations' occurs twice")]
    [InlineData(@"{""\ud800"":1}", "not valid Unicode")]
    [InlineData(@"{""\u001b[2J"":1}", "unknown field '\uFFFD[2J'")]
    public void AnAnswerThatCannotBeIsTheProgramsFaultAndTheRunIsSaved(string answer, string problem)
    {
        using var script = new Script([Script.Hello, Script.Start, Script.Step, answer]);
        var outcome = MarlProcess.Run(folder.Path, "train", "iql", "--env-cmd", script.Command, "--steps", "50", "--set", "environments=1", "hidden=4", "--out", "run");
        Assert.Equal(1, outcome.Code);
        Assert.Contains(problem, outcome.Error, StringComparison.Ordinal);
        Assert.Contains("the run is saved at step 0", outcome.Error, StringComparison.Ordinal);
        IsOneLine(outcome.Error);
    }

    [Fact]
    public void AConfigurationPrintsNoControlCharacters()
    {
        File.WriteAllText(folder["config.json"], """{"algorithm": "vdn\u001b[2J\u0007", "environment": "two-step", "options": {}}""");
        var outcome = MarlProcess.Run(folder.Path, "train", "--config", "config.json");
        Assert.Equal(2, outcome.Code);
        IsOneLine(outcome.Error);
    }

    private static void IsOneLine(string error)
    {
        Assert.StartsWith("marl: ", error, StringComparison.Ordinal);
        Assert.InRange(error.Length, 1, 1010);
        Assert.DoesNotContain(error.TrimEnd('\n'), char.IsControl);
    }
}
