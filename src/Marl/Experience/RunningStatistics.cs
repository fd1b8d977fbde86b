namespace Marl.Native.Rl;

/// <summary>
/// The running mean and variance of each column, for standardizing rewards, returns or observations. Batches are merged by the
/// parallel algorithm (Chan et al. 1979): with m, v, n of the batch, d = m - mean and total = count + n,
/// <code>
/// mean  = mean + d n / total
/// var   = (var count + v n + d^2 count n / total) / total
/// count = total
/// </code>
/// The initial mean is 0, the initial variance 1, and the initial count close to 0. Computes in double precision in host memory.
/// </summary>
/// <param name="columns">C, the number of columns.</param>
/// <param name="count">The weight of the initial mean and variance.</param>
/// <param name="unbiased">Whether the variance of a batch has the divisor n - 1, as PyTorch's default, instead of n.</param>
internal sealed class RunningStatistics(int columns, double count = 1e-4, bool unbiased = false)
{
    /// <summary>The largest ratio of standard deviation and mean of a constant column, about the rounding error of float32.</summary>
    private const double ConstantRatio = 1e-6;

    /// <summary>The relative rounding error of sums over many updates.</summary>
    private const double Rounding = 1e-12;

    private readonly double initialCount = count;
    private readonly double[] mean = new double[columns], variance = [.. Enumerable.Repeat(1.0, columns)];
    private double count = count;

    /// <summary>The total weight: the number of rows plus the initial weight.</summary>
    public double Count => count;

    /// <summary>[C] The means.</summary>
    public ReadOnlySpan<double> Mean => mean;

    /// <summary>[C] The variances.</summary>
    public ReadOnlySpan<double> Variance => variance;

    /// <summary>[2C + 1] The means, the variances and the count.</summary>
    /// <exception cref="ArgumentException">The length of the new value does not match.</exception>
    public double[] State
    {
        get => [.. mean, .. variance, count];
        set
        {
            if (value.Length != 2 * columns + 1)
            {
                throw new ArgumentException($"RunningStatistics: the state has {value.Length} elements instead of {2 * columns + 1}");
            }
            value.AsSpan(0, columns).CopyTo(mean);
            value.AsSpan(columns, columns).CopyTo(variance);
            count = value[^1];
        }
    }

    /// <summary>Multiplies the weight of all rows so far: called before each update, it makes moving averages with this decay.</summary>
    /// <param name="decay">In (0, 1].</param>
    public void Forget(double decay) => count *= decay;

    /// <summary>Merges the rows of x whose mask is not 0.</summary>
    /// <param name="x">[rows, C] The values.</param>
    /// <param name="mask">[rows] The mask; empty: all rows are merged.</param>
    /// <exception cref="ArgumentException">The length of x is not a multiple of C, or the mask has another number of rows.</exception>
    public void Update(ReadOnlySpan<float> x, ReadOnlySpan<float> mask = default)
    {
        int rows = Rows(x.Length);
        if (!mask.IsEmpty && mask.Length != rows)
        {
            throw new ArgumentException($"RunningStatistics: the mask has {mask.Length} elements instead of {rows}");
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

    /// <summary>Returns whether all merged values of a column were the same, up to rounding.</summary>
    public bool IsConstant(int column)
    {
        // With the initial weight w, and n values with mean m and squared deviations that sum to s: var count = w + s + m^2 w n / count, mean = m n / count.
        double n = count - initialCount, m = mean[column] * count / n;
        double total = variance[column] * count, s = total - initialCount - m * m * initialCount * n / count;
        return n > 0 && s <= n * ConstantRatio * ConstantRatio * m * m + Rounding * total;
    }

    /// <summary>Normalizes in place: x = (x - mean) / sqrt(var + epsilon).</summary>
    /// <param name="x">[rows, C] The values.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="centersConstants">Whether the mean is subtracted from constant columns too (<see cref="IsConstant"/>), which makes them 0. false:
    /// x = x / sqrt(mean^2 + var) there, which is 1 or -1, or 0 if x is.</param>
    /// <exception cref="ArgumentException">The length of x is not a multiple of C.</exception>
    public void Normalize(Span<float> x, double epsilon = 0, bool centersConstants = true)
    {
        int rows = Rows(x.Length);
        for (int column = 0; column < columns; column++)
        {
            bool constant = !centersConstants && IsConstant(column);
            double m = constant ? 0 : mean[column], divisor = Math.Sqrt(variance[column] + epsilon + (constant ? mean[column] * mean[column] : 0));
            for (int row = 0; row < rows; row++)
            {
                ref float value = ref x[row * columns + column];
                value = (float)((value - m) / divisor);
            }
        }
    }

    /// <inheritdoc cref="Normalize(Span{float}, double, bool)"/>
    public void Normalize(Tensor x, double epsilon = 0, bool centersConstants = true)
    {
        using var view = new HostView(x);
        Normalize(view.Span, epsilon, centersConstants);
    }

    /// <summary>Inverts <see cref="Normalize(Span{float}, double, bool)"/> in place: x = x sqrt(var + epsilon) + mean.</summary>
    /// <exception cref="ArgumentException">The length of x is not a multiple of C.</exception>
    public void Denormalize(Span<float> x, double epsilon = 0)
    {
        for (int row = 0, rows = Rows(x.Length); row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                ref float value = ref x[row * columns + column];
                value = (float)(value * Math.Sqrt(variance[column] + epsilon) + mean[column]);
            }
        }
    }

    /// <inheritdoc cref="Denormalize(Span{float}, double)"/>
    public void Denormalize(Tensor x, double epsilon = 0)
    {
        using var view = new HostView(x);
        Denormalize(view.Span, epsilon);
    }

    private int Rows(int length) => length % columns == 0 ? length / columns
        : throw new ArgumentException($"RunningStatistics: {length} elements are not a multiple of {columns} columns");

    /// <summary>Returns number, mean and variance of a column's unmasked rows; the variance of a single row is 0.</summary>
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
