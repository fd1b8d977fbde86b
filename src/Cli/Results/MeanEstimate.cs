namespace Marl.Native.Cli.Results;

/// <summary>The mean of a sample with its 95 % confidence interval by Student's t with n - 1 degrees of freedom. The interval of a single value is the value.</summary>
internal sealed record MeanEstimate
{
    private const double Confidence = 0.95;

    /// <summary>With more degrees of freedom the quantile differs only in the fifth digit.</summary>
    private const int MaxDegrees = 10_000;

    /// <summary>Computes the estimate.</summary>
    /// <param name="values">The sample: at least one value.</param>
    public MeanEstimate(IReadOnlyCollection<double> values)
    {
        IsInterval = values.Count > 1;
        Mean = values.Average();
        double squares = values.Sum(value => (value - Mean) * (value - Mean));
        StandardDeviation = Math.Sqrt(squares / Math.Max(1, values.Count - 1));
        StandardError = StandardDeviation / Math.Sqrt(values.Count);
        (Min, Max) = (values.Min(), values.Max());
        double half = values.Count > 1 ? StudentQuantile(Math.Min(values.Count - 1, MaxDegrees)) * StandardError : 0;
        (Low, High) = (Mean - half, Mean + half);
    }

    /// <summary>Whether there are several values, so that the interval means something.</summary>
    public bool IsInterval { get; }

    /// <summary>The mean.</summary>
    public double Mean { get; }

    /// <summary>The standard deviation of the values, with divisor n - 1.</summary>
    public double StandardDeviation { get; }

    /// <summary>The standard error of the mean: standard deviation / sqrt(n).</summary>
    public double StandardError { get; }

    /// <summary>The bounds of the 95 % confidence interval of the mean.</summary>
    public double Low { get; }

    /// <inheritdoc cref="Low"/>
    public double High { get; }

    /// <summary>The smallest value.</summary>
    public double Min { get; }

    /// <summary>The largest value.</summary>
    public double Max { get; }

    /// <summary>Returns the t for which P(-t &lt; T &lt; t) is 0.95, found by bisection.</summary>
    internal static double StudentQuantile(int degrees)
    {
        double low = 0, high = Math.PI / 2;
        for (int halvings = 0; halvings < 60; halvings++)
        {
            double middle = (low + high) / 2;
            (low, high) = Probability(middle, degrees) < Confidence ? (middle, high) : (low, middle);
        }
        return Math.Sqrt(degrees) * Math.Tan(low);
    }

    /// <summary>Returns P(|T| &lt; sqrt(n) tan(angle)) of Student's t with n degrees of freedom: a finite series (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).</summary>
    private static double Probability(double angle, int degrees)
    {
        bool isEven = degrees % 2 == 0;
        double cosine = Math.Cos(angle), term = isEven ? 1 : cosine, sum = 0;
        for (int power = isEven ? 0 : 1; power <= degrees - 2; power += 2)
        {
            sum += term;
            term *= cosine * cosine * (power + 1) / (power + 2);
        }
        return isEven ? Math.Sin(angle) * sum : 2 / Math.PI * (angle + Math.Sin(angle) * sum);
    }
}
