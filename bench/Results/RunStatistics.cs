using MathNet.Numerics.Statistics;

namespace Marl.Native.Bench.Results;

/// <summary>A value and its 95 % confidence interval; the bounds are NaN for a single run.</summary>
internal readonly record struct Estimate(double Value, double Low, double High)
{
    /// <summary>Whether there is an interval.</summary>
    public bool IsInterval => double.IsFinite(Low) && double.IsFinite(High);
}

/// <summary>Estimates from a sample of runs.</summary>
internal static class RunStatistics
{
    /// <summary>The number of bootstrap samples. The seed is fixed.</summary>
    public const int Resamples = 10_000;

    private const double Tail = 0.025;

    /// <summary>Computes the interquartile mean, the mean without the floor(n / 4) smallest and largest values (Agarwal et al. 2021, "Deep reinforcement
    /// learning at the edge of the statistical precipice"). It is more robust than the mean, and more efficient than the median.</summary>
    public static double InterquartileMean(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return TrimmedMean(sorted);
    }

    /// <summary>Computes the interquartile mean over the runs of all tasks, with the interval of the stratified percentile bootstrap, which resamples each
    /// task's runs with replacement (Agarwal et al. 2021, section 4).</summary>
    /// <param name="tasks">Normalized scores [tasks][runs].</param>
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

        // Linear interpolation between order statistics (R type 7), as in NumPy.
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
