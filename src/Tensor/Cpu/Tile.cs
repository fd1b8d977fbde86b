using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>
/// Register tiles of a matrix product, written once for lanes of any width: 12, 6, 4 or 1 rows of c, one lane wide, stay in registers while k runs. Each
/// element is one chain c = fma(a[i, k], b[k, j], c) in the order of k, so that the result depends neither on the tile nor on the lane. Twelve rows of a
/// <see cref="Pair{T}"/> of V16 take 24 of the 32 registers of AVX-512, six rows of a pair of V8 take 12 of the 16 of AVX2. Each hides the latency of two
/// multiply-adds per cycle, with at most two loads for every three of them.
/// </summary>
/// <remarks>a[i, k] is at i <c>aRow</c> + k <c>aStep</c>, so that a and its transpose are read in place; row k of b is at k <c>bStep</c>. The chain starts from
/// <c>start</c>, with rows <c>startRow</c> apart: zeros or a bias with stride 0, or c itself.</remarks>
internal static unsafe class Tile
{
    /// <summary>The number of rows of the tallest tile.</summary>
    public const int MaxRows = 12;

    /// <summary>
    /// The number of rows of the tallest tile of a lane that fits into <paramref name="rows"/>. Eight rows are two tiles of four: after a tile of six, the
    /// remaining two single rows would take longer.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Fit<T>(int rows) where T : struct, ITileLane<T>
        => rows >= 12 && T.TileRows >= 12 ? 12 : rows >= 6 && rows is not (8 or 9) ? 6 : rows >= 4 ? 4 : 1;

