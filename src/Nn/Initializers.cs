namespace Marl.Native.Nn;

/// <summary>
/// Initial values of weights. A matrix is the last two axes, [out, in]; of a slice [N, out, in] each of the N copies is drawn by
/// itself, so that copy i does not depend on how many follow it.
/// </summary>
public static class Initializers
{
    /// <summary>U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)): what PyTorch gives weights and biases of linear layers (fan_in the
    /// number of inputs) and of recurrent ones (the size of the state).</summary>
    public static Initializer UniformFanIn(int fanIn)
    {
        double bound = fanIn > 0 ? 1 / Math.Sqrt(fanIn) : 0;
        return (values, shape, ref rng) => Uniform(values, bound, ref rng);
    }

    /// <summary>U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).</summary>
    /// <exception cref="ArgumentException">when drawn: the shape has no two axes.</exception>
    public static Initializer Xavier(double gain = 1) => (values, shape, ref rng) =>
    {
        var (rows, columns) = MatrixOf(shape, nameof(Xavier));
        Uniform(values, gain * Math.Sqrt(6.0 / (rows + columns)), ref rng);
    };

    /// <summary>gain Q, Q uniform over the matrices with orthonormal rows, or columns where there are fewer of them (Saxe et al.
    /// 2014): the Q of normal draws, R with a positive diagonal.</summary>
    /// <exception cref="ArgumentException">when drawn: the shape has no two axes.</exception>
    public static Initializer Orthogonal(double gain = 1) => (values, shape, ref rng) =>
    {
        var (rows, columns) = MatrixOf(shape, nameof(Orthogonal));
        for (int start = 0; start < values.Length; start += rows * columns)
        {
            Orthogonal(values.Slice(start, rows * columns), rows, columns, gain, ref rng);
        }
    };

    /// <summary>N(0, deviation^2).</summary>
    public static Initializer Normal(double deviation = 1) => (values, shape, ref rng) =>
    {
        foreach (ref float value in values)
        {
            value = (float)(deviation * rng.NextNormal());
        }
    };

    /// <summary>One value everywhere.</summary>
    public static Initializer Constant(float value) => (values, shape, ref rng) => values.Fill(value);

    private static (int Rows, int Columns) MatrixOf(Shape shape, string initializer) => shape.Rank >= 2 ? (shape[-2], shape[-1])
        : throw new ArgumentException($"{initializer}: a weight of shape {shape}; [.., out, in] is needed");

    private static void Uniform(Span<float> values, double bound, ref Rng rng)
    {
        foreach (ref float value in values)
        {
            value = (float)(bound * (2 * rng.NextDouble() - 1));
        }
    }

    private static void Orthogonal(Span<float> values, int rows, int columns, double gain, ref Rng rng)
    {
        // The shorter side counts the vectors, the longer one is their length.
        int count = Math.Min(rows, columns), length = Math.Max(rows, columns);
        double[] basis = new double[count * length];
        for (int i = 0; i < count; i++)
        {
            var vector = basis.AsSpan(i * length, length);
            foreach (ref double x in vector)
            {
                x = rng.NextNormal();
            }
            // Gram-Schmidt; the second pass removes what rounding left over in the first ("twice is enough", Kahan).
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

    // Plain loops: the library's vectorized sums depend on the width of the machine's registers.
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
