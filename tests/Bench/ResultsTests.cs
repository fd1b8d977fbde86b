using System.Globalization;
using System.Xml.Linq;
using Marl.Native.Bench.Compare;
using Marl.Native.Bench.Results;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>From folders of runs to tables and curves.</summary>
public sealed class ResultsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ATableForEachTaskAndOneOverAll()
    {
        // Means 1, 4, 3; t(2) = 4.303. Mean returns of the seeds: 2, 10/3, 8/3. All three of the last returns drawn alike: 1 in 27, more than 2.5 %.
        Write("game", "a", 1, [1, 3, 2]);
        Write("game", "a", 2, [2, 5, 3]);
        Write("game", "a", 3, [0, 4, 4]);
        Write("game", "b", 7, [1, 1, 0]);
        Write("other game", "a", 1, [-500, -300, -100]);
        Write("other game", "b", 1, [-500, -400, -300]);
        Write("game", "b", 8, [1], finished: false);
        File.WriteAllText(folder["published.csv"], "task,label,value,source\ngame,a,4.5 ± 1,Someone, table 2\nelsewhere,b,1,Other\n");
        var (output, notes) = Results("--published", folder["published.csv"]);
        Assert.Equal($"not finished, left out: {Path.Combine(folder.Path, "game", "b", "8")}\n", notes);
        Assert.Equal("""
            ### game

            `env of game`

            | label | seeds |       maximum | at step |          last |                  IQM |          area | published | steps/s |
            |-------|------:|--------------:|--------:|--------------:|---------------------:|--------------:|----------:|--------:|
            | a     |     3 | 4.000 ± 2.484 |   2,002 | 3.000 ± 2.484 | 3.000 [2.000, 4.000] | 2.667 ± 1.656 |   4.5 ± 1 |   2,000 |
            | b     |     1 |         1.000 |   1,007 |         0.000 |                0.000 |         0.667 |           |   7,000 |

            Published: Someone, table 2.

            ### other game

            `env of other game`

            | label | seeds | maximum | at step |   last |    IQM |   area | steps/s |
            |-------|------:|--------:|--------:|-------:|-------:|-------:|--------:|
            | a     |     1 |  -100.0 |   3,001 | -100.0 | -100.0 | -300.0 |   1,000 |
            | b     |     1 |  -300.0 |   3,001 | -300.0 | -300.0 | -400.0 |   1,000 |

            Returns of evaluations. Maximum: the greatest over evaluations of the mean over seeds. Area: the mean over all evaluations. Both, and the last evaluation, with
            the 95 % interval of Student's t over seeds. IQM: the interquartile mean over seeds of the last evaluation, with the 95 % interval of the bootstrap.

            ### game, other game

            | label | runs | IQM of normalized last returns |
            |-------|-----:|-------------------------------:|
            | a     |    4 |           0.875 [0.500, 1.000] |
            | b     |    2 |                          0.000 |

            Normalized: 0 is the worst and 1 the best run of these labels in a task, so the numbers compare these labels with one another only.

            """.ReplaceLineEndings("\n"), output);
    }

    [Fact]
    public void LabelsThatAreNotEverywhereAreLeftOutOfTheWhole()
    {
        Write("game", "a", 1, [1]);
        Write("game", "b", 1, [2]);
        Write("game", "c", 1, [100]);
        Write("other", "a", 1, [1]);
        Write("other", "b", 1, [0]);
        string whole = Results().Output.Split("### game, other")[1];
        Assert.DoesNotContain("| c", whole);
        Assert.Matches(@"\| a +\| +2 \| +0\.500 \|\n\| b +\| +2 \| +0\.500 \|", whole);
    }

    [Fact]
    public void CurvesAsNumbersScaled()
    {
        Write("game", "a, b", 1, [1, 3]);
        Write("game", "a, b", 3, [3, 3]);
        Write("other", "c", 2, [0.125]);
        Assert.Equal("""
            task,label,step,mean,low,high,iqm
            game,"a, b",1002,20,-107.062047,147.062047,20
            game,"a, b",2002,30,30,30,30
            other,c,1002,0.25,,,0.25

            """.ReplaceLineEndings("\n"), Results("--curves", "--scale", "2", "--scale", "game=10").Output);
    }

    [Fact]
    public void APanelForEachTaskAndACurveForEachLabel()
    {
        foreach (ulong seed in new ulong[] { 1, 2 })
        {
            Write("game", "a", seed, [-1, 3 + seed]);
            Write("game", "b <&>", seed, [1, 4 + seed]);
            Write("other", "a", seed, [seed, 1]);
        }
        Results("--svg", folder["curves.svg"]);
        XNamespace svg = "http://www.w3.org/2000/svg";
        var picture = XDocument.Load(folder["curves.svg"]).Root!;
        Assert.Equal(svg + "svg", picture.Name);
        var panels = picture.Elements(svg + "g").ToArray();
        Assert.Equal([2, 1], panels.Select(Curves));
        Assert.Equal(["b <&>", "a", "a"], panels.SelectMany(panel => panel.Elements(svg + "text"))
            .Where(text => text.Attribute("fill") is not null).Select(text => text.Value));
        Assert.DoesNotContain("NaN", picture.ToString());

        int Curves(XElement panel) => panel.Descendants(svg + "path").Count(path => (string?)path.Attribute("fill") == "none");
    }

    [Fact]
    public void CurvesOverSecondsOfTraining()
    {
        foreach (ulong seed in new ulong[] { 1, 2 })
        {
            string run = Write("game", "a", seed, [0, 1]);
            File.WriteAllText(Path.Combine(run, "metrics.csv"), $"steps,returnMean,seconds\n1000,0,1\n2000,1,{2 + 2 * seed}\n");
        }
        Results("--seconds", "--svg", folder["curves.svg"]);
        XNamespace svg = "http://www.w3.org/2000/svg";
        var picture = XDocument.Load(folder["curves.svg"]).Root!;
        Assert.Contains(picture.Descendants(svg + "text"), text => text.Value == "seconds of training");
        // From 1 s to the mean of 4 and 6, which is the end of an axis of 300.
        string curve = (string)picture.Descendants(svg + "path").Single(path => (string?)path.Attribute("fill") == "none").Attribute("d")!;
        Assert.Matches(@"^M60\.0 [\d.]+L300\.0 [\d.]+$", curve);
        Write("game", "b", 1, [1]);
        Fails("the runs of 'b' in 'game' have no column 'seconds'", folder.Path, "--seconds", "--svg", folder["curves.svg"]);
    }

    [Fact]
    public void ColorsCanBeReadOnLightAndOnDark()
        => Assert.All([.. CurveChart.Colors, CurveChart.Ink], color =>
        {
            Assert.InRange(Contrast.Between(color, "#ffffff"), 3, 21);
            Assert.InRange(Contrast.Between(color, "#0d1117"), 3, 21);
        });

    [Theory]
    [InlineData(new double[] { }, new double[] { })]
    [InlineData(new double[] { 50 }, new double[] { 50 })]
    [InlineData(new double[] { 10, 40, 41, 90 }, new double[] { 10, 35.5, 45.5, 90 })]
    [InlineData(new double[] { -5, -5, 99, 120 }, new double[] { 0, 10, 90, 100 })]
    [InlineData(new double[] { 40, 40, 40, 55 }, new double[] { 28.75, 38.75, 48.75, 58.75 })]
    public void NamesAreMovedAsLittleAsCanBe(double[] wanted, double[] places)
        => Assert.Equal(places, CurveChart.Spread(wanted, distance: 10, end: 100));

    [Theory]
    [InlineData(1.08, 6, 0.2)]
    [InlineData(1_000_100, 5, 200_000)]
    [InlineData(2_050_000, 5, 500_000)]
    [InlineData(50, 5, 10)]
    [InlineData(9.7, 5, 2)]
    public void Ticks(double range, int count, double tick) => Assert.Equal(tick, CurveChart.Tick(range, count), 1e-9);

    [Fact]
    public void OneLineSaysWhatIsWrong()
    {
        Write("game", "a", 1, [1, 2]);
        string run = Path.Combine(folder.Path, "game", "a", "1");
        Fails("a folder of runs is needed; see results --help");
        Fails($"there is no folder '{folder["nowhere"]}'", folder["nowhere"]);
        Fails($"there is no run in the folder '{Directory.CreateDirectory(folder["empty"])}'", folder["empty"]);
        Fails("'--svgg' is not understood; see results --help", folder.Path, "--svgg");
        Fails("option '--svg' needs a value", folder.Path, "--svg");
        Fails("option '--scale' needs a number above 0, not 'game=-1'", folder.Path, "--scale", "game=-1");
        Fails("unknown task 'gam'; did you mean 'game'?", folder.Path, "--scale", "gam=2");
        Fails($"there is no file '{folder["p.csv"]}'", folder.Path, "--published", folder["p.csv"]);
        File.WriteAllText(folder["p.csv"], "task,label,value,source\ngame,a,1\n");
        Fails($"'{folder["p.csv"]}' has a line that is not task,label,value,source, or is there twice: game,a,1", folder.Path, "--published", folder["p.csv"]);
        Fails("none of the runs is finished", Write("slow", "a", 1, [1], finished: false));

        string copy = Write("game", "a", 2, [1, 2, 3]);
        Fails($"runs of one label must differ in the seed alone, but '{run}' and '{copy}' were not evaluated at the same steps", folder.Path);
        Write("game", "a", 2, [1, 2], setting: 3);
        Fails($"runs of one label must differ in the seed alone, but '{run}' and '{copy}' differ in 'hidden'", folder.Path);
        Directory.Delete(copy, recursive: true);
        copy = Write(Path.Combine("copy", "game"), "a", 1, [1, 2]);
        Fails($"runs of one label must differ in the seed alone, but '{copy}' and '{run}' have the same seed", folder.Path);
        File.WriteAllText(Path.Combine(copy, "metrics.csv"), "steps,returnMean\n100,?\n");
        Fails($"'{Path.Combine(copy, "metrics.csv")}' has a row without a number for 'returnMean': 100,?", copy);
        File.Delete(Path.Combine(copy, "metrics.csv"));
        Fails($"'{Path.Combine(copy, "metrics.csv")}' holds no evaluations: columns 'steps' and 'returnMean' are needed, and a row", copy);
        Directory.Move(run, folder["a-1"]);
        Fails($"'{folder["a-1"]}' holds the run of seed 1; its folder must be <task>/<label>/1", folder["a-1"]);
    }

    /// <summary>The runs of the real command.</summary>
    [Fact]
    public void ASweepBecomesATable()
    {
        File.WriteAllText(folder["sweep.json"], """
            {"environments": "two-step", "training": {"steps": 600, "evaluationInterval": 200}, "runs": [
              {"algorithms": "vdn", "label": "sum", "seeds": "1-2", "options": {"hidden": 8}},
              {"algorithms": "iql", "label": "alone", "seeds": 1}]}
            """);
        Cli.MarlProcess.Run(folder.Path, "sweep", "sweep.json", "--out", folder.Path).HasSucceeded();
        var (output, notes) = Results();
        Assert.Equal("", notes);
        Assert.Matches(@"### two-step\n\n`two-step`\n\n\| label .*\n.*\n\| alone +\| +1 \|.*\n\| sum +\| +2 \| [678]\.\d{3} ± ", output);
    }

    /// <summary>A run with an evaluation every thousand steps and a few more, as many as the seed.</summary>
    private string Write(string task, string label, ulong seed, double[] returns, bool finished = true, int setting = 1)
    {
        string run = Directory.CreateDirectory(Path.Combine(folder.Path, task, label, $"{seed}")).FullName;
        File.WriteAllText(Path.Combine(run, "config.json"),
            $$"""{"environment": "env of {{task}}", "training": {"seed": {{seed}} }, "options": {"hidden": {{setting}} } }""");
        File.WriteAllText(Path.Combine(run, "summary.json"),
            $$"""{"seed": {{seed}}, "stepsPerSecond": {{seed}}e3, "finished": {{(finished ? "true" : "false")}} }""");
        File.WriteAllLines(Path.Combine(run, "metrics.csv"),
            ["steps,loss,returnMean", .. returns.Select((value, k) => $"{1000 * (ulong)(k + 1) + seed},0.5,{value.ToString(CultureInfo.InvariantCulture)}")]);
        return run;
    }

    private (string Output, string Notes) Results(params string[] options)
    {
        using StringWriter output = new() { NewLine = "\n" }, notes = new() { NewLine = "\n" };
        Assert.Equal(0, ResultsCommand.Run([folder.Path, .. options], output, notes));
        return (output.ToString().ReplaceLineEndings("\n"), notes.ToString());
    }

    private static void Fails(string line, params string[] words)
        => Assert.Equal(line, Assert.Throws<UsageException>(() => ResultsCommand.Run(words, TextWriter.Null, TextWriter.Null)).Message.Split('\n')[0]);
}
