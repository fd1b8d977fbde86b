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
/// c = start + a b, start being 0, c or a bias. A group makes one square of c; slabs of a and b, Edge deep, pass through shared memory, and each thread
/// keeps sixteen sums in registers: four neighbouring rows, and four columns that lie Edge apart, so that neighbouring threads read and write
/// neighbouring numbers. Every element is one chain of fused multiply-adds in the order of k, as on the CPU.
/// </summary>
internal struct GemmKernel<TTile> : IKernel where TTile : struct, ITileEdge
{
    public int M, N, K, TilesDown, TilesAcross, Accumulate, HasBias, BiasStep;
    public Grid2 A, B, C;
    public ArrayView<float> Bias;

    public readonly void Run()
    {
        int edge = TTile.Edge, side = 4 * TTile.Edge;
        var slabA = SharedMemory.Allocate<float>(4 * TTile.Edge * TTile.Edge);
        var slabB = SharedMemory.Allocate<float>(4 * TTile.Edge * TTile.Edge);
        int tile = Grid.IdxX, across = tile % TilesAcross, rest = tile / TilesAcross, down = rest % TilesDown, batch = rest / TilesDown;
        int firstRow = down * side, firstColumn = across * side, thread = Group.IdxX;
        int row = firstRow + thread / edge * 4, column = firstColumn + thread % edge;
        Quad c0 = Start(batch, row, column, edge), c1 = Start(batch, row + 1, column, edge);
        Quad c2 = Start(batch, row + 2, column, edge), c3 = Start(batch, row + 3, column, edge);
        for (int k = 0; k < K; k += edge)
        {
            Group.Barrier();
            for (int e = thread; e < side * edge; e += edge * edge)
            {
                // Along memory: neighbouring threads read neighbouring numbers.
                int depth = A.Column == 1 ? e % edge : e / side, i = A.Column == 1 ? e / edge : e % side;
                bool inside = firstRow + i < M && k + depth < K;
                slabA[depth * side + i] = inside ? A.Data[A.At(batch, firstRow + i, k + depth)] : 0f;
                depth = B.Column == 1 ? e / side : e % edge;
                i = B.Column == 1 ? e % side : e / edge;
                inside = firstColumn + i < N && k + depth < K;
                slabB[depth * side + i] = inside ? B.Data[B.At(batch, k + depth, firstColumn + i)] : 0f;
            }
            Group.Barrier();
            int left = K - k < edge ? K - k : edge;
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
        Store(batch, row, column, edge, c0);
        Store(batch, row + 1, column, edge, c1);
        Store(batch, row + 2, column, edge, c2);
        Store(batch, row + 3, column, edge, c3);
    }

    private readonly Quad Start(int batch, int row, int column, int edge)
        => new(Start(batch, row, column), Start(batch, row, column + edge), Start(batch, row, column + 2 * edge), Start(batch, row, column + 3 * edge));

    private readonly float Start(int batch, int row, int column)
    {
        float start = 0f;
        if (row < M && column < N)
        {
            if (Accumulate != 0)
            {
                start = C.Data[C.At(batch, row, column)];
            }
            if (HasBias != 0)
            {
                start = Bias[batch * BiasStep + column];
            }
        }
        return start;
    }

    private readonly void Store(int batch, int row, int column, int edge, Quad c)
    {
        Store(batch, row, column, c.X);
        Store(batch, row, column + edge, c.Y);
        Store(batch, row, column + 2 * edge, c.Z);
        Store(batch, row, column + 3 * edge, c.W);
    }

    private readonly void Store(int batch, int row, int column, float c)
    {
        if (row < M && column < N)
        {
            C.Data[C.At(batch, row, column)] = c;
        }
    }
}
