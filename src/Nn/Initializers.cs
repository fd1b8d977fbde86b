namespace Marl.Native.Nn;

/// <summary>
/// Initializers of weights. A matrix is the last two axes, [out, in]; each of the N matrices of a slice [N, out, in] is drawn separately, so that a matrix does
/// not depend on the number of those after it.
/// </summary>
public static class Initializers
{
    /// <summary>
    /// U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)), PyTorch's default for weights and biases of linear layers (fan_in is the number of inputs) and of recurrent
    /// layers (the size of the state).
    /// </summary>
    public static Initializer UniformFanIn(int fanIn)
    {
        double bound = fanIn > 0 ? 1 / Math.Sqrt(fanIn) : 0;
        return (values, shape, ref rng) => Uniform(values, bound, ref rng);
    }

    /// <summary>
    /// U(-a, a) with a = gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010). The initializer throws an <see cref="ArgumentException"/> for a shape with
    /// fewer than two axes.
    /// </summary>
    public static Initializer Xavier(double gain = 1) => (values, shape, ref rng) =>
    {
        var (rows, columns) = MatrixOf(shape, nameof(Xavier));
        Uniform(values, gain * Math.Sqrt(6.0 / (rows + columns)), ref rng);
    };

    /// <summary>
    /// gain Q, with Q uniform over the matrices with orthonormal rows, or columns if there are fewer (Saxe et al. 2014): the Q factor of a matrix of normal
    /// samples, where R has a positive diagonal. The initializer throws an <see cref="ArgumentException"/> for a shape with fewer than two axes.
    /// </summary>
    public static Initializer Orthogonal(double gain = 1) => (values, shape, ref rng) =>
    {
        var (rows, columns) = MatrixOf(shape, nameof(Orthogonal));
        for (int start = 0; start < values.Length; start += rows * columns)
        {
            Orthogonal(values.Slice(start, rows * columns), rows, columns, gain, ref rng);
        }
    };

    /// <summary>N(0, standardDeviation^2).</summary>
    public static Initializer Normal(double standardDeviation = 1) => (values, shape, ref rng) =>
    {
        foreach (ref float value in values)
        {
            value = (float)(standardDeviation * rng.NextNormal());
        }
    };

    /// <summary>The same value everywhere.</summary>
    public static Initializer Constant(float value) => (values, shape, ref rng) => values.Fill(value);

    private static (int Rows, int Columns) MatrixOf(Shape shape, string initializer) => shape.Rank >= 2 ? (shape[-2], shape[-1])
        : throw new ArgumentException($"{initializer}: a weight of shape {shape}; expected [.., out, in]");

    private static void Uniform(Span<float> values, double bound, ref Rng rng)
    {
        foreach (ref float value in values)
        {
            value = (float)(bound * (2 * rng.NextDouble() - 1));
        }
    }

    private static void Orthogonal(Span<float> values, int rows, int columns, double gain, ref Rng rng)
    {
        // The shorter side is the number of vectors, the longer side their length.
        int count = Math.Min(rows, columns), length = Math.Max(rows, columns);
        double[] basis = new double[count * length];
        for (int i = 0; i < count; i++)
        {
            var vector = basis.AsSpan(i * length, length);
            foreach (ref double x in vector)
            {
                x = rng.NextNormal();
            }
            // Gram-Schmidt; the second pass removes the rounding errors of the first ("twice is enough", Kahan).
            for (int pass = 0; pass < 2; pass++)
            {
                for (int j = 0; j < i; j++)
                {
                    var other = basis.AsSpan(j * length, length);
                    Add(vector, -Dot(vector, other), other);
                }
            }
            Add(vector, 1 / Math.Sqrt(Dot(vector, vector)) - 1, vector);
        }
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                double q = rows <= columns ? basis[row * length + column] : basis[column * length + row];
                values[row * columns + column] = (float)(gain * q);
            }
        }
    }

    // Scalar loops: the sums of System.Numerics.Tensors depend on the SIMD width.
    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static void Add(Span<double> a, double factor, ReadOnlySpan<double> b)
    {
        for (int i = 0; i < a.Length; i++)
        {
            a[i] += factor * b[i];
        }
    }
}
