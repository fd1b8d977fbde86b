using System.Diagnostics;
using Marl.Native.Rl;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Marl.Native.Cli.Reporting;

/// <summary>For people: one picture, drawn over and over, of how far the run is and what it has learned.</summary>
/// <param name="console">where.</param>
internal sealed class LiveReporter(IAnsiConsole console) : IReporter
{
    private const int ChartHeight = 8, LabelWidth = 9, MostWidth = 110;
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(0.1);

    private readonly List<(double X, double Y)> curve = [];
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private TimeSpan drawn = -Refresh;
    private TrainingProgress? last;
    private long steps, firstSteps = -1;
    private double roundReturn;

    /// <inheritdoc/>
    public TrainingSummary Watch(Trainer trainer, string folder, CancellationToken stop)
    {
        var run = trainer.Configuration;
        TrainingSummary? summary = null;
        console.Live(Frame(run)).Start(picture =>
        {
            summary = trainer.Run(
                progress: row =>
                {
                    last = row;
                    curve.Add((row.Steps, row.Evaluation.Mean));
                    picture.UpdateTarget(Frame(run));
                },
                tick: (now, mean) =>
                {
                    // The speed is that of this process: a resumed run did not play its first steps now.
                    firstSteps = firstSteps < 0 ? now : firstSteps;
                    (steps, roundReturn) = (now, mean);
                    if (watch.Elapsed - drawn >= Refresh)
                    {
                        drawn = watch.Elapsed;
                        picture.UpdateTarget(Frame(run));
                    }
                },
                stop);
            picture.UpdateTarget(Frame(run));
        });
        foreach (string line in Text.Summary(summary!, folder))
        {
            console.Profile.Out.Writer.WriteLine(line);
        }
        return summary!;
    }

    private Rows Frame(RunConfiguration run)
    {
        int width = Math.Min(console.Profile.Width, MostWidth) - 1;
        long total = run.Training.Steps;
        return new Rows([new Markup($"[bold]{Markup.Escape(Text.Title(run))}[/]"), Bar(total, width), .. Chart(total, width), Numbers()]);
    }

    private Markup Bar(long total, int width)
    {
        double done = Math.Min(1, (double)steps / total), speed = (steps - Math.Max(0, firstSteps)) / watch.Elapsed.TotalSeconds;
        string left = steps >= total ? "done" : speed > 0 ? $"{Text.Duration((total - steps) / speed)} left" : "..";
        string words = $" {done,4:P0}  {Text.Count(steps)} steps  {Text.Count(speed)} steps/s  {left}";
        int room = Math.Max(10, width - words.Length), full = (int)(done * room);
        return new Markup($"[green]{new string('━', full)}[/][gray]{new string('━', room - full)}[/]{words}");
    }

    private IEnumerable<Spectre.Console.Rendering.IRenderable> Chart(long total, int width)
    {
        var heights = curve.Select(point => point.Y);
        double low = heights.DefaultIfEmpty(0).Min(), high = heights.DefaultIfEmpty(1).Max();
        (low, high) = high > low ? (low, high) : (low - 0.5, high + 0.5);
        string[] rows = BrailleChart.Draw(curve, total, low, high, width - LabelWidth - 2, ChartHeight);
        yield return new Markup($"[gray]{"return",LabelWidth}[/]");
        for (int i = 0; i < rows.Length; i++)
        {
            string label = i == 0 ? Text.Number(high) : i == rows.Length - 1 ? Text.Number(low) : "";
            yield return new Markup($"[gray]{label,LabelWidth}│[/][green]{rows[i]}[/]");
        }
        string right = $"{Text.Count(total)} steps";
        yield return new Markup($"[gray]{new string(' ', LabelWidth)}0{right.PadLeft(width - LabelWidth - 2)}[/]");
    }

    private Markup Numbers() => new(last is null
        ? $"round {Text.Number(roundReturn)}"
        : $"return [bold]{Text.Number(last.Evaluation.Mean)}[/] ± {Text.Number(last.Evaluation.StandardDeviation)}  " +
          $"round {Text.Number(roundReturn)}  length {Text.Number(last.EpisodeLength)}  explore {Text.Number(last.Exploration)}  " +
          $"loss {Text.Number(last.Update.Loss)}  updates {Text.Count(last.Updates)}");
}
