using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Marl.Native.Bench.Kernels;

namespace Marl.Native.Bench.Ladders;

/// <summary>c += a b, with a [m, k], b [k, n] and c [m, n], all row-major.</summary>
internal delegate void Multiply(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> c, int m, int k, int n);

/// <summary>
/// A product of matrices, rung by rung. A core does two vectors of multiply-adds per cycle, each of which takes four cycles; the plain
/// loop waits for every single one.
/// </summary>
internal static class GemmLadder
{
    /// <summary>A block of b, 32 x 256 floats or 32 KiB, stays in the first-level cache while the rows of a pass by.</summary>
    private const int BlockDepth = 32, BlockWidth = 256;

    /// <summary>Rows of the register tile. With two lanes each they are twelve chains, and eight hide the latency.</summary>
    private const int TileRows = 6;

    /// <summary>Depth of a packed panel: with two lanes of sixteen floats, 16 KiB.</summary>
    private const int PanelDepth = 128;

    /// <summary>The ladder of one size.</summary>
    public static Ladder Of(int m, int k, int n)
    {
        var rng = new Rng(1);
        Tensor a = KernelBenchmark.Uniform(ref rng, m, k), b = KernelBenchmark.Uniform(ref rng, k, n), c = Tensor.Zeros(m, n);
        return new($"gemm {m}x{k}x{n}", 2.0 * m * k * n, c,
        [
            Rung("naive", "one element after another", Naive),
            Rung("tiled", "rows of b in order, in blocks that stay in the cache", Tiled),
            Rung("vector", "as many columns at once as a register has lanes", Vector),
            Rung("packed", "six rows by two lanes of c in registers, b copied together", Packed),
            new("engine", "tiles for every remainder and every layout",
                () => Device.Cpu.Gemm(Matrix.Of(a), Matrix.Of(b), Matrix.Of(c), accumulate: true)),
        ]);

        Rung Rung(string name, string idea, Multiply multiply) => new(name, idea, () => multiply(a.Span, b.Span, c.Span, m, k, n));
    }

