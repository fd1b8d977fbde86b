using Marl.Native.Cli.Playing;
using Marl.Native.Cli.Reporting;
using Marl.Native.Rl;
using Spectre.Console;
using Text = Marl.Native.Cli.Reporting.Text;

namespace Marl.Native.Tests.Cli;

/// <summary>What is drawn over and over, as it stands on a terminal in the end: one picture, and nothing left over of those before it.</summary>
public sealed class LiveTests
{
    [Fact]
    public void ARunIsAPictureOfHowFarItIsAndWhatItHasLearned()
    {
        const int Steps = 400;
        using var trainer = new Trainer(Games.Configure("vdn", "lbf:5x5-2p-1f", Steps, settings: [.. Games.TinyFor("vdn"), "environments=1", "evaluationInterval=100"]));
        var screen = new Screen(width: 100, height: 30);
        var summary = new LiveReporter(screen.Console).Run(trainer, "runs/here", CancellationToken.None);
        string[] lines = screen.Lines, said = [.. Text.Summary(summary, "runs/here")];
        Assert.Equal($"vdn on lbf:5x5-2p-1f, seed 1, {Steps} steps", lines[0]);
        Assert.Matches(@"^━+ +100 %  4\d\d steps  [\d,]+ steps/s  done$", lines[1]);
        Assert.Equal("return  ● evaluation  ⠒⠒ training", lines[2].Trim());
        // The plot, whose first and last row say how high they are; with a mark for most of four evaluations or more.
        string[] plot = [.. lines.SkipWhile(line => !line.Contains('┤')).TakeWhile(line => line.Contains('┤') || line.Contains('│'))];
        Assert.True(plot.Length >= 10);
        Assert.All([plot[0], plot[^1]], line => Assert.Matches(@"^ *-?[\d.]+┤", line));
        Assert.True(plot.Sum(line => line.Count(c => c is '●')) >= 3);
        Assert.True(plot.Sum(line => line.Count(c => c is > '\u2800' and <= '\u28ff')) > 4);
        Assert.Matches(@"^ +0 +400 steps$", lines[3 + plot.Length]);
        Assert.StartsWith($"return {Text.Number(summary.ReturnMean)} ± ", lines[4 + plot.Length], StringComparison.Ordinal);
        Assert.Equal(said, lines[^said.Length..]);
        Assert.Equal("watch it: marl play runs/here", lines[^1]);
        Assert.False(screen.IsAlternate);
    }

    [Theory]
    [InlineData(0, 0, "1.0", "0.0")]
    [InlineData(0.3, 0.3, "0.4", "0.0")]
    [InlineData(-12, -12, "0", "-20")]
    [InlineData(-3.164e-17, 0, "1.0", "0.0")]
    [InlineData(0.2, 0.94, "1.0", "0.0")]
    [InlineData(-3000, 12_000, "20,000", "-10,000")]
    public void TheAxisHasRoundBoundsAlsoForOnePointAndForEqualOnes(double first, double second, string top, string bottom)
    {
        var curve = new LearningCurve(1000);
        curve.AddEvaluation(100, first);
        string[] lines = Draw(curve);
        Assert.Equal(12, lines.Length);
        curve.AddEvaluation(1000, second);
        lines = Draw(curve);
        Assert.Equal((top, bottom), (Label(lines[1]), Label(lines[10])));
        Assert.All(lines, line => Assert.True(line.Length <= 60));

        static string Label(string line) => line[..line.IndexOf('┤')].Trim();
    }

    [Fact]
    public void TheCurveFillsAtLeastHalfOfTheChart()
    {
        var curve = new LearningCurve(1_000_000);
        for (int steps = 500; steps <= 1_000_000; steps += 500)
        {
            curve.AddRound(steps, steps / 1e6);
            if (steps is 10_000 or 300_000 or 1_000_000)
            {
                string[] lines = Draw(curve);
                string edge = steps switch { 10_000 => "15,625", 300_000 => "500,000", _ => "1,000,000" };
                Assert.EndsWith($" {edge} steps", lines[^1], StringComparison.Ordinal);
                int end = lines.Max(line => Array.FindLastIndex(line.ToCharArray(), c => c is > '\u2800' and <= '\u28ff' and not '⠒'));
                Assert.InRange(end, 30, 59);
                // The line is the mean over the last 32nd of the chart.
                Assert.Equal((steps - double.Parse(edge, System.Globalization.NumberStyles.Number, System.Globalization.CultureInfo.InvariantCulture) / 64) / 1e6,
                    curve.TrainingReturn, 1e-3);
            }
        }
    }

    [Theory]
    [InlineData(7.21, "7.2 s")]
    [InlineData(185, "3 min 05 s")]
    [InlineData(3720, "1 h 02 min")]
    [InlineData(2 * 86400 + 3 * 3600, "2 d 03 h")]
    [InlineData(70918.0 * 3600, "over a year")]
    [InlineData(double.PositiveInfinity, "over a year")]
    public void DurationsCanBeRead(double seconds, string text) => Assert.Equal(text, Text.Duration(seconds));

    [Theory]
    [InlineData(-3.164e-17, "0")]
    [InlineData(0.93117, "0.9312")]
    [InlineData(-0.0001234, "-0.0001234")]
    [InlineData(1_234_567, "1.235E+06")]
    public void NumbersCanBeRead(double value, string text) => Assert.Equal(text, Text.Number(value));

    private static string[] Draw(LearningCurve curve)
    {
        var screen = new Screen(width: 60, height: 20);
        screen.Console.Write(new Rows(curve.Draw(60, 12)));
        return screen.Lines;
    }

    [Fact]
    public void AnEpisodeIsAPictureThatMoves()
    {
        const string Id = "lbf:8x8-2p-2f";
        var (still, moving) = (new StringWriter(), new Screen(width: 80, height: 30));
        using (var performance = Perform(Id))
        {
            new PlainViewer(still, pace: null).Show(performance, performance.Play());
        }
        using (var performance = Perform(Id))
        {
            new LiveViewer(moving.Console, new Pace(fps: 10_000, waits: false, CancellationToken.None)).Show(performance, performance.Play());
        }
        string[] lines = moving.Lines, last = still.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)[^9..];
        Assert.Equal($"random in {Id}, seed 1", lines[0]);
        // The same cells as in the plain text's last frame, which begins with a line of its own.
        Assert.Equal(last[1..].Select(Cells), lines[1..9].Select(Cells));
        Assert.Matches(@"^step \d+ +return \S+$", lines[9]);
        Assert.Matches(@"^ A +\w+ +\S+ +return \S+$", lines[10]);
        Assert.Matches(@"^ B +\w+ +\S+ +return \S+$", lines[11]);
        Assert.True(moving.Drawn > 10);

        static string Cells(string line) => string.Concat(line.Where(c => !char.IsWhiteSpace(c)));
    }

    [Fact]
    public void ALowTerminalShowsThePictureAndLeavesTheNumbersOut()
    {
        var screen = new Screen(width: 80, height: 12);
        using var performance = Perform("lbf:8x8-2p-2f");
        new LiveViewer(screen.Console, new Pace(fps: 10_000, waits: false, CancellationToken.None)).Show(performance, performance.Play());
        Assert.Equal(11, screen.Lines.Length); // title, eight rows, step, legend
        Assert.Matches(@"^step \d+ +return \S+$", screen.Lines[^2]);
    }

    private static Performance Perform(string id)
    {
        var (environment, rng) = (Catalog.CreateEnvironment(id), new Rng(1));
        return new(environment, new RandomPlayer(environment.Spec, rng), rng) { Player = "random", Seed = 1, Episodes = 1 };
    }
}
