using System.Diagnostics;
using Marl.Native.Rl;
using Spectre.Console;
using IRenderable = Spectre.Console.Rendering.IRenderable;

namespace Marl.Native.Cli.Reporting;

/// <summary>For people: one picture, drawn over and over, of how far the run is and what it has learned.</summary>
/// <param name="console">where.</param>
internal sealed class LiveReporter(IAnsiConsole console) : IReporter
{
    /// <summary>The least terminal.</summary>
    public const int LeastWidth = 20, LeastHeight = 4;

    /// <summary>Of the picture that stays when the run is over.</summary>
    private const int LastHeight = 20;

    /// <summary>From here on the words about the steps stand beside the bar, not below.</summary>
    private const int WideBar = 80;

    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(0.1);

    private readonly LiveScreen screen = new(console);
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly Lock changing = new();
    private TrainingProgress? last;
    private long steps, firstSteps;
    private bool over;

    /// <inheritdoc/>
    public TrainingSummary Watch(Trainer trainer, string folder, CancellationToken stop)
    {
        var run = trainer.Configuration;
        var curve = new LearningCurve(run.Training.Steps);
        // The speed is that of this process: a resumed run did not play its first steps now.
        (steps, firstSteps) = (trainer.Steps, trainer.Steps);
        TrainingSummary? summary = null;
        screen.Run(() =>
        {
            // By the clock and not by rounds: these may be long, and the size of the terminal can change at any time.
            using var timer = new Timer(_ => Draw(), null, TimeSpan.Zero, Refresh);
            try
            {
                summary = trainer.Run(Add, AddRound, stop);
            }
            finally
            {
                lock (changing)
                {
                    over = true;
                }
            }
        });
        string[] words = [.. Text.Summary(summary!, folder)];
        console.Write(Frame(run, curve, screen.Width, Math.Min(LastHeight, screen.Height - words.Length - 1)));
        foreach (string line in words)
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
                if (!over)
                {
                    string hint = stop.IsCancellationRequested ? $"stopping: saving to {folder} .. ({Text.StopAgain})" : "Ctrl-C saves and stops";
                    screen.Draw(Frame(run, curve, screen.Width, screen.Height, hint));
                }
            }
        }
    }

    /// <summary>The chart gives way to the bar, the figures and the hint, and the last figures to the rest.</summary>
    private Rows Frame(RunConfiguration run, LearningCurve curve, int width, int height, string? hint = null)
    {
        IRenderable[] bottom = hint is null ? [] : [Line(hint, width, Color.Grey)];
        IRenderable[] top = [Line(Text.Title(run), width, new Style(decoration: Decoration.Bold)), .. Bar(run.Training.Steps, width)];
        top = [.. top.Take(height - bottom.Length)];
        IRenderable[] figures = [.. Flow(Figures(curve), width).Take(height - top.Length - bottom.Length)];
        int room = height - top.Length - figures.Length - bottom.Length;
        IEnumerable<IRenderable> chart = room >= LearningCurve.LeastHeight && width >= LearningCurve.LeastWidth ? curve.Draw(width, room) : [];
        return new Rows([.. top, .. chart, .. figures, .. bottom]);
    }

    private IEnumerable<IRenderable> Bar(long total, int width)
    {
        double done = Math.Min(1, (double)steps / total), speed = (steps - firstSteps) / watch.Elapsed.TotalSeconds;
        string left = steps >= total ? "done" : speed > 0 ? $"{Text.Duration((total - steps) / speed)} left" : "..";
        string percent = $" {done,4:P0}";
        string[] words = [$"{Text.Count(steps)} steps", $"{Text.Count(speed)} steps/s", left];
        bool wide = width >= WideBar;
        string beside = wide ? $"{percent}  {string.Join("  ", words)}" : percent;
        int room = Math.Max(1, width - beside.Length), full = (int)(done * room);
        yield return new Paragraph { Overflow = Overflow.Crop }
            .Append(new string('━', full), Color.Green).Append(new string('─', room - full), Color.Grey).Append(beside);
        foreach (var line in wide ? [] : Flow(words.Select(word => ("", word)), width))
        {
            yield return line;
        }
    }

    private IEnumerable<(string Name, string Value)> Figures(LearningCurve curve)
    {
        if (last is not null)
        {
            yield return ("return", $"{Text.Number(last.Evaluation.Mean)} ± {Text.Number(last.Evaluation.StandardDeviation)}");
        }
        if (!double.IsNaN(curve.Training))
        {
            yield return ("training", Text.Number(curve.Training));
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

    /// <summary>Words one after the other, in lines that are not too long.</summary>
    private static IEnumerable<IRenderable> Flow(IEnumerable<(string Name, string Value)> words, int width)
    {
        Paragraph? line = null;
        int used = 0;
        foreach (var (name, value) in words)
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
