using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>A matrix in memory: element (i, j) of matrix b of a batch stands at First + b Step + i Row + j Column.</summary>
internal struct Grid2(ArrayView<float> data, int first, int step, int row, int column)
{
    public ArrayView<float> Data = data;
    public int First = first, Step = step, Row = row, Column = column;

    public readonly int At(int batch, int i, int j) => First + batch * Step + i * Row + j * Column;
}

/// <summary>Four numbers of a row of c.</summary>
internal struct Quad(float x, float y, float z, float w)
{
    public float X = x, Y = y, Z = z, W = w;

    /// <summary>a b + c</summary>
    public static Quad Fma(float a, Quad b, Quad c)
    {
        return new(MathF.FusedMultiplyAdd(a, b.X, c.X), MathF.FusedMultiplyAdd(a, b.Y, c.Y), MathF.FusedMultiplyAdd(a, b.Z, c.Z),
            MathF.FusedMultiplyAdd(a, b.W, c.W));
    }
}

/// <summary>
/// c = start + a b, start being 0, c or a bias. A group makes one square of c. A long k may be cut into slices: then c has room for as many results per
/// matrix of the batch, and each is of its slice.
/// </summary>
internal struct Product
{
    public int M, N, K, Slices, Depth, TilesDown, TilesAcross, Accumulate, HasBias, BiasStep;
    public Grid2 A, B, C;
    public ArrayView<float> Bias;

    /// <summary>a[row, k], or 0 outside of it.</summary>
    public readonly float OfA(int batch, int row, int k, int end) => row < M && k < end ? A.Data[A.At(batch, row, k)] : 0f;

    /// <summary>b[k, column], or 0 outside of it.</summary>
    public readonly float OfB(int batch, int k, int column, int end) => column < N && k < end ? B.Data[B.At(batch, k, column)] : 0f;

    /// <summary>What the sum of an element begins with.</summary>
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
            C.Data[C.At(result, row, column)] = c;
        }
    }
}

/// <summary>Which square of which result a group makes, and of which part of k.</summary>
internal readonly struct Square
{
    public Square(Product product, int side)
    {
        int tile = Grid.IdxX, across = tile % product.TilesAcross, rest = tile / product.TilesAcross;
        (Row, Column, Result) = (rest % product.TilesDown * side, across * side, rest / product.TilesDown);
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

/// <summary>How many threads an edge of a group has: a group makes a square of c of four times that.</summary>
internal interface ITileEdge
{
    static abstract int Edge { get; }
}

/// <summary>A GPU: 256 threads make 64 x 64 numbers.</summary>
internal readonly struct WideTile : ITileEdge
{
    public static int Edge => 16;
}

/// <summary>A processor that stands in for one: sixteen threads make 16 x 16.</summary>
internal readonly struct NarrowTile : ITileEdge
{
    public static int Edge => 4;
}

/// <summary>
/// A product in float32. Slabs of a and b, Edge deep, pass through shared memory, and each thread keeps sixteen sums in registers: four neighboring rows,
/// and four columns that lie Edge apart, so that neighboring threads read and write neighboring numbers. Every element is one chain of fused
/// multiply-adds in the order of k, as on the CPU.
/// </summary>
internal struct GemmKernel<TTile> : IKernel where TTile : struct, ITileEdge
{
    public Product Of;

    public readonly void Run()
    {
        int edge = TTile.Edge, side = 4 * TTile.Edge;
        var slabA = SharedMemory.Allocate<float>(4 * TTile.Edge * TTile.Edge);
        var slabB = SharedMemory.Allocate<float>(4 * TTile.Edge * TTile.Edge);
        var square = new Square(Of, side);
        int thread = Group.IdxX, row = square.Row + thread / edge * 4, column = square.Column + thread % edge;
        Quad c0 = Start(square.Result, row, column, edge), c1 = Start(square.Result, row + 1, column, edge);
        Quad c2 = Start(square.Result, row + 2, column, edge), c3 = Start(square.Result, row + 3, column, edge);
        for (int k = square.Begin; k < square.End; k += edge)
        {
            Group.Barrier();
            for (int e = thread; e < side * edge; e += edge * edge)
            {
                // Along memory: neighboring threads read neighboring numbers.
                int depth = Of.A.Column == 1 ? e % edge : e / side, i = Of.A.Column == 1 ? e / edge : e % side;
                slabA[depth * side + i] = Of.OfA(square.Batch, square.Row + i, k + depth, square.End);
                depth = Of.B.Column == 1 ? e / side : e % edge;
                i = Of.B.Column == 1 ? e % side : e / edge;
                slabB[depth * side + i] = Of.OfB(square.Batch, k + depth, square.Column + i, square.End);
            }
            Group.Barrier();
            int left = square.End - k < edge ? square.End - k : edge;
            for (int depth = 0; depth < left; depth++)
            {
                int a = depth * side + thread / edge * 4, b = depth * side + thread % edge;
                var quad = new Quad(slabB[b], slabB[b + edge], slabB[b + 2 * edge], slabB[b + 3 * edge]);
                c0 = Quad.Fma(slabA[a], quad, c0);
                c1 = Quad.Fma(slabA[a + 1], quad, c1);
                c2 = Quad.Fma(slabA[a + 2], quad, c2);
                c3 = Quad.Fma(slabA[a + 3], quad, c3);
            }
        }
        Store(square.Result, row, column, edge, c0);
        Store(square.Result, row + 1, column, edge, c1);
        Store(square.Result, row + 2, column, edge, c2);
        Store(square.Result, row + 3, column, edge, c3);
    }

    private readonly Quad Start(int result, int row, int column, int edge)
        => new(Of.Start(result, row, column), Of.Start(result, row, column + edge), Of.Start(result, row, column + 2 * edge),
            Of.Start(result, row, column + 3 * edge));

    private readonly void Store(int result, int row, int column, int edge, Quad c)
    {
        Of.Store(result, row, column, c.X);
        Of.Store(result, row, column + edge, c.Y);
        Of.Store(result, row, column + 2 * edge, c.Z);
        Of.Store(result, row, column + 3 * edge, c.W);
    }
}

/// <summary>c = start + the results of all slices of k, from the first to the last, start being 0, c or a bias.</summary>
internal struct SumSlicesKernel : IKernel
{
    public Product Of;
    public ArrayView<float> Parts;
    public int Count;

    public readonly void Run()
    {
        int size = Of.M * Of.N;
        for (int e = Thread.Index; e < Count; e += Thread.Count)
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
