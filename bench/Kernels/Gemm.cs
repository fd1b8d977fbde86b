using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace Marl.Native.Bench.Kernels;

/// <summary>c [m, n] = a [m, k] b [k, n].</summary>
/// <param name="M">rows of c.</param>
/// <param name="K">length of the chains.</param>
/// <param name="N">columns of c.</param>
public readonly record struct Product(int M, int K, int N)
{
    /// <summary>1920x64x192</summary>
    public override string ToString() => $"{M}x{K}x{N}";
}

/// <summary>
/// Products of matrices, stored as multiplied or transposed. Rows: a step of 60 or 160 agents, a shard and a batch of whole episodes.
/// Layers: 96 observations to 64 units, 128 to 64, 64 to the 192 gates of a GRU, 64 to 11 actions. And squares.
/// </summary>
public abstract class Gemm : KernelBenchmark
{
    /// <summary>Which product.</summary>
    [ParamsSource(nameof(Shapes))]
    public Product Shape { get; set; }

    /// <summary>All of them.</summary>
    public static IEnumerable<Product> Shapes =>
    [
        .. from m in new[] { 60, 160, 1920, 9760 }
           from layer in new (int K, int N)[] { (96, 64), (128, 64), (64, 192), (64, 11) }
           select new Product(m, layer.K, layer.N),
        .. from side in new[] { 256, 512, 1024 } select new Product(side, side, side),
    ];

    /// <inheritdoc/>
    public override Work Work => new(2.0 * M * K * N, 4.0 * (M * K + K * N + M * N));

    /// <inheritdoc/>
    public override Tensor Result => C;

    private protected Tensor A, B, C;

    private protected int M => Shape.M;

    private protected int K => Shape.K;

    private protected int N => Shape.N;

    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng) => (A, B, C) = (Uniform(ref rng, M, K), Uniform(ref rng, K, N), Tensor.Zeros(M, N));
}

/// <summary>c = a b</summary>
public class GemmAB : Gemm
{
    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> a = A.Span, b = B.Span, c = C.Span;
        for (int i = 0; i < M; i++)
        {
            for (int j = 0; j < N; j++)
            {
                float sum = 0f;
                for (int k = 0; k < K; k++)
                {
                    sum += a[i * K + k] * b[k * N + j];
                }
                c[i * N + j] = sum;
            }
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives()
    {
        Span<float> a = A.Span, b = B.Span, c = C.Span;
        c.Clear();
        for (int i = 0; i < M; i++)
        {
            var row = c.Slice(i * N, N);
            for (int k = 0; k < K; k++)
            {
                TensorPrimitives.FusedMultiplyAdd(b.Slice(k * N, N), a[i * K + k], row, row);
            }
        }
    }

    [Benchmark]
    public void Engine() => Device.Cpu.Gemm(Matrix.Of(A), Matrix.Of(B), Matrix.Of(C));
}

/// <summary>c = a b^T: a layer forward, whose weights are stored [n, k].</summary>
public class GemmABT : Gemm
{
    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng) => (A, B, C) = (Uniform(ref rng, M, K), Uniform(ref rng, N, K), Tensor.Zeros(M, N));

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> a = A.Span, b = B.Span, c = C.Span;
        for (int i = 0; i < M; i++)
        {
            for (int j = 0; j < N; j++)
            {
                float sum = 0f;
                for (int k = 0; k < K; k++)
                {
                    sum += a[i * K + k] * b[j * K + k];
                }
                c[i * N + j] = sum;
            }
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives()
    {
        Span<float> a = A.Span, b = B.Span, c = C.Span;
        for (int i = 0; i < M; i++)
        {
            for (int j = 0; j < N; j++)
            {
                c[i * N + j] = TensorPrimitives.Dot<float>(a.Slice(i * K, K), b.Slice(j * K, K));
            }
        }
    }

    [Benchmark]
    public void Engine() => Device.Cpu.Gemm(Matrix.Of(A), Matrix.Of(B).T, Matrix.Of(C));
}

/// <summary>c = a^T b: the gradient of a layer's weights, where k counts rows. The k of a shape is its m here.</summary>
public class GemmATB : Gemm
{
    /// <inheritdoc/>
    protected override void Prepare(ref Rng rng) => (A, B, C) = (Uniform(ref rng, M, K), Uniform(ref rng, M, N), Tensor.Zeros(K, N));

    /// <inheritdoc/>
    public override Work Work => new(2.0 * M * K * N, 4.0 * (M * K + M * N + K * N));

    [Benchmark(Baseline = true)]
    public void Naive()
    {
        Span<float> a = A.Span, b = B.Span, c = C.Span;
        for (int i = 0; i < K; i++)
        {
            for (int j = 0; j < N; j++)
            {
                float sum = 0f;
                for (int row = 0; row < M; row++)
                {
                    sum += a[row * K + i] * b[row * N + j];
                }
                c[i * N + j] = sum;
            }
        }
    }

    [Benchmark(Description = "TensorPrimitives")]
    public void Primitives()
    {
        Span<float> a = A.Span, b = B.Span, c = C.Span;
        c.Clear();
        for (int row = 0; row < M; row++)
        {
            for (int i = 0; i < K; i++)
            {
                var target = c.Slice(i * N, N);
                TensorPrimitives.FusedMultiplyAdd(b.Slice(row * N, N), a[row * K + i], target, target);
            }
        }
    }

    [Benchmark]
    public void Engine() => Device.Cpu.Gemm(Matrix.Of(A).T, Matrix.Of(B), Matrix.Of(C));
}
