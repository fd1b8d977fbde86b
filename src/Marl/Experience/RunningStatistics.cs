namespace Marl.Native.Rl;

/// <summary>
/// Mean and variance of everything seen so far, column by column, for standardizing rewards, returns or observations. Batches
/// are merged by the parallel rule (Chan et al. 1979): with m, v, n of the batch, d = m - mean and total = count + n,
/// <code>
/// mean  = mean + d n / total
/// var   = (var count + v n + d^2 count n / total) / total
/// count = total
/// </code>
/// It begins with mean 0, variance 1 and a count close to 0, and computes in double precision on this process's memory.
/// </summary>
/// <param name="columns">C, how many numbers each row has; 1: all numbers are one column.</param>
/// <param name="count">weight of the mean 0 and the variance 1 that it begins with.</param>
/// <param name="unbiased">whether the variance of a batch is the sample variance (divisor n - 1, as PyTorch's default), not the
/// population's (n).</param>
internal sealed class RunningStatistics(int columns, double count = 1e-4, bool unbiased = false)
{
    private readonly double[] mean = new double[columns], variance = [.. Enumerable.Repeat(1.0, columns)];
    private double count = count;

    /// <summary>Weight of what was seen: the number of rows, and what it began with.</summary>
    public double Count => count;

    /// <summary>[C]</summary>
    public ReadOnlySpan<double> Mean => mean;

    /// <summary>[C]</summary>
    public ReadOnlySpan<double> Variance => variance;

    /// <summary>[2C + 1] means, variances, count. Setting what was read restores exactly.</summary>
    /// <exception cref="ArgumentException">another length.</exception>
    public double[] State
    {
        get => [.. mean, .. variance, count];
        set
        {
            if (value.Length != 2 * columns + 1)
            {
                throw new ArgumentException($"RunningStatistics: a state of {value.Length} numbers, not {2 * columns + 1}");
            }
            value.AsSpan(0, columns).CopyTo(mean);
            value.AsSpan(columns, columns).CopyTo(variance);
            count = value[^1];
        }
    }

    /// <summary>Merges the rows of x whose mask is not 0.</summary>
    /// <param name="x">[rows, C]</param>
    /// <param name="mask">[rows]; empty: all rows count.</param>
    /// <exception cref="ArgumentException">x is not a whole number of rows, or the mask has another number of them.</exception>
    public void Update(ReadOnlySpan<float> x, ReadOnlySpan<float> mask = default)
    {
        int rows = Rows(x.Length);
        if (!mask.IsEmpty && mask.Length != rows)
        {
            throw new ArgumentException($"RunningStatistics: a mask of {mask.Length} for {rows} rows");
        }
        int n = 0;
        for (int column = 0; column < columns; column++)
        {
            (n, double m, double v) = Moments(x, mask, column);
            if (n == 0)
            {
                return;
            }
            double d = m - mean[column], total = count + n;
            mean[column] += d * n / total;
            variance[column] = (variance[column] * count + v * n + d * d * count * n / total) / total;
        }
        count += n;
    }

    /// <inheritdoc cref="Update(ReadOnlySpan{float}, ReadOnlySpan{float})"/>
    public void Update(Tensor x, Tensor mask = default)
        => Update(x.Device == Device.Cpu ? x.Span : x.ToArray(), mask.IsNone ? [] : mask.Device == Device.Cpu ? mask.Span : mask.ToArray());

    /// <summary>x = (x - mean) / sqrt(var + epsilon), in place.</summary>
    /// <exception cref="ArgumentException">x is not a whole number of rows.</exception>
    public void Normalize(Span<float> x, double epsilon = 0)
    {
        for (int row = 0, rows = Rows(x.Length); row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                ref float number = ref x[row * columns + column];
                number = (float)((number - mean[column]) / Math.Sqrt(variance[column] + epsilon));
            }
        }
    }

    /// <inheritdoc cref="Normalize(Span{float}, double)"/>
    public void Normalize(Tensor x, double epsilon = 0)
    {
        using var numbers = new HostView(x);
        Normalize(numbers.Span, epsilon);
    }

    /// <summary>x = x sqrt(var + epsilon) + mean, in place: undoes Normalize.</summary>
    /// <exception cref="ArgumentException">x is not a whole number of rows.</exception>
    public void Denormalize(Span<float> x, double epsilon = 0)
    {
        for (int row = 0, rows = Rows(x.Length); row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                ref float number = ref x[row * columns + column];
                number = (float)(number * Math.Sqrt(variance[column] + epsilon) + mean[column]);
            }
        }
    }

    /// <inheritdoc cref="Denormalize(Span{float}, double)"/>
    public void Denormalize(Tensor x, double epsilon = 0)
    {
        using var numbers = new HostView(x);
        Denormalize(numbers.Span, epsilon);
    }

    private int Rows(int length) => length % columns == 0 ? length / columns
        : throw new ArgumentException($"RunningStatistics: {length} numbers are no whole rows of {columns}");

    /// <summary>Number, mean and variance of a column's unmasked rows; one row alone has variance 0.</summary>
    private (int N, double Mean, double Variance) Moments(ReadOnlySpan<float> values, ReadOnlySpan<float> mask, int column)
    {
        int n = 0;
        double sum = 0, squares = 0;
        for (int row = 0; row < values.Length / columns; row++)
        {
            if (mask.IsEmpty || mask[row] != 0)
            {
                n++;
                sum += values[row * columns + column];
            }
        }
        double m = sum / n;
        for (int row = 0; row < values.Length / columns; row++)
        {
            if (mask.IsEmpty || mask[row] != 0)
            {
                double d = values[row * columns + column] - m;
                squares += d * d;
            }
        }
        return (n, m, squares / Math.Max(1, unbiased ? n - 1 : n));
    }
}
