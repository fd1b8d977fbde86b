using System.Security;
using System.Text;
using Marl.Native.Cli.Results;

namespace Marl.Native.Bench.Results;

/// <summary>
/// Draws the mean curves with their 95 % bands as SVG, a panel for every task. A label has one color in all panels, and its name stands at the end of
/// its curve. There is no background, and every color has a contrast of at least 3 to white and to near-black, so it can be read on either.
/// </summary>
internal sealed class CurveChart
{
    /// <summary>Of labels, in their order; beyond these they begin anew, dashed.</summary>
    public static readonly string[] Colors = ["#3b7dd8", "#d9730d", "#2a9d5c", "#c44fa0", "#8f851a", "#d64545", "#1f93a5", "#8a63d2", "#a0674b"];

    /// <summary>Of text and axes.</summary>
    public const string Ink = "#7d7d7d";

    private const double Width = 300, Height = 190, Left = 52, Top = 30, Bottom = 44, LineHeight = 13, Letter = 6.4;
    private const int Columns = 3;

    private readonly StringBuilder svg = new();
    private readonly string[] labels;
    private readonly double right;
    private readonly bool overSeconds;

    private CurveChart(IReadOnlyList<Series> all, bool overSeconds)
    {
        this.overSeconds = overSeconds;
        labels = [.. all.Select(series => series.Label).Distinct().Order(StringComparer.Ordinal)];
        right = 22 + Letter * labels.Max(label => label.Length);
        var tasks = all.GroupBy(series => series.Task).ToArray();
        int columns = Math.Min(Columns, tasks.Length), rows = (tasks.Length + columns - 1) / columns;
        double cellWidth = Left + Width + right, cellHeight = Top + Height + Bottom;
        double width = columns * cellWidth, height = rows * cellHeight;
        svg.AppendLine($"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:F0} {height:F0}" width="{width:F0}" height="{height:F0}"
              font-family="system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif" font-size="11" fill="{Ink}">
            <title>Mean return of evaluations over {(overSeconds ? "seconds of training" : "environment steps")}, with 95 % bands</title>
            """);
        for (int i = 0; i < tasks.Length; i++)
        {
            svg.AppendLine($"""<g transform="translate({i % columns * cellWidth + Left:F0} {i / columns * cellHeight + Top:F0})">""");
            DrawPanel([.. tasks[i]], i);
            svg.AppendLine("</g>");
        }
        svg.AppendLine("</svg>");
    }

    /// <summary>The picture's text.</summary>
    /// <param name="all">what is drawn.</param>
    /// <param name="overSeconds">whether the horizontal axis is seconds of training; else environment steps.</param>
    public static string Draw(IReadOnlyList<Series> all, bool overSeconds = false) => new CurveChart(all, overSeconds).svg.ToString();

    /// <summary>The places of texts, so that none covers another and the sum of squares of what they are moved by is least: less i distances the
    /// places must not fall, which is isotonic regression, solved by pooling adjacent violators (Barlow et al. 1972).</summary>
    /// <param name="wanted">from top to bottom.</param>
    /// <param name="distance">between two texts.</param>
    /// <param name="end">the lowest place; the highest is 0. Where all do not fit they go on beyond it.</param>
    public static double[] Spread(double[] wanted, double distance, double end)
    {
        Stack<(double Mean, int Count)> pools = [];
        for (int i = 0; i < wanted.Length; i++)
        {
            (double Mean, int Count) pool = (wanted[i] - i * distance, 1);
            while (pools.TryPeek(out var above) && above.Mean > pool.Mean)
            {
                pools.Pop();
                int count = above.Count + pool.Count;
                pool = ((above.Mean * above.Count + pool.Mean * pool.Count) / count, count);
            }
            pools.Push(pool);
        }
        double most = Math.Max(0, end - (wanted.Length - 1) * distance);
        return [.. pools.Reverse().SelectMany(pool => Enumerable.Repeat(Math.Clamp(pool.Mean, 0, most), pool.Count)).Select((place, i) => place + i * distance)];
    }

    /// <summary>1, 2 or 5 times a power of ten, so that a range has <paramref name="count"/> of them or somewhat fewer.</summary>
    public static double Tick(double range, int count)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(range / count)));
        return power * Array.Find([1, 2, 5, 10], factor => factor * power * count >= range * 0.999);
    }

    private void DrawPanel(Series[] task, int number)
    {
        // The range is that of the single runs; the bands of few seeds may exceed it and are clipped.
        double low = task.Min(series => series.Returns.Min(seeds => seeds.Min())), high = task.Max(series => series.Returns.Max(seeds => seeds.Max()));
        double margin = high > low ? 0.04 * (high - low) : 0.5;
        (low, high) = (low - margin, high + margin);
        double last = task.Max(series => At(series)[^1]);
        double X(double step) => Width * step / last;
        double Y(double value) => Height * (high - value) / (high - low);

        svg.AppendLine($"""<text y="-12"><tspan font-size="13" font-weight="600">{Text(task[0].Task)}</tspan> return</text>""");
        double tick = Tick(high - low, 6);
        string digits = $"F{Math.Max(0, -Math.Floor(Math.Log10(tick) + 1e-9)):F0}";
        for (long i = (long)Math.Ceiling(low / tick); i * tick <= high; i++)
        {
            svg.AppendLine($"""
                <path d="M0 {Y(i * tick):F1}H{Width:F0}" stroke="{Ink}" stroke-opacity="0.25"/>
                <text x="-7" y="{Y(i * tick) + 4:F1}" text-anchor="end">{(i * tick).ToString(digits)}</text>
                """);
        }
        tick = Tick(last, 5);
        for (long i = 0; i * tick <= last * 1.001; i++)
        {
            svg.AppendLine($"""
                <path d="M{X(i * tick):F1} {Height:F0}v4" stroke="{Ink}"/>
                <text x="{X(i * tick):F1}" y="{Height + 16:F0}" text-anchor="middle">{Count(i * tick)}</text>
                """);
        }
        svg.AppendLine($"""
            <path d="M0 {Height:F0}H{Width:F0}" stroke="{Ink}"/>
            <text x="{Width / 2:F0}" y="{Height + 32:F0}" text-anchor="middle">{(overSeconds ? "seconds of training" : "environment steps")}</text>
            <clipPath id="panel{number}"><rect width="{Width:F0}" height="{Height:F0}"/></clipPath>
            <g clip-path="url(#panel{number})">
            """);
        foreach (var series in task.Where(series => series.Seeds > 1))
        {
            var above = At(series).Zip(series.Means, (step, mean) => (X(step), Y(mean.High)));
            var below = At(series).Zip(series.Means, (step, mean) => (X(step), Y(mean.Low)));
            svg.AppendLine($"""<path d="{Line(above.Concat(below.Reverse()))}Z" fill="{Color(series)}" fill-opacity="0.13"/>""");
        }
        foreach (var series in task)
        {
            var curve = At(series).Zip(series.Means, (step, mean) => (X(step), Y(mean.Mean)));
            svg.AppendLine($"""
                <path d="{Line(curve)}" fill="none" stroke="{Color(series)}" stroke-width="1.8" stroke-linejoin="round" {Dashes(series)}/>
                """);
        }
        svg.AppendLine("</g>");
        DrawNames(task, X, Y);
    }

    private void DrawNames(Series[] task, Func<double, double> x, Func<double, double> y)
    {
        double Last(Series series) => y(series.Means[^1].Mean);
        Series[] ordered = [.. task.OrderBy(Last)];
        foreach (var (series, place) in ordered.Zip(Spread([.. ordered.Select(Last)], LineHeight, Height)))
        {
            string end = $"M{x(At(series)[^1]) + 2:F1} {Last(series):F1}", color = Color(series);
            svg.AppendLine($"""
                <path d="{end}L{Width + 13:F0} {place:F1}" stroke="{color}" stroke-opacity="0.6"/>
                <text x="{Width + 16:F0}" y="{place + 4:F1}" font-weight="600" fill="{color}">{Text(series.Label)}</text>
                """);
        }
    }

    private double[] At(Series series) => overSeconds ? series.Seconds : series.Steps;

    private string Color(Series series) => Colors[Array.IndexOf(labels, series.Label) % Colors.Length];

    private string Dashes(Series series)
        => Array.IndexOf(labels, series.Label) / Colors.Length is > 0 and var round ? $"stroke-dasharray=\"{6.0 / round:0.#} 3\"" : "";

    private static string? Text(string name) => SecurityElement.Escape(name);

    private static string Line(IEnumerable<(double X, double Y)> points) => "M" + string.Join("L", points.Select(point => $"{point.X:F1} {point.Y:F1}"));

    /// <summary>2M, 250k, 3000.</summary>
    private static string Count(double steps) => steps switch
    {
        >= 1e6 => $"{steps / 1e6:0.##}M",
        >= 1e4 => $"{steps / 1e3:0.##}k",
        _ => $"{steps:0}",
    };
}
