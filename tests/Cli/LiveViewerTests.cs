using Marl.Native.Cli.Playing;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>Episodes in a terminal.</summary>
public sealed class LiveViewerTests
{
    [Fact]
    public void FortyColumnsShowTheGridTheAgentsAndTheLegend()
    {
        string[] lines = Play("lbf:8x8-2p-2f-coop", 40, 20);
        Assert.Contains("A agent (number: level)", lines);
        Assert.Contains("3 food (number: level)", lines);
        Assert.Equal(8, lines.Count(line => line.Contains('·', StringComparison.Ordinal)));
        Assert.Matches(@"^ A  \w+ +0  return 0$", lines.Single(line => line.StartsWith(" A ", StringComparison.Ordinal) && line.Contains("return", StringComparison.Ordinal)));
        Assert.Single(lines, line => line.StartsWith("step 50 ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(40, 40)]
    [InlineData(40, 16)]
    [InlineData(80, 24)]
    public void APlaneKeepsItsFrame(int width, int height)
    {
        string[] lines = Play("mpe:spread", width, height);
        string top = Assert.Single(lines, line => line.StartsWith('┌'));
        Assert.Matches("^┌─+┐$", top);
        Assert.Single(lines, line => line == top.Replace('┌', '└').Replace('┐', '┘'));
        Assert.All(lines.Where(line => line.StartsWith('│')), line => Assert.Equal((top.Length, '│'), (line.Length, line[^1])));
        Assert.Contains(lines, line => line.StartsWith("A agent   ○ goal landmark", StringComparison.Ordinal));
    }

    /// <summary>What the terminal has at the end.</summary>
    private static string[] Play(string id, int width, int height)
    {
        var recording = Recordings.Random(id);
        using var screen = new Screen(width, height);
        new LiveViewer(screen.Console, new Pace(1000, waits: false, CancellationToken.None)).Show(recording.Performance, recording.Frames);
        return screen.Lines;
    }
}
