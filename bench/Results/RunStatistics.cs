using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;

namespace Marl.Native.Bench.Results;

/// <summary>A value and its 95 % interval, whose bounds are not numbers where a single run says nothing about others.</summary>
internal readonly record struct Estimate(double Value, double Low, double High)
{
    /// <summary>Whether there is an interval.</summary>
    public bool IsInterval => double.IsFinite(Low) && double.IsFinite(High);
}

/// <summary>What a few runs say about all the runs that there could be.</summary>
internal static class RunStatistics
{
    /// <summary>How often the bootstrap draws; the stream it draws from is always the same.</summary>
    public const int Resamples = 10_000;

    private const double Tail = 0.025;

    /// <summary>m +- t s / sqrt(n): mean, spread (divisor n - 1) and Student's t of n - 1 degrees of freedom.</summary>
    public static Estimate Mean(double[] values)
    {
        var (mean, spread) = values.MeanStandardDeviation();
        double half = values.Length > 1 ? StudentT.InvCDF(0, 1, values.Length - 1, 1 - Tail) * spread / Math.Sqrt(values.Length) : double.NaN;
        return new(mean, mean - half, mean + half);
    }

    /// <summary>The mean of what is left when the floor(n / 4) least and the floor(n / 4) greatest are taken away: the 25 % trimmed mean that
    /// Agarwal et al. 2021 ("Deep reinforcement learning at the edge of the statistical precipice") call interquartile mean. It is moved less by
    /// one odd run than the mean, and more by all others than the median.</summary>
    public static double InterquartileMean(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return TrimmedMean(sorted);
    }

    /// <summary>The interquartile mean over the runs of all tasks together, with the interval of the stratified percentile bootstrap: each
    /// task's runs are drawn anew, with replacement, as many as there are (Agarwal et al. 2021, section 4).</summary>
    /// <param name="tasks">[tasks][runs] scores that can be compared.</param>
    public static Estimate BootstrapInterquartileMean(params double[][] tasks)
    {
        double[] drawn = [.. tasks.SelectMany(runs => runs)];
        double value = InterquartileMean(drawn);
        if (tasks.All(runs => runs.Length == 1))
        {
            return new(value, double.NaN, double.NaN);
        }
        double[] means = new double[Resamples];
        Rng rng = new(1);
        foreach (ref double mean in means.AsSpan())
        {
            int next = 0;
            foreach (double[] runs in tasks)
            {
                for (int run = 0; run < runs.Length; run++)
                {
                    drawn[next++] = runs[rng.NextInt(runs.Length)];
                }
            }
            Array.Sort(drawn);
            mean = TrimmedMean(drawn);
        }
        Array.Sort(means);
        return new(value, Quantile(Tail), Quantile(1 - Tail));

        // R7 goes linearly from one order statistic to the next, as NumPy does.
        double Quantile(double p) => SortedArrayStatistics.QuantileCustom(means, p, QuantileDefinition.R7);
    }

    private static double TrimmedMean(ReadOnlySpan<double> sorted)
    {
        int cut = sorted.Length / 4;
        double sum = 0;
        foreach (double value in sorted[cut..^cut])
        {
            sum += value;
        }
        return sum / (sorted.Length - 2 * cut);
    }
}
