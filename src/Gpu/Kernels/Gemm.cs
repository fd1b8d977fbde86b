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
/// A matrix product in float32. Slabs of a and b, Edge deep, pass through shared memory. Each thread keeps sixteen sums in registers: four consecutive rows,
/// and four columns that are Edge apart, so that neighboring threads access neighboring elements. Each element is one chain of fused multiply-adds in the order
/// of k, as on the CPU.
/// </summary>
internal struct GemmKernel<TTile> : IKernel where TTile : struct, ITileEdge
{
    public GemmArguments Of;

    public void Arrays(LaunchArrays arrays) => Of.Arrays(arrays);

    public readonly void Run(LaunchGroup group)
    {
        int edge = TTile.Edge, side = 4 * TTile.Edge;
        var slabA = SharedMemory.Allocate<float>(4 * TTile.Edge * TTile.Edge);
        var slabB = SharedMemory.Allocate<float>(4 * TTile.Edge * TTile.Edge);
        var tile = new OutputTile(group, Of, side);
        int thread = Group.IdxX, row = tile.Row + thread / edge * 4, column = tile.Column + thread % edge;
        Float4 c0 = Start(tile.Result, row, column, edge), c1 = Start(tile.Result, row + 1, column, edge);
        Float4 c2 = Start(tile.Result, row + 2, column, edge), c3 = Start(tile.Result, row + 3, column, edge);
        for (int k = tile.Begin; k < tile.End; k += edge)
        {
            Group.Barrier();
            for (int e = thread; e < side * edge; e += edge * edge)
            {
                // Coalesced: neighboring threads read neighboring elements.
                int depth = Of.A.Column == 1 ? e % edge : e / side, i = Of.A.Column == 1 ? e / edge : e % side;
                slabA[depth * side + i] = Of.OfA(tile.Batch, tile.Row + i, k + depth, tile.End);
                depth = Of.B.Column == 1 ? e / side : e % edge;
                i = Of.B.Column == 1 ? e % side : e / edge;
                slabB[depth * side + i] = Of.OfB(tile.Batch, k + depth, tile.Column + i, tile.End);
            }
            Group.Barrier();
            int left = tile.End - k < edge ? tile.End - k : edge;
            for (int depth = 0; depth < left; depth++)
            {
                int a = depth * side + thread / edge * 4, b = depth * side + thread % edge;
                var quad = new Float4(slabB[b], slabB[b + edge], slabB[b + 2 * edge], slabB[b + 3 * edge]);
                c0 = Float4.Fma(slabA[a], quad, c0);
                c1 = Float4.Fma(slabA[a + 1], quad, c1);
                c2 = Float4.Fma(slabA[a + 2], quad, c2);
                c3 = Float4.Fma(slabA[a + 3], quad, c3);
            }
        }
        Store(tile.Result, row, column, edge, c0);
        Store(tile.Result, row + 1, column, edge, c1);
        Store(tile.Result, row + 2, column, edge, c2);
        Store(tile.Result, row + 3, column, edge, c3);
    }

    private readonly Float4 Start(int result, int row, int column, int edge)
        => new(Of.Start(result, row, column), Of.Start(result, row, column + edge), Of.Start(result, row, column + 2 * edge),
            Of.Start(result, row, column + 3 * edge));

    private readonly void Store(int result, int row, int column, int edge, Float4 c)
    {
        Of.Store(result, row, column, c.X);
        Of.Store(result, row, column + edge, c.Y);
        Of.Store(result, row, column + 2 * edge, c.Z);
        Of.Store(result, row, column + 3 * edge, c.W);
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