    /// <summary>Computes a tile of <see cref="Fit"/> rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<T>(int rows, float* a, nint aRow, nint aStep, float* b, nint bStep, int depth,
        float* start, nint startRow, float* c, nint cRow) where T : struct, ITileLane<T>
    {
        switch (rows)
        {
            case 12:
                Twelve<T>(a, aRow, aStep, b, bStep, depth, start, startRow, c, cRow);
                break;
            case 6:
                Six<T>(a, aRow, aStep, b, bStep, depth, start, startRow, c, cRow);
                break;
            case 4:
                Four<T>(a, aRow, aStep, b, bStep, depth, start, startRow, c, cRow);
                break;
            default:
                One<T>(a, aStep, b, bStep, depth, start, c);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Twelve<T>(float* a, nint aRow, nint aStep, float* b, nint bStep, int depth, float* start, nint startRow,
        float* c, nint cRow) where T : struct, ITileLane<T>
    {
        // Three pointers to four rows each: more do not fit in the general-purpose registers.
        nint aRow2 = 2 * aRow, aRow3 = 3 * aRow;
        float* a4 = a + 4 * aRow, a8 = a + 8 * aRow;
        T c0 = T.Load(ref *start, 0), c1 = T.Load(ref *start, startRow), c2 = T.Load(ref *start, 2 * startRow);
        T c3 = T.Load(ref *start, 3 * startRow), c4 = T.Load(ref *start, 4 * startRow), c5 = T.Load(ref *start, 5 * startRow);
        T c6 = T.Load(ref *start, 6 * startRow), c7 = T.Load(ref *start, 7 * startRow), c8 = T.Load(ref *start, 8 * startRow);
        T c9 = T.Load(ref *start, 9 * startRow), c10 = T.Load(ref *start, 10 * startRow), c11 = T.Load(ref *start, 11 * startRow);
        for (; depth > 0; depth--)
        {
            T row = T.Load(ref *b, 0);
            c0 = T.Fma(T.Of(*a), row, c0);
            c1 = T.Fma(T.Of(a[aRow]), row, c1);
            c2 = T.Fma(T.Of(a[aRow2]), row, c2);
            c3 = T.Fma(T.Of(a[aRow3]), row, c3);
            c4 = T.Fma(T.Of(*a4), row, c4);
            c5 = T.Fma(T.Of(a4[aRow]), row, c5);
            c6 = T.Fma(T.Of(a4[aRow2]), row, c6);
            c7 = T.Fma(T.Of(a4[aRow3]), row, c7);
            c8 = T.Fma(T.Of(*a8), row, c8);
            c9 = T.Fma(T.Of(a8[aRow]), row, c9);
            c10 = T.Fma(T.Of(a8[aRow2]), row, c10);
            c11 = T.Fma(T.Of(a8[aRow3]), row, c11);
            a += aStep;
            a4 += aStep;
            a8 += aStep;
            b += bStep;
        }
        c0.Store(ref *c, 0);
        c1.Store(ref *c, cRow);
        c2.Store(ref *c, 2 * cRow);
        c3.Store(ref *c, 3 * cRow);
        c4.Store(ref *c, 4 * cRow);
        c5.Store(ref *c, 5 * cRow);
        c6.Store(ref *c, 6 * cRow);
        c7.Store(ref *c, 7 * cRow);
        c8.Store(ref *c, 8 * cRow);
        c9.Store(ref *c, 9 * cRow);
        c10.Store(ref *c, 10 * cRow);
        c11.Store(ref *c, 11 * cRow);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Six<T>(float* a, nint aRow, nint aStep, float* b, nint bStep, int depth, float* start, nint startRow,
        float* c, nint cRow) where T : struct, ITileLane<T>
    {
        nint aRow2 = 2 * aRow;
        float* a3 = a + 3 * aRow;
        T c0 = T.Load(ref *start, 0), c1 = T.Load(ref *start, startRow), c2 = T.Load(ref *start, 2 * startRow);
        T c3 = T.Load(ref *start, 3 * startRow), c4 = T.Load(ref *start, 4 * startRow), c5 = T.Load(ref *start, 5 * startRow);
        for (; depth > 0; depth--)
        {
            T row = T.Load(ref *b, 0);
            c0 = T.Fma(T.Of(*a), row, c0);
            c1 = T.Fma(T.Of(a[aRow]), row, c1);
            c2 = T.Fma(T.Of(a[aRow2]), row, c2);
            c3 = T.Fma(T.Of(*a3), row, c3);
            c4 = T.Fma(T.Of(a3[aRow]), row, c4);
            c5 = T.Fma(T.Of(a3[aRow2]), row, c5);
            a += aStep;
            a3 += aStep;
            b += bStep;
        }
        c0.Store(ref *c, 0);
        c1.Store(ref *c, cRow);
        c2.Store(ref *c, 2 * cRow);
        c3.Store(ref *c, 3 * cRow);
        c4.Store(ref *c, 4 * cRow);
        c5.Store(ref *c, 5 * cRow);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four<T>(float* a, nint aRow, nint aStep, float* b, nint bStep, int depth, float* start, nint startRow,
        float* c, nint cRow) where T : struct, ITileLane<T>
    {
        nint aRow2 = 2 * aRow, aRow3 = 3 * aRow;
        T c0 = T.Load(ref *start, 0), c1 = T.Load(ref *start, startRow);
        T c2 = T.Load(ref *start, 2 * startRow), c3 = T.Load(ref *start, 3 * startRow);
        for (; depth > 0; depth--)
        {
            T row = T.Load(ref *b, 0);
            c0 = T.Fma(T.Of(*a), row, c0);
            c1 = T.Fma(T.Of(a[aRow]), row, c1);
            c2 = T.Fma(T.Of(a[aRow2]), row, c2);
            c3 = T.Fma(T.Of(a[aRow3]), row, c3);
            a += aStep;
            b += bStep;
        }
        c0.Store(ref *c, 0);
        c1.Store(ref *c, cRow);
        c2.Store(ref *c, 2 * cRow);
        c3.Store(ref *c, 3 * cRow);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One<T>(float* a, nint aStep, float* b, nint bStep, int depth, float* start, float* c)
        where T : struct, ITileLane<T>
    {
        T c0 = T.Load(ref *start, 0);
        for (; depth > 0; depth--)
        {
            c0 = T.Fma(T.Of(*a), T.Load(ref *b, 0), c0);
            a += aStep;
            b += bStep;
        }
        c0.Store(ref *c, 0);
    }
}
