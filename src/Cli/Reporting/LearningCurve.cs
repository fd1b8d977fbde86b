using System.Globalization;
using Spectre.Console;
using IRenderable = Spectre.Console.Rendering.IRenderable;

namespace Marl.Native.Cli.Reporting;

/// <summary>
/// A chart of returns over the steps of a run: a line of training returns, and a mark per evaluation. The right edge is the smallest of total, total / 2,
/// total / 4, .. that is not less than the last step, so the curve fills at least half of the chart.
/// </summary>
/// <param name="total">The number of steps of the whole run.</param>
internal sealed class LearningCurve(long total)
{
    /// <summary>The minimum size in characters: the legend, three rows of the plot and the axis.</summary>
    public const int MinHeight = 5, MinWidth = 30;

    private const char Mark = '●';

    /// <summary>The number of bins of training returns between 0 and the right edge.</summary>
    private const int Bins = 1024;

    /// <summary>The number of bins of the moving average.</summary>
    private const int Window = 32;

    private const int Halvings = 20, RowsPerTick = 4;
    private const double Negligible = 1e-9;

    private readonly (double Sum, long Count)[] training = new (double, long)[Bins];
    private readonly List<(double X, double Y)> evaluations = [];
    private double edge = total / (double)(1 << Halvings);
    private int last = -1;

    /// <summary>The latest moving average of training returns; NaN before the first round.</summary>
    public double TrainingReturn => AverageUntil(last);

    /// <summary>Adds the mean return of a round; NaN if no episode ended in it.</summary>
    public void AddRound(long steps, double mean)
    {
        for (; steps > edge && edge < total; edge *= 2)
        {
            for (int i = 0; i < Bins; i++)
            {
                training[i] = i < Bins / 2 ? Sum(2 * i, 2 * i + 2) : default;
            }
            last /= 2;
        }
        if (!double.IsNaN(mean))
        {
            last = Math.Min(Bins - 1, (int)(steps / edge * Bins));
            training[last] = (training[last].Sum + mean, training[last].Count + 1);
        }
    }

    /// <summary>Adds the mean return of an evaluation.</summary>
    public void AddEvaluation(long steps, double mean) => evaluations.Add((steps, mean));

    /// <summary>Draws the chart: <paramref name="height"/> lines of at most <paramref name="width"/> columns.</summary>
    public IEnumerable<IRenderable> Draw(int width, int height)
    {
        int rows = height - 2;
        // The width of the plot depends on that of the labels, which depends on the range of the points; the width changes that range little.
        var (low, high, step) = Axis(Points(width), rows);
        string[] labels = Labels(low, high, step, rows);
        int margin = labels.Max(label => label.Length), columns = width - margin - 1;
        var points = Points(columns);
        string[] line = BrailleChart.Draw(points, edge, low, high, columns, rows);
        var marks = evaluations.Select(point => BrailleChart.Place(point, edge, low, high, columns, rows)).ToHashSet();
        yield return new Paragraph { Overflow = Overflow.Crop }.Append("return".PadLeft(margin) + " ", Color.Grey)
            .Append($" {Mark} evaluation", Color.Green).Append("  ⠒⠒ training", Color.DodgerBlue1);
        for (int row = 0; row < rows; row++)
        {
            var text = new Paragraph { Overflow = Overflow.Crop }.Append(labels[row].PadLeft(margin) + (labels[row] == "" ? "│" : "┤"), Color.Grey);
            for (int from = 0, to; from < columns; from = to)
            {
                bool marked = marks.Contains((from, row));
                for (to = from + 1; to < columns && marks.Contains((to, row)) == marked; to++)
                {
                }
                text.Append(marked ? new string(Mark, to - from) : line[row][from..to], marked ? Color.Green : Color.DodgerBlue1);
            }
            yield return text;
        }
        string right = $"{Text.Count(edge)} steps";
        yield return new Paragraph { Overflow = Overflow.Crop }.Append($"{"0".PadLeft(margin + 2)}{right.PadLeft(columns - 1)}", Color.Grey);
    }

    /// <summary>The points of the line: the last bin with returns of each column of dots.</summary>
    private (double X, double Y)[] Points(int columns) => [.. from bin in Enumerable.Range(0, last + 1)
                                                              where training[bin].Count > 0
                                                              group bin by bin * columns * BrailleField.Across / Bins into column
                                                              let bin = column.Last()
                                                              select ((bin + 1) * edge / Bins, AverageUntil(bin))];

    private double AverageUntil(int bin)
    {
        var (sum, count) = Sum(Math.Max(0, bin - Window + 1), bin + 1);
        return sum / count;
    }

    private (double Sum, long Count) Sum(int from, int to)
    {
        var (sum, count) = (0.0, 0L);
        foreach (var bin in training.AsSpan(from, to - from))
        {
            (sum, count) = (sum + bin.Sum, count + bin.Count);
        }
        return (sum, count);
    }

    /// <summary>Computes bounds that are multiples of a step of 1, 2 or 5 times a power of ten. If all returns are equal the range includes 0; if all are 0 it is 0 to 1.</summary>
    private (double Low, double High, double Step) Axis((double X, double Y)[] points, int rows)
    {
        double[] returns = [.. points.Concat(evaluations).Select(point => point.Y).Where(double.IsFinite)];
        double low = returns.DefaultIfEmpty(0).Min(), high = returns.DefaultIfEmpty(0).Max(), largest = Math.Max(Math.Abs(low), Math.Abs(high));
        if (largest < Negligible)
        {
            (low, high) = (0, 1);
        }
        else if (high - low < largest * Negligible)
        {
            (low, high) = (Math.Min(0, low), Math.Max(0, high));
        }
        double rough = (high - low) / Math.Max(1, rows / RowsPerTick), power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        return (Math.Floor(low / step + Negligible) * step, Math.Ceiling(high / step - Negligible) * step, step);
    }

    /// <summary>Returns the label of each row; empty for rows without a tick.</summary>
    private static string[] Labels(double low, double high, double step, int rows)
    {
        string[] labels = [.. Enumerable.Repeat("", rows)];
        int ticks = (int)Math.Round((high - low) / step);
        string format = step is >= 1e-6 and < 1e9 ? $"N{Math.Max(0, -(int)Math.Floor(Math.Log10(step) + Negligible))}" : "G4";
        for (int tick = 0; tick <= ticks; tick++)
        {
            double value = low + tick * step;
            int row = (int)Math.Round((1 - (double)tick / ticks) * (rows - 1));
            labels[row] = (Math.Abs(value) < step / 2 ? 0 : value).ToString(format, CultureInfo.InvariantCulture);
        }
        return labels;
    }
}
