using System.Globalization;
using System.Text.RegularExpressions;
using Marl.Native.Tests.Cli;

namespace Marl.Native.Tests.Samples;

/// <summary>The samples do what they say: each runs as a program, and uses what is public.</summary>
public sealed class SampleTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Fact]
    public void TheRegressionFits()
        => Assert.InRange(Number(Run("Regression"), @"epoch 300  loss (\S+)"), 0.005, 0.02);

    [Fact]
    public void TheOwnEnvironmentIsLearned()
    {
        string output = Run("OwnEnvironment");
        Assert.InRange(Number(output, @"return (\S+) after"), 0.9, 1);
        Assert.Contains("the door opens", output, StringComparison.Ordinal);
    }

    [Fact]
    public void TheOwnAlgorithmFindsWhatASumDoesNot()
    {
        string output = Run("OwnAlgorithm", folder["policy.safetensors"]);
        Assert.Equal(8, Number(output, @"\nreturn (\S+)"));
        Assert.Equal(8, Number(output, @"loaded again: return (\S+)"));
        Assert.Matches(@"step  2000  return \S+  absoluteError 0\.\d+", output);
        Assert.InRange(File.ReadLines(Path.Combine(AppContext.BaseDirectory, "OwnWeighted.cs")).Count(), 1, 120);
    }

    [Fact]
    public void TheGameAllocatesNothing()
    {
        string output = Run("GameLoop", "10", "--fast");
        Assert.Contains("\n0 bytes in 600 ticks", output, StringComparison.Ordinal);
        Assert.InRange(Number(output, @" 10 s  coins (\d+) :") + Number(output, @" 10 s  coins \d+ : (\d+)"), 10, 600);
    }

    public void Dispose() => folder.Dispose();

    private string Run(string sample, params string[] arguments)
        => MarlProcess.RunProgram(sample + ".dll", folder.Path, arguments).HasSucceeded().Output.ReplaceLineEndings("\n");

    private static double Number(string output, string pattern)
    {
        var match = Regex.Match(output, pattern);
        Assert.True(match.Success, output);
        return double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
    }
}
