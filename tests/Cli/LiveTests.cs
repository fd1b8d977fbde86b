using System.Text;
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
        using var trainer = new Trainer(Games.Configure("vdn", "lbf:5x5-2p-1f", Steps, settings: [.. Games.TinyFor("vdn"), "evaluationInterval=100"]));
        var screen = new Screen(width: 100, height: 30);
        var summary = new LiveReporter(screen.Console).Watch(trainer, "runs/here", CancellationToken.None);
        string[] lines = screen.Lines;
        Assert.Equal($"vdn on lbf:5x5-2p-1f, seed 1, {Steps} steps", lines[0]);
        Assert.Matches(@"^━+ +100 %  4\d\d steps  [\d,]+ steps/s  done$", lines[1]);
        Assert.Equal("return", lines[2].Trim());
        // Eight rows of the curve, of which the first and the last say how high they are; two dots of five evaluations at least.
        Assert.All(lines[3..11], line => Assert.Matches(@"^ *[\d.E+-]* *│[\u2800-\u28ff ]*$", line));
        Assert.Equal(2, lines[3..11].Count(line => char.IsAsciiDigit(line[8])));
        Assert.True(lines[3..11].Sum(line => line.Count(c => c is > '\u2800' and <= '\u28ff')) > 4);
        Assert.Matches(@"^ +0 +400 steps$", lines[11]);
        Assert.StartsWith($"return {Text.Number(summary.ReturnMean)} ± ", lines[12], StringComparison.Ordinal);
        Assert.Equal(Text.Summary(summary, "runs/here"), lines[13..]);
        Assert.True(screen.Drawn > 3);
    }

    [Fact]
    public void AnEpisodeIsAPictureThatMoves()
    {
        const string Id = "lbf:8x8-2p-2f";
        var (still, moving) = (new StringWriter(), new Screen(width: 80, height: 30));
        using (var performance = Perform(Id))
        {
            new PlainViewer(still, pace: null).Watch(performance, performance.Play());
        }
        using (var performance = Perform(Id))
        {
            new LiveViewer(moving.Console, new Pace(fps: 10_000, waits: false, CancellationToken.None)).Watch(performance, performance.Play());
        }
        string[] lines = moving.Lines, last = still.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)[^9..];
        Assert.Equal($"random in {Id}, seed 1", lines[0]);
        // The same cells as in the plain text's last frame, which begins with a line of its own.
        Assert.Equal(last[1..].Select(Cells), lines[1..9].Select(Cells));
        Assert.Matches(@"^step \d+ +return \S+$", lines[9]);
        Assert.Matches(@"^ A +\w+ +\S+ +sum \S+$", lines[10]);
        Assert.Matches(@"^ B +\w+ +\S+ +sum \S+$", lines[11]);
        Assert.True(moving.Drawn > 10);

        static string Cells(string line) => string.Concat(line.Where(c => !char.IsWhiteSpace(c)));
    }

    [Fact]
    public void ALowTerminalShowsThePictureAndLeavesTheNumbersOut()
    {
        var screen = new Screen(width: 80, height: 12);
        using var performance = Perform("lbf:8x8-2p-2f");
        new LiveViewer(screen.Console, new Pace(fps: 10_000, waits: false, CancellationToken.None)).Watch(performance, performance.Play());
        Assert.Equal(10, screen.Lines.Length);
        Assert.Matches(@"^step \d+ +return \S+$", screen.Lines[^1]);
    }

    private static Performance Perform(string id)
    {
        var (environment, rng) = (Catalog.CreateEnvironment(id), new Rng(1));
        return new(environment, new RandomPlayer(environment.Spec, rng), rng) { Player = "random", Seed = 1, Episodes = 1 };
    }

    /// <summary>As much of a terminal as a moving picture needs: text, new lines, and the cursor's way back up over lines that are cleared.</summary>
    private sealed class Screen : TextWriter, IAnsiConsoleOutput
    {
        private readonly List<StringBuilder> lines = [new()];
        private readonly StringBuilder pending = new();
        private int row, column;

        public Screen(int width, int height)
        {
            (Width, Height) = (width, height);
            Console = AnsiConsole.Create(new() { Ansi = AnsiSupport.Yes, ColorSystem = ColorSystemSupport.TrueColor, Interactive = InteractionSupport.Yes, Out = this });
        }

        public IAnsiConsole Console { get; }

        /// <summary>What stands there, without colors and what is empty at the ends.</summary>
        public string[] Lines => [.. string.Join('\n', lines.Select(line => line.ToString().TrimEnd())).TrimEnd().Split('\n')];

        /// <summary>How often the cursor went back up.</summary>
        public int Drawn { get; private set; }

        public int Width { get; }

        public int Height { get; }

        public TextWriter Writer => this;

        public bool IsTerminal => true;

        public override Encoding Encoding => Encoding.UTF8;

        public void SetEncoding(Encoding encoding)
        {
        }

        public override void Write(char value)
        {
            if (pending.Length > 0 || value == '\e')
            {
                pending.Append(value);
                if (pending.Length > 2 && char.IsAsciiLetter(value))
                {
                    Obey(pending.ToString(2, pending.Length - 3), value);
                    pending.Clear();
                }
                return;
            }
            switch (value)
            {
                case '\r':
                    column = 0;
                    break;
                case '\n':
                    (row, column) = (row + 1, 0);
                    if (row == lines.Count)
                    {
                        lines.Add(new());
                    }
                    break;
                default:
                    Assert.True(column < Width, $"line {row} is too long");
                    var line = lines[row].Append(' ', Math.Max(0, column + 1 - lines[row].Length));
                    line[column++] = value;
                    break;
            }
        }

        private void Obey(string numbers, char command)
        {
            switch (command)
            {
                case 'A':
                    row -= int.Parse(numbers, System.Globalization.CultureInfo.InvariantCulture);
                    Drawn++;
                    break;
                case 'K':
                    lines[row].Clear();
                    break;
                case 'm' or 'h' or 'l':
                    break;
                default:
                    Assert.Fail($"what is \\e[{numbers}{command}?");
                    break;
            }
        }
    }
}
