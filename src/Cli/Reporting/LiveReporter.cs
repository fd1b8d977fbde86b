using System.Diagnostics;
using Marl.Native.Rl;
using Spectre.Console;
using IRenderable = Spectre.Console.Rendering.IRenderable;

namespace Marl.Native.Cli.Reporting;

/// <summary>Shows a live view of a run in a terminal: progress bar, learning curve and metrics.</summary>
/// <param name="console">The terminal.</param>
internal sealed class LiveReporter(IAnsiConsole console) : IReporter
{
    /// <summary>The minimum size of the terminal.</summary>
    public const int MinWidth = 20, MinHeight = 4;

    /// <summary>The maximum height of the view that remains after the run.</summary>
    private const int MaxFinalHeight = 20;

    /// <summary>The width from which the steps, their speed and the remaining time are beside the bar, not below it.</summary>
    private const int WideWidth = 80;

    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(0.1);

    private readonly LiveScreen screen = new(console);
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly Lock changing = new();
    private TrainingProgress? last;
    private long steps, firstSteps;

    /// <inheritdoc/>
    public TrainingSummary Run(Trainer trainer, string folder, CancellationToken stop)
    {
        var run = trainer.Configuration;
        var curve = new LearningCurve(run.Training.Steps);
        // The steps per second are those of this process; a resumed run took its first steps in another one.
        (steps, firstSteps) = (trainer.Steps, trainer.Steps);
        TrainingSummary? summary = null;
        screen.Run(() =>
        {
            // Drawn by a timer, because rounds may be long and the terminal may be resized at any time.
            using var timer = new Timer(_ => Draw(), null, TimeSpan.Zero, Refresh);
            summary = trainer.Run(Add, AddRound, stop);
        });
        string[] lines = [.. Text.Summary(summary!, folder)];
        console.Write(Frame(run, curve, screen.Width, Math.Min(MaxFinalHeight, screen.Height - lines.Length - 1)));
        foreach (string line in lines)
        {
            console.Profile.Out.Writer.WriteLine(line);
        }
        return summary!;

        void Add(TrainingProgress row)
        {
            lock (changing)
            {
                last = row;
                curve.AddEvaluation(row.Steps, row.Evaluation.Mean);
            }
        }

        void AddRound(long now, double mean)
        {
            lock (changing)
            {
                steps = now;
                curve.AddRound(now, mean);
            }
        }

        void Draw()
        {
            lock (changing)
            {
                string hint = stop.IsCancellationRequested ? $"stopping: saving to {folder} .. ({Text.StopAgain})" : "Ctrl-C saves and stops";
                screen.Draw(Frame(run, curve, screen.Width, screen.Height, hint));
            }
        }
    }

    /// <inheritdoc cref="LiveScreen.Restore"/>
    public void Restore() => screen.Restore();

    /// <summary>Lays out the view. If the terminal is low, the chart is left out first, then the last metrics.</summary>
    private Rows Frame(RunConfiguration run, LearningCurve curve, int width, int height, string? hint = null)
    {
        IRenderable[] bottom = hint is null ? [] : [Line(hint, width, Color.Grey)];
        IRenderable[] top = [Line(Text.Title(run), width, new Style(decoration: Decoration.Bold)), .. Bar(run.Training.Steps, width)];
        top = [.. top.Take(height - bottom.Length)];
        IRenderable[] metrics = [.. Flow(Metrics(curve), width).Take(height - top.Length - bottom.Length)];
        int room = height - top.Length - metrics.Length - bottom.Length;
        IEnumerable<IRenderable> chart = room >= LearningCurve.MinHeight && width >= LearningCurve.MinWidth ? curve.Draw(width, room) : [];
        return new Rows([.. top, .. chart, .. metrics, .. bottom]);
    }

    private IEnumerable<IRenderable> Bar(long total, int width)
    {
        double done = Math.Min(1, (double)steps / total), speed = (steps - firstSteps) / watch.Elapsed.TotalSeconds;
        string left = steps >= total ? "done" : speed > 0 ? $"{Text.Duration((total - steps) / speed)} left" : "..";
        string percent = $" {done,4:P0}";
        string[] items = [$"{Text.Count(steps)} steps", $"{Text.Count(speed)} steps/s", left];
        bool wide = width >= WideWidth;
        string beside = wide ? $"{percent}  {string.Join("  ", items)}" : percent;
        int room = Math.Max(1, width - beside.Length), full = (int)(done * room);
        yield return new Paragraph { Overflow = Overflow.Crop }
            .Append(new string('━', full), Color.Green).Append(new string('─', room - full), Color.Grey).Append(beside);
        foreach (var line in wide ? [] : Flow(items.Select(item => ("", item)), width))
        {
            yield return line;
        }
    }

    private IEnumerable<(string Name, string Value)> Metrics(LearningCurve curve)
    {
        if (last is not null)
        {
            yield return ("return", $"{Text.Number(last.Evaluation.Mean)} ± {Text.Number(last.Evaluation.StandardDeviation)}");
        }
        if (!double.IsNaN(curve.TrainingReturn))
        {
            yield return ("training", Text.Number(curve.TrainingReturn));
        }
        if (last is not null)
        {
            yield return ("length", Text.Number(last.EpisodeLength));
            yield return ("exploration", Text.Number(last.Exploration));
            yield return ("loss", Text.Number(last.Update.Loss));
            yield return ("updates", Text.Count(last.Updates));
        }
    }

    private static Paragraph Line(string text, int width, Style style) => new(text.Length > width ? $"{text[..(width - 1)]}…" : text, style);

    /// <summary>Wraps names and values into lines of at most <paramref name="width"/> columns.</summary>
    private static IEnumerable<IRenderable> Flow(IEnumerable<(string Name, string Value)> items, int width)
    {
        Paragraph? line = null;
        int used = 0;
        foreach (var (name, value) in items)
        {
            int length = name.Length + value.Length + (name == "" ? 0 : 1);
            if (line is not null && used + 2 + length > width)
            {
                yield return line;
                line = null;
            }
            used = line is null ? length : used + 2 + length;
            line = line?.Append("  ") ?? new Paragraph { Overflow = Overflow.Crop };
            line.Append(name == "" ? "" : $"{name} ", Color.Grey).Append(value);
        }
        if (line is not null)
        {
            yield return line;
        }
    }
}
