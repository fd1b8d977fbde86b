using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>Matrices in memory: element (i, j) of matrix b is at First + b Step + i Row + j Column.</summary>
internal struct StridedMatrix(ArrayView<float> data, int first, int step, int row, int column)
{
    public ArrayView<float> Data = data;
    public int First = first, Step = step, Row = row, Column = column;

    public readonly int At(int batch, int i, int j) => First + batch * Step + i * Row + j * Column;
}

/// <summary>Four elements of a row of c.</summary>
internal struct Float4(float x, float y, float z, float w)
{
    public float X = x, Y = y, Z = z, W = w;

    /// <summary>a b + c</summary>
    public static Float4 Fma(float a, Float4 b, Float4 c)
    {
        return new(MathF.FusedMultiplyAdd(a, b.X, c.X), MathF.FusedMultiplyAdd(a, b.Y, c.Y), MathF.FusedMultiplyAdd(a, b.Z, c.Z),
            MathF.FusedMultiplyAdd(a, b.W, c.W));
    }
}

/// <summary>
/// The arguments of c = start + a b, or max(start + a b, 0), where start is 0, c or a bias. A group computes one tile of c. The inner dimension may be split into slices: then c has
/// one result per matrix of the batch and slice.
/// </summary>
internal struct GemmArguments
{
    public int Batch, M, N, K, Slices, Depth, TileRows, TileColumns, Accumulate, HasBias, BiasStep, Relu;
    public StridedMatrix A, B, C;
    public ArrayView<float> Bias;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref A, M, K, Batch);
        arrays.Read(ref B, K, N, Batch);
        ArraysOfResult(arrays, Batch * Slices);
    }

    /// <summary>Lists the bias and the results.</summary>
    public void ArraysOfResult(LaunchArrays arrays, int results)
    {
        if (HasBias != 0)
        {
            arrays.Read(ref Bias);
        }
        else
        {
            arrays.Share(ref Bias);
        }
        arrays.Write(ref C, M, N, results);
    }

    /// <summary>a[row, k], or 0 outside the matrix.</summary>
    public readonly float OfA(int batch, int row, int k, int end) => row < M && k < end ? A.Data[A.At(batch, row, k)] : 0f;

    /// <summary>b[k, column], or 0 outside the matrix.</summary>
    public readonly float OfB(int batch, int k, int column, int end) => column < N && k < end ? B.Data[B.At(batch, k, column)] : 0f;

    /// <summary>The initial value of an element's sum.</summary>
    public readonly float Start(int result, int row, int column)
    {
        float start = 0f;
        if (row < M && column < N)
        {
            if (Accumulate != 0)
            {
                start = C.Data[C.At(result, row, column)];
            }
            if (HasBias != 0)
            {
                start = Bias[result * BiasStep + column];
            }
        }
        return start;
    }

    public readonly void Store(int result, int row, int column, float c)
    {
        if (row < M && column < N)
        {
            C.Data[C.At(result, row, column)] = Relu != 0 ? default(Relu).F(new F1(c)).Value : c;
        }
    }
}

/// <summary>The tile of c that a group computes, and its slice of the inner dimension.</summary>
internal readonly struct OutputTile
{
    public OutputTile(LaunchGroup group, GemmArguments product, int side)
    {
        int tile = group.Index, across = tile % product.TileColumns, rest = tile / product.TileColumns;
        (Row, Column, Result) = (rest % product.TileRows * side, across * side, rest / product.TileRows);
        Batch = Result / product.Slices;
        Begin = Result % product.Slices * product.Depth;
        End = product.K - Begin < product.Depth ? product.K : Begin + product.Depth;
    }

    public int Row { get; }

    public int Column { get; }

    public int Result { get; }

    public int Batch { get; }

    public int Begin { get; }

    public int End { get; }
}

/// <summary>The number of threads along an edge of a group. A group computes a tile of four times that edge.</summary>
internal interface ITileEdge
{
    static abstract int Edge { get; }
}

/// <summary>For GPUs: 256 threads compute 64 x 64 elements.</summary>
internal readonly struct WideTile : ITileEdge
{
    public static int Edge => 16;
}

