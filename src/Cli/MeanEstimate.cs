namespace Marl.Native.Cli;

/// <summary>The mean of a sample, and its 95 % interval by Student's t of n - 1 degrees of freedom; of a single value the interval is the value.</summary>
internal sealed record MeanEstimate
{
    private const double Confidence = 0.95;

    /// <summary>Beyond so many degrees of freedom the quantile changes in its fifth digit only.</summary>
    private const int MostDegrees = 10_000;

    /// <summary>Of a sample, one value at least.</summary>
    public MeanEstimate(IReadOnlyCollection<double> values)
    {
        Mean = values.Average();
        double squares = values.Sum(value => (value - Mean) * (value - Mean));
        StandardDeviation = Math.Sqrt(squares / Math.Max(1, values.Count - 1));
        StandardError = StandardDeviation / Math.Sqrt(values.Count);
        (Min, Max) = (values.Min(), values.Max());
        double half = values.Count > 1 ? StudentQuantile(Math.Min(values.Count - 1, MostDegrees)) * StandardError : 0;
        (Low, High) = (Mean - half, Mean + half);
    }

    /// <summary>The mean.</summary>
    public double Mean { get; }

    /// <summary>Of the values, with divisor n - 1.</summary>
    public double StandardDeviation { get; }

    /// <summary>Of the mean: standard deviation / sqrt(n).</summary>
    public double StandardError { get; }

    /// <summary>The ends of the mean's 95 % interval.</summary>
    public double Low { get; }

    /// <inheritdoc cref="Low"/>
    public double High { get; }

    /// <summary>The least value.</summary>
    public double Min { get; }

    /// <summary>The greatest value.</summary>
    public double Max { get; }

    /// <summary>The t for which P(-t &lt; T &lt; t) is 0.95, by bisection.</summary>
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

    /// <summary>P(|T| &lt; sqrt(n) tan(angle)) of Student's t with n degrees of freedom: a finite series (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).</summary>
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