    /// <summary>One element after another: n multiply-adds apart in b, each waits for a cache line and for the one before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Naive(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> c, int m, int k, int n)
    {
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                float sum = c[i * n + j];
                for (int p = 0; p < k; p++)
                {
                    sum = MathF.FusedMultiplyAdd(a[i * k + p], b[p * n + j], sum);
                }
                c[i * n + j] = sum;
            }
        }
    }

    /// <summary>The inner loop runs along a row of b and of c, whose elements do not wait for each other; blocks of b are used for all rows
    /// of a while they are in the cache. Between blocks the chain of an element waits in c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tiled(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> c, int m, int k, int n)
    {
        for (int left = 0; left < n; left += BlockWidth)
        {
            int width = Math.Min(BlockWidth, n - left);
            for (int top = 0; top < k; top += BlockDepth)
            {
                int bottom = Math.Min(top + BlockDepth, k);
                for (int i = 0; i < m; i++)
                {
                    var row = c.Slice(i * n + left, width);
                    for (int p = top; p < bottom; p++)
                    {
                        float factor = a[i * k + p];
                        var from = b.Slice(p * n + left, width);
                        for (int j = 0; j < row.Length; j++)
                        {
                            row[j] = MathF.FusedMultiplyAdd(factor, from[j], row[j]);
                        }
                    }
                }
            }
        }
    }

    /// <summary>The same with the inner loop in lanes.</summary>
    public static void Vector(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> c, int m, int k, int n)
        => VectorFrom(0, a, b, c, m, k, n);

    /// <summary>The columns from <paramref name="first"/> on.</summary>
    private static void VectorFrom(int first, ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> c, int m, int k, int n)
    {
        for (int left = first; left < n; left += BlockWidth)
        {
            int width = Math.Min(BlockWidth, n - left);
            for (int top = 0; top < k; top += BlockDepth)
            {
                int depth = Math.Min(BlockDepth, k - top);
                for (int i = 0; i < m; i++)
                {
                    AddRows(a.Slice(i * k + top, depth), b[(top * n + left)..], n, c.Slice(i * n + left, width));
                }
            }
        }
    }

    /// <summary>row += sum_p factors[p] b[p, ..]</summary>
    private static void AddRows(ReadOnlySpan<float> factors, ReadOnlySpan<float> b, int stride, Span<float> row)
    {
        for (int p = 0; p < factors.Length; p++)
        {
            var from = b.Slice(p * stride, row.Length);
            int done = Vector512.IsHardwareAccelerated ? AddRow<V16>(factors[p], from, row, 0) : AddRow<V8>(factors[p], from, row, 0);
            AddRow<F1>(factors[p], from, row, done);
        }
    }

    /// <summary>row += factor b in whole lanes from an element on; returns how far it came.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int AddRow<T>(float factor, ReadOnlySpan<float> b, Span<float> row, int j) where T : struct, IFloatLane<T>
    {
        ref float from = ref MemoryMarshal.GetReference(b), to = ref MemoryMarshal.GetReference(row);
        var lanes = T.Of(factor);
        for (; j <= row.Length - T.Width; j += T.Width)
        {
            T.Fma(lanes, T.Load(ref from, j), T.Load(ref to, j)).Store(ref to, j);
        }
        return j;
    }

    /// <summary>Panels of b, two lanes wide, are copied so that their rows are contiguous; a tile of c stays in registers
    /// while k runs, so that a multiply-add needs neither a load nor a store of c. Columns that fill no panel are left to the rung
    /// below.</summary>
    public static void Packed(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> c, int m, int k, int n)
    {
        int done = Vector512.IsHardwareAccelerated ? Panels<V16>(a, b, c, m, k, n) : Panels<V8>(a, b, c, m, k, n);
        VectorFrom(done, a, b, c, m, k, n);
    }

    [SkipLocalsInit]
    private static int Panels<T>(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> c, int m, int k, int n)
        where T : struct, IFloatLane<T>
    {
        int width = 2 * T.Width, column = 0;
        Span<float> panel = stackalloc float[PanelDepth * width];
        for (; column <= n - width; column += width)
        {
            for (int top = 0; top < k; top += PanelDepth)
            {
                int depth = Math.Min(PanelDepth, k - top);
                for (int p = 0; p < depth; p++)
                {
                    b.Slice((top + p) * n + column, width).CopyTo(panel[(p * width)..]);
                }
                int row = 0;
                for (; row <= m - TileRows; row += TileRows)
                {
                    Tile<T>(a[(row * k + top)..], k, panel, depth, c[(row * n + column)..], n);
                }
                for (; row < m; row++)
                {
                    AddRows(a.Slice(row * k + top, depth), panel, width, c.Slice(row * n + column, width));
                }
            }
        }
        return column;
    }

    /// <summary>Six rows by two lanes of c; nothing but b's two lanes and one number of a is loaded for twelve multiply-adds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<T>(ReadOnlySpan<float> a, nint aRow, ReadOnlySpan<float> panel, int depth, Span<float> c, nint cRow)
        where T : struct, IFloatLane<T>
    {
        ref float pa = ref MemoryMarshal.GetReference(a), pb = ref MemoryMarshal.GetReference(panel);
        ref float pc = ref MemoryMarshal.GetReference(c);
        nint lane = T.Width;
        T c00 = T.Load(ref pc, 0), c01 = T.Load(ref pc, lane), c10 = T.Load(ref pc, cRow), c11 = T.Load(ref pc, cRow + lane);
        T c20 = T.Load(ref pc, 2 * cRow), c21 = T.Load(ref pc, 2 * cRow + lane), c30 = T.Load(ref pc, 3 * cRow);
        T c31 = T.Load(ref pc, 3 * cRow + lane), c40 = T.Load(ref pc, 4 * cRow), c41 = T.Load(ref pc, 4 * cRow + lane);
        T c50 = T.Load(ref pc, 5 * cRow), c51 = T.Load(ref pc, 5 * cRow + lane);
        for (nint p = 0; p < depth; p++)
        {
            T b0 = T.Load(ref pb, 2 * p * lane), b1 = T.Load(ref pb, (2 * p + 1) * lane);
            var factor = T.Of(Unsafe.Add(ref pa, p));
            (c00, c01) = (T.Fma(factor, b0, c00), T.Fma(factor, b1, c01));
            factor = T.Of(Unsafe.Add(ref pa, aRow + p));
            (c10, c11) = (T.Fma(factor, b0, c10), T.Fma(factor, b1, c11));
            factor = T.Of(Unsafe.Add(ref pa, 2 * aRow + p));
            (c20, c21) = (T.Fma(factor, b0, c20), T.Fma(factor, b1, c21));
            factor = T.Of(Unsafe.Add(ref pa, 3 * aRow + p));
            (c30, c31) = (T.Fma(factor, b0, c30), T.Fma(factor, b1, c31));
            factor = T.Of(Unsafe.Add(ref pa, 4 * aRow + p));
            (c40, c41) = (T.Fma(factor, b0, c40), T.Fma(factor, b1, c41));
            factor = T.Of(Unsafe.Add(ref pa, 5 * aRow + p));
            (c50, c51) = (T.Fma(factor, b0, c50), T.Fma(factor, b1, c51));
        }
        c00.Store(ref pc, 0);
        c01.Store(ref pc, lane);
        c10.Store(ref pc, cRow);
        c11.Store(ref pc, cRow + lane);
        c20.Store(ref pc, 2 * cRow);
        c21.Store(ref pc, 2 * cRow + lane);
        c30.Store(ref pc, 3 * cRow);
        c31.Store(ref pc, 3 * cRow + lane);
        c40.Store(ref pc, 4 * cRow);
        c41.Store(ref pc, 4 * cRow + lane);
        c50.Store(ref pc, 5 * cRow);
        c51.Store(ref pc, 5 * cRow + lane);
    }
}