/// <summary>For emulated devices: 16 threads compute 16 x 16 elements.</summary>
internal readonly struct NarrowTile : ITileEdge
{
    public static int Edge => 4;
}

/// <summary>
/// A matrix product in float32. Slabs of a and b, Edge deep, pass through shared memory, which holds two: while one is multiplied, the next is loaded. Each
/// thread keeps sixteen sums in registers, of four rows and four columns, and reads four elements at a time. Each element is one chain of fused multiply-adds
/// in the order of k, as on the CPU.
/// </summary>
internal struct GemmKernel<TTile> : IKernel where TTile : struct, ITileEdge
{
    public GemmArguments Of;

    public void Arrays(LaunchArrays arrays) => Of.Arrays(arrays);

    public readonly void Run(LaunchGroup group)
    {
        int edge = TTile.Edge, side = 4 * TTile.Edge;
        // In quads: a depth of a slab, which is one quad longer than the tile, so that stores along k are to different banks.
        int stride = TTile.Edge + 1, slab = TTile.Edge * (TTile.Edge + 1);
        var quadsA = SharedMemory.Allocate<Float4>(2 * TTile.Edge * (TTile.Edge + 1));
        var quadsB = SharedMemory.Allocate<Float4>(2 * TTile.Edge * (TTile.Edge + 1));
        var tile = new OutputTile(group, Of, side);
        int thread = Group.IdxX, down = thread / edge, across = thread % edge, row = tile.Row + 4 * down, column = tile.Column + 4 * across;
        SlabPlace a = new(thread, edge, Of.A.Column == 1), b = new(thread, edge, Of.B.Column != 1);
        Float4 c0 = Start(tile.Result, row, column), c1 = Start(tile.Result, row + 1, column);
        Float4 c2 = Start(tile.Result, row + 2, column), c3 = Start(tile.Result, row + 3, column);
        Float4 nextA = LoadA(tile, a, tile.Begin), nextB = LoadB(tile, b, tile.Begin);
        int half = 0;
        for (int k = tile.Begin; k < tile.End; k += edge)
        {
            a.Store(quadsA.Cast<float>(), 4 * half, 4 * stride, nextA);
            b.Store(quadsB.Cast<float>(), 4 * half, 4 * stride, nextB);
            Group.Barrier();
            nextA = LoadA(tile, a, k + edge);
            nextB = LoadB(tile, b, k + edge);
            int atA = half + down, atB = half + across;
            if (tile.End - k >= edge)
            {
                for (int depth = 0; depth < edge; depth += 4)
                {
                    Multiply(quadsA[atA], quadsB[atB], ref c0, ref c1, ref c2, ref c3);
                    Multiply(quadsA[atA + stride], quadsB[atB + stride], ref c0, ref c1, ref c2, ref c3);
                    Multiply(quadsA[atA + 2 * stride], quadsB[atB + 2 * stride], ref c0, ref c1, ref c2, ref c3);
                    Multiply(quadsA[atA + 3 * stride], quadsB[atB + 3 * stride], ref c0, ref c1, ref c2, ref c3);
                    atA += 4 * stride;
                    atB += 4 * stride;
                }
            }
            else
            {
                for (int depth = k; depth < tile.End; depth++)
                {
                    Multiply(quadsA[atA], quadsB[atB], ref c0, ref c1, ref c2, ref c3);
                    atA += stride;
                    atB += stride;
                }
            }
            half = slab - half;
        }
        Store(tile.Result, row, column, c0);
        Store(tile.Result, row + 1, column, c1);
        Store(tile.Result, row + 2, column, c2);
        Store(tile.Result, row + 3, column, c3);
    }

    private static void Multiply(Float4 a, Float4 b, ref Float4 c0, ref Float4 c1, ref Float4 c2, ref Float4 c3)
    {
        c0 = Float4.Fma(a.X, b, c0);
        c1 = Float4.Fma(a.Y, b, c1);
        c2 = Float4.Fma(a.Z, b, c2);
        c3 = Float4.Fma(a.W, b, c3);
    }

