namespace Marl.Native.Tests.Cli;

/// <summary>A run on a terminal of every size, as a person sees it.</summary>
public sealed class TerminalTests : IDisposable
{
    private const string CtrlC = "\u0003", Hint = "Ctrl-C saves and stops", Steps = "1000000000";

    private static readonly string[] Endless = ["train", "ia2c", "--env", "lbf:5x5-2p-1f", "--steps", Steps, "--threads", "1", "--out", "run",
        "--set", "hidden=8", "evaluationEpisodes=2"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [TerminalTheory]
    [InlineData(160, 50, 44, 44)]
    [InlineData(80, 24, 17, 18)]
    [InlineData(40, 20, 9, 12)]
    [InlineData(30, 8, 0, 0)]
    public void APictureFillsTheTerminal(int width, int height, int least, int most)
    {
        using var terminal = Start(width, height, [.. Endless, "evaluationInterval=20000"]);
        string[] rows = terminal.WaitFor(rows => IsWhole(rows) && rows.Any(row => row.Contains('±')));
        // What the figures, which wrap, leave of the height.
        Assert.InRange(rows.Count(row => row.Contains('│') || row.Contains('┤')), least, most);
        Assert.Equal(most > 0, rows.Any(row => row.Contains("● evaluation  ⠒⠒ training", StringComparison.Ordinal)));
        Assert.Contains(rows, row => row.Contains("training ", StringComparison.Ordinal));
        // Nothing is cut in the middle of a word.
        Assert.All(rows[1..], row => Assert.DoesNotContain('…', row));
    }

    [TerminalFact]
    public void TrainingReturnsAreDrawnBeforeAnyEvaluation()
    {
        using var terminal = Start(80, 24, [.. Endless, "evaluationInterval=0"]);
        string[] rows = terminal.WaitFor(rows => IsWhole(rows) && rows.Any(row => row.Any(c => c is > '\u2800' and <= '\u28ff' and not '⠒')));
        Assert.DoesNotContain(rows, row => row.Contains('●') && !row.Contains("● evaluation", StringComparison.Ordinal));
    }

    [TerminalFact]
    public void NothingOfAnOlderPictureIsLeftWhenTheSizeChanges()
    {
        using var terminal = Start(100, 30, [.. Endless, "evaluationInterval=20000"]);
        terminal.WaitFor(IsWhole);
        foreach (var (width, height) in new[] { (40, 20), (30, 8), (160, 50), (80, 24), (20, 4), (80, 24) })
        {
            terminal.Resize(width, height);
            // The hint on the last row, the bar as long as the width has it, and each of them once.
            string[] rows = terminal.WaitFor(rows => IsWhole(rows)
                && (width < 80 ? rows[1].EndsWith('%') && rows[1].Length == width : rows[1].Contains("steps/s", StringComparison.Ordinal)));
            Assert.Single(rows, row => row.Contains('─'));
            Assert.Single(rows, row => row.StartsWith("ia2c on", StringComparison.Ordinal));
            Assert.All(rows, row => Assert.True(row.Length <= width));
        }
    }

    [TerminalFact]
    public void CtrlCSavesAndSaysWhatCanBeDoneNext()
    {
        using var terminal = Start(100, 24, Endless);
        terminal.WaitFor(IsWhole);
        terminal.Type(CtrlC);
        var (code, lines) = terminal.Wait();
        Assert.Equal(128 + 2, code);
        Assert.StartsWith("ia2c on lbf:5x5-2p-1f", lines.First(line => line != "" && line != "^C"), StringComparison.Ordinal);
        Assert.Contains("watch it: marl play run", lines);
        Assert.Matches(@"^marl: stopped and saved at step \d+; continue with: marl resume run$", lines[^1]);
        Assert.True(File.Exists(folder["run/checkpoint.safetensors"]));
        Assert.DoesNotContain(lines, line => line.Contains(Hint, StringComparison.Ordinal));
    }

    [TerminalFact]
    public void ASecondCtrlCEndsAtOnceAndGivesTheTerminalBack()
    {
        using var terminal = Start(80, 24, Endless);
        terminal.WaitFor(IsWhole);
        terminal.Suspend();
        terminal.Type(CtrlC);
        terminal.Terminate();
        terminal.Resume();
        var (code, lines) = terminal.Wait();
        Assert.Contains(code, new[] { 128 + 2, 128 + 15 });
        Assert.Contains("marl: terminated without saving", lines);
        Assert.Single(terminal.Raw.Split("\e[?1049h").Skip(1));
    }

    [TerminalFact]
    public void TheTerminalIsGivenBackWhenARunEndsByItself()
    {
        using var terminal = Start(60, 20, [.. Endless.Select(word => word == Steps ? "2000" : word)]);
        var (code, lines) = terminal.Wait();
        Assert.Equal(0, code);
        Assert.Contains(lines, line => line.EndsWith("100 %", StringComparison.Ordinal));
        Assert.Equal("watch it: marl play run", lines[^1]);
        Assert.True(terminal.Raw.LastIndexOf("\e[?25h", StringComparison.Ordinal) > terminal.Raw.LastIndexOf("\e[?25l", StringComparison.Ordinal), "the cursor is hidden");
    }

    [TerminalFact]
    public void WithoutColorTheBarCanBeRead()
    {
        using var terminal = Start(80, 24, [.. Endless, "environments=20"], ("NO_COLOR", "1"));
        string[] rows = terminal.WaitFor(IsWhole);
        // Heavy for what is done, light for the rest: next to nothing is done.
        Assert.Contains("─────", rows[1], StringComparison.Ordinal);
        Assert.DoesNotContain("━━━━━", rows[1], StringComparison.Ordinal);
        Assert.DoesNotContain("\e[38;", terminal.Raw, StringComparison.Ordinal);
    }

    private PseudoTerminal Start(int width, int height, string[] arguments, params (string, string)[] environment)
        => new(folder.Path, width, height, arguments, environment);

    private static bool IsWhole(string[] rows) => rows[0].StartsWith("ia2c on", StringComparison.Ordinal) && rows[^1].StartsWith(Hint[..12], StringComparison.Ordinal)
        && rows.Any(row => row.Contains('%'));
}
