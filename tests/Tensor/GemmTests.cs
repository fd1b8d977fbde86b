namespace Marl.Native.Tests;

/// <summary>Every element of a product is one chain of fused multiply-adds in the order of k, to the last bit, whatever the
/// tile.</summary>
public sealed class GemmTests
{
    private static readonly int[] Sizes = [0, 1, 2, 3, 5, 11, 12, 13, 16, 17, 31, 32, 33, 64, 100, 257, 300];

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void EqualsTheSequentialChain(bool transposeA, bool transposeB)
    {
        var rng = new Rng((ulong)(transposeA ? 1 : 0) + (transposeB ? 2u : 0));
        for (int trial = 0; trial < 400; trial++)
        {
            int m = Sizes[rng.NextInt(Sizes.Length)], n = Sizes[rng.NextInt(Sizes.Length)], k = Sizes[rng.NextInt(Sizes.Length)];
            int batch = rng.NextInt(1, 3);
            if ((long)m * n * k * batch > 1_000_000)
            {
                continue;
            }
            var a = Operand(ref rng, m, k, batch, transposeA);
            var b = Operand(ref rng, k, n, rng.NextInt(3) == 0 ? 1 : batch, transposeB);
            var c = Operand(ref rng, m, n, batch, rng.NextInt(5) == 0);
            bool accumulate = rng.NextInt(2) == 0;
            var bias = accumulate || rng.NextInt(2) == 0 ? default
                : rng.NextInt(2) == 0 ? Noise.Of(ref rng, n)
                : Noise.Of(ref rng, batch, n);
            float[] expected = Chain(a, b, c, accumulate, bias);
            Device.Cpu.Gemm(a, b, c, accumulate, bias);
            Noise.AssertSameBits(expected, c.Data.Span, $"{a} {b} {c} accumulate {accumulate} bias {bias}");
        }
    }

    /// <summary>Deep enough for several blocks of depth, tall enough for several of height.</summary>
    [Theory]
    [InlineData(5, 64, 64)]
    [InlineData(64, 70, 3000)]
    [InlineData(2500, 37, 20)]
    public void LargeProductsToo(int m, int n, int k)
    {
        var rng = new Rng(9);
        foreach (int transposed in new[] { 0, 1, 2, 3 })
        {
            Matrix a = Operand(ref rng, m, k, 1, transposed % 2 == 1), b = Operand(ref rng, k, n, 1, transposed / 2 == 1);
            var c = Operand(ref rng, m, n, 1, false);
            float[] expected = Chain(a, b, c, true, default);
            Device.Cpu.Gemm(a, b, c, accumulate: true);
            Noise.AssertSameBits(expected, c.Data.Span, $"{a} {b}");
        }
    }

    [Fact]
    public void ShapesThatDoNotFitAreNamed()
    {
        Matrix a = Matrix.Of(Tensor.Zeros(2, 3)), b = Matrix.Of(Tensor.Zeros(4, 5)), c = Matrix.Of(Tensor.Zeros(2, 5));
        Assert.Contains("2x3 times 4x5", Assert.Throws<ArgumentException>(() => Device.Cpu.Gemm(a, b, c)).Message);
        Assert.Throws<ArgumentException>(() => Device.Cpu.Gemm(a, a.T, Matrix.Of(Tensor.Zeros(2, 2)), bias: Tensor.Zeros(3)));
    }

    /// <summary>A random matrix as multiplied m x n: plain, batched or interleaved, and stored transposed or not.</summary>
    private static Matrix Operand(ref Rng rng, int m, int n, int batch, bool transposed)
    {
        (int rows, int columns) = transposed ? (n, m) : (m, n);
        var matrix = batch == 1 ? Matrix.Of(Noise.Of(ref rng, rows, columns))
            : rng.NextInt(2) == 0 ? Matrix.Batched(Noise.Of(ref rng, batch, rows, columns))
            : Matrix.Interleaved(Noise.Of(ref rng, rows, batch, columns));
        return transposed ? matrix.T : matrix;
    }

    private static float[] Chain(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias)
    {
        float[] av = a.Data.ToArray(), bv = b.Data.ToArray(), cv = c.Data.ToArray(), biases = bias.IsNone ? [] : bias.ToArray();
        for (int batch = 0; batch < c.Batch; batch++)
        {
            for (int i = 0; i < c.M; i++)
            {
                for (int j = 0; j < c.N; j++)
                {
                    ref float target = ref cv[At(c, batch, i, j)];
                    float sum = accumulate ? target : bias.IsNone ? 0f : biases[biases.Length == c.N ? j : batch * c.N + j];
                    for (int k = 0; k < a.N; k++)
                    {
                        sum = MathF.FusedMultiplyAdd(av[At(a, batch, i, k)], bv[At(b, batch, k, j)], sum);
                    }
                    target = sum;
                }
            }
        }
        return cv;
    }

    private static int At(Matrix x, int batch, int i, int j)
        => (x.Batch == 1 ? 0 : batch) * x.BatchStride + (x.Transposed ? j * x.RowStride + i : i * x.RowStride + j);
}