    private readonly Float4 LoadA(OutputTile tile, SlabPlace at, int k) => new(
        Of.OfA(tile.Batch, tile.Row + at.Element, k + at.Depth, tile.End),
        Of.OfA(tile.Batch, tile.Row + at.Element + at.ElementStep, k + at.Depth + at.DepthStep, tile.End),
        Of.OfA(tile.Batch, tile.Row + at.Element, k + at.Depth + 2 * at.HalfStep, tile.End),
        Of.OfA(tile.Batch, tile.Row + at.Element + at.ElementStep, k + at.Depth + at.DepthStep + 2 * at.HalfStep, tile.End));

    private readonly Float4 LoadB(OutputTile tile, SlabPlace at, int k) => new(
        Of.OfB(tile.Batch, k + at.Depth, tile.Column + at.Element, tile.End),
        Of.OfB(tile.Batch, k + at.Depth + at.DepthStep, tile.Column + at.Element + at.ElementStep, tile.End),
        Of.OfB(tile.Batch, k + at.Depth + 2 * at.HalfStep, tile.Column + at.Element, tile.End),
        Of.OfB(tile.Batch, k + at.Depth + at.DepthStep + 2 * at.HalfStep, tile.Column + at.Element + at.ElementStep, tile.End));

    private readonly Float4 Start(int result, int row, int column)
        => new(Of.Start(result, row, column), Of.Start(result, row, column + 1), Of.Start(result, row, column + 2), Of.Start(result, row, column + 3));

    private readonly void Store(int result, int row, int column, Float4 c)
    {
        Of.Store(result, row, column, c.X);
        Of.Store(result, row, column + 1, c.Y);
        Of.Store(result, row, column + 2, c.Z);
        Of.Store(result, row, column + 3, c.W);
    }
}

/// <summary>
/// The four elements of a slab that a thread loads, so that neighboring threads read neighbors in memory. Where these are neighbors along k, eight threads read
/// a row of half a slab: their stores, a padded depth apart, are to different banks. Element e of the tile at depth d is stored at d stride + e.
/// </summary>
internal readonly struct SlabPlace
{
    public SlabPlace(int thread, int edge, bool alongK)
    {
        int half = edge / 2;
        Depth = alongK ? thread % half : thread / (4 * edge);
        Element = alongK ? thread / half : thread % (4 * edge);
        ElementStep = alongK ? 2 * edge : 0;
        DepthStep = alongK ? 0 : edge / 4;
        HalfStep = edge / 4;
    }

    /// <summary>The depth of the first element.</summary>
    public int Depth { get; }

    /// <summary>The row of a, or column of b, of the first element.</summary>
    public int Element { get; }

    /// <summary>From the first to the second element.</summary>
    public int ElementStep { get; }

    /// <summary>From the first to the second element, in depth.</summary>
    public int DepthStep { get; }

    /// <summary>Half the depth from the first two elements to the last two.</summary>
    public int HalfStep { get; }

    /// <summary>Stores the elements in a slab.</summary>
    public void Store(ILGPU.ArrayView<float> slab, int first, int stride, Float4 elements)
    {
        int near = first + Depth * stride + Element, step = DepthStep * stride + ElementStep, far = near + 2 * HalfStep * stride;
        slab[near] = elements.X;
        slab[near + step] = elements.Y;
        slab[far] = elements.Z;
        slab[far + step] = elements.W;
    }
}

/// <summary>c = start + the results of all slices in order, where start is 0, c or a bias.</summary>
internal struct SumSlicesKernel : IKernel
{
    public GemmArguments Of;
    public ArrayView<float> Parts;
    public int Count;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Share(ref Of.A.Data);
        arrays.Share(ref Of.B.Data);
        Of.ArraysOfResult(arrays, Of.Batch);
        arrays.Read(ref Parts);
    }

    public readonly void Run(LaunchGroup group)
    {
        int size = Of.M * Of.N;
        for (int e = group.Thread; e < Count; e += group.Threads)
        {
            int result = e / size, at = e % size, row = at / Of.N, column = at % Of.N;
            float sum = Of.Start(result, row, column);
            for (int slice = 0; slice < Of.Slices; slice++)
            {
                sum += Parts[(result * Of.Slices + slice) * size + at];
            }
            Of.Store(result, row, column, sum);
        }
    }
}
