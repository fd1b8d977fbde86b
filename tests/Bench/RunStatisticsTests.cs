using Marl.Native.Bench.Results;
using Marl.Native.Cli.Results;

namespace Marl.Native.Tests;

/// <summary>Statistics of few runs against SciPy 1.10.1.</summary>
public sealed class RunStatisticsTests
{
    private static readonly double[] Five = [0.75, 0.95, 0.88, 0.99, 0.77];
    private static readonly double[] Ten = [3.1, -2.0, 0.5, 7.25, 4.0, 1.5, -0.75, 2.0, 6.5, 100.0];

    // scipy.stats.trim_mean(x, 0.25), which is what rliable calls IQM
    public static TheoryData<double[], double> TrimmedMeans => new()
    {
        { [2], 2 },
        { [1, 4], 2.5 },
        { [9, 1, 2], 4 },
        { [9, 1, 2, 4], 3 },
        { Five, 0.8666666666666666 },
        { Ten, 2.9333333333333336 },
    };

    [Theory]
    [MemberData(nameof(TrimmedMeans))]
    public void InterquartileMean(double[] values, double expected)
    {
        double[] before = [.. values];
        Assert.Equal(expected, RunStatistics.InterquartileMean(values), 1e-14);
        Assert.Equal(before, values);
    }

    // scipy.stats.t.interval(0.95, n - 1, loc=x.mean(), scale=scipy.stats.sem(x))
    public static TheoryData<double[], double, double, double> Intervals => new()
    {
        { [1, 4], 2.5, -16.55930710464814, 21.55930710464814 },
        { Five, 0.868, 0.735892552201595, 1.0001074477984049 },
        { Ten, 12.209999999999999, -9.955349090336538, 34.375349090336535 },
    };

    [Theory]
    [MemberData(nameof(Intervals))]
    public void MeanWithStudentsInterval(double[] values, double mean, double low, double high)
    {
        var estimate = new MeanEstimate(values);
        Assert.Equal(mean, estimate.Mean, 1e-12);
        Assert.Equal(low, estimate.Low, 1e-9);
        Assert.Equal(high, estimate.High, 1e-9);
    }

    // scipy.stats.bootstrap(tasks, lambda *x, axis: trim_mean(np.concatenate(x, axis=-1), 0.25, axis=axis), method='percentile',
    // n_resamples=400000): it draws each sample by itself, and so stratifies. Without strata the last would be [0.12, 10.17].
    public static TheoryData<double[][], double, double, double> Bootstraps => new()
    {
        { [Five], 0.8666666666666666, 0.7566666666666667, 0.9766666666666666 },
        { [[0.1, 0.9, 0.4, 0.5, 0.7], [0.0, 1.0, 0.25], [0.6, 0.65, 0.7, 0.5]], 0.5583333333333332, 0.375, 0.7166666666666667 },
        { [[0, 0.1, 0.2, 0.05, 0.15, 0.1], [10, 10.2, 10.4, 10.1, 10.3, 10.2]], 5.125, 5.066666666666666, 5.191666666666667 },
    };

    [Theory]
    [MemberData(nameof(Bootstraps))]
    public void StratifiedBootstrap(double[][] tasks, double value, double low, double high)
    {
        var estimate = RunStatistics.BootstrapInterquartileMean(tasks);
        Assert.Equal(value, estimate.Value, 1e-12);
        Assert.Equal(low, estimate.Low, 0.01);
        Assert.Equal(high, estimate.High, 0.01);
        Assert.Equal(estimate, RunStatistics.BootstrapInterquartileMean(tasks));
    }

    [Fact]
    public void OneRunSaysNothingAboutOthers()
    {
        Assert.False(new MeanEstimate([3]).IsInterval);
        Assert.False(RunStatistics.BootstrapInterquartileMean([3], [5]).IsInterval);
        Assert.Equal((3, 4), (new MeanEstimate([3]).Mean, RunStatistics.BootstrapInterquartileMean([3], [5]).Value));
    }

    /// <summary>How often the intervals hold the mean of the normal distribution that runs are drawn from. Student's do in 95 of 100 cases by
    /// construction; those of the bootstrap are narrow for few runs, as the same experiment with NumPy shows (2,000 trials: 0.753, 0.907).</summary>
    [Theory]
    [InlineData(3, 0.753)]
    [InlineData(5, 0.907)]
    public void Coverage(int runs, double bootstrap)
    {
        const int trials = 400;
        Rng rng = new(3);
        int held = 0, student = 0;
        for (int trial = 0; trial < trials; trial++)
        {
            double[] values = new double[runs];
            foreach (ref double value in values.AsSpan())
            {
                value = rng.NextNormal();
            }
            var estimate = RunStatistics.BootstrapInterquartileMean(values);
            MeanEstimate mean = new(values);
            held += Holds(estimate.Low, estimate.High);
            student += Holds(mean.Low, mean.High);
        }
        // About three standard errors of a share of 400.
        Assert.Equal(bootstrap, (double)held / trials, 0.06);
        Assert.Equal(0.95, (double)student / trials, 0.033);

        static int Holds(double low, double high) => low <= 0 && 0 <= high ? 1 : 0;
    }
}
