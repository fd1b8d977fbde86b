using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Marl.Native;

/// <summary>
/// Products of matrices. Depth is cut into blocks, columns into panels as wide as a lane of <see cref="Tile"/>, so that a panel
/// of b stays in the first-level cache while the rows of a pass by. Between blocks an element waits in c, and a float stored and
/// loaded again is the same float: its chain of fused multiply-adds over k is the same whatever the blocks, panels and tiles.
/// </summary>
internal sealed unsafe partial class CpuDevice
{
    /// <summary>Depth of a block: a packed panel of two V16 is 16 KiB, a third of a first-level cache.</summary>
    private const int MaxDepth = 128;

    /// <summary>Height of a block: half a MiB of a, which stays in the second-level cache while all panels pass by.</summary>
    private const int MaxHeight = 80 * Tile.MaxRows;

    /// <summary>The widest lane.</summary>
    private const int MaxWidth = 64;

    /// <summary>From this many rows on, copying a panel of b together pays for itself.</summary>
    private const int RowsToPack = 96;

    /// <inheritdoc/>
    public override void Gemm(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias)
    {
        CheckProduct(a, b, c, accumulate, bias);
        if (c.M == 0 || c.N == 0)
        {
            return;
        }
        float* zeros = stackalloc float[MaxWidth];
        new Span<float>(zeros, MaxWidth).Clear();
        fixed (float* pa = a.Data.Span, pb = b.Data.Span, pc = c.Data.Span, pBias = bias.IsNone ? default : bias.Span)
        {
            int biasStep = bias.IsNone || bias.Count == c.N ? 0 : c.N;
            for (int batch = 0; batch < c.Batch; batch++)
            {
                var result = Grid.Of(pc, c, batch);
                var start = accumulate ? result : bias.IsNone ? new Grid(zeros, 0, 0) : new Grid(pBias + batch * biasStep, 0, 1);
                Multiply(Grid.Of(pa, a, batch), Grid.Of(pb, b, batch), start, result, c.M, c.N, a.N);
            }
        }
    }

    private static void CheckProduct(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias)
    {
        bool fits = a.M == c.M && a.N == b.M && b.N == c.N;
        fits &= (a.Batch == c.Batch || a.Batch == 1) && (b.Batch == c.Batch || b.Batch == 1);
        if (!fits)
        {
            throw new ArgumentException($"gemm: {a} times {b} does not make {c}");
        }
        if (!bias.IsNone && (accumulate || bias.Count != c.N && bias.Count != c.N * c.Batch))
        {
            throw new ArgumentException(accumulate ? "gemm: either a bias or accumulation" : $"gemm: bias {bias} for {c}");
        }
    }

    private static void Multiply(Grid a, Grid b, Grid start, Grid c, int m, int n, int k)
    {
        // Lanes run along the columns of b and c. Where those are not contiguous, panels of b are transposed on the way; for few
        // rows it is cheaper to compute the transposed product, whose panels are a's.
        if (c.Column != 1 || b.Column != 1 && m <= V16.Width)
        {
            (a, b, start, c, m, n) = (b.T, a.T, start.T, c.T, n, m);
        }
        int done = 0;
        do
        {
            int depth = Math.Min(k - done, MaxDepth);
            var first = done == 0 ? start : c;
            for (int row = 0; row < m; row += MaxHeight)
            {
                int height = Math.Min(m - row, MaxHeight);
                MultiplyBlock(new(a.From(row, done), b.From(done, 0), first.From(row, 0), c.From(row, 0), height, n, depth));
            }
            done += depth;
        }
        while (done < k);
    }

    private static void MultiplyBlock(in Product product)
    {
        // Whole lanes of c are loaded and stored where its columns are contiguous; so must be those of the start, unless all are
        // the same zeros.
        bool contiguous = product.C.Column == 1 && (product.Start.Column == 1 || product.Start.Row == 0);
        // A few rows in one tile of the usual width would wait for each multiply-add: twice the columns are twice the chains.
        bool few = product.M < Tile.MaxRows && product.B.Column == 1;
        int column = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            column = contiguous && few ? Panels<Pair<Pair<V16>>>(product, column) : column;
            column = contiguous ? Panels<Pair<V16>>(product, column) : column;
            column = contiguous ? Panels<V16>(product, column) : column;
        }
        else
        {
            column = contiguous && few ? Panels<Pair<V8>>(product, column) : column;
            column = contiguous ? Panels<V8>(product, column) : column;
        }
        if (Vector512.IsHardwareAccelerated && product.N - column > V8.Width)
        {
            Edges<V16>(product, column);
        }
        else
        {
            Edges<V8>(product, column);
        }
    }

    /// <summary>Panels of whole lanes from <paramref name="column"/> on; returns the first column that is left.</summary>
    [SkipLocalsInit]
    private static int Panels<T>(in Product product, int column) where T : struct, ITileLane<T>
    {
        if (product.N - column < T.Width)
        {
            return column;
        }
        bool pack = product.B.Column != 1 || product.M >= RowsToPack;
        float* space = stackalloc float[pack ? MaxDepth * T.Width + V16.Width : 0], panel = CacheLine(space);
        for (; column <= product.N - T.Width; column += T.Width)
        {
            var b = product.B.From(0, column);
            if (pack)
            {
                b = Pack<T>(b, product.Depth, T.Width, panel);
            }
            for (int row = 0, rows; row < product.M; row += rows)
            {
                rows = Tile.Fit(product.M - row);
                Tile.Run<T>(rows, product.A.At(row, 0), product.A.Row, product.A.Column, b.At(0, 0), b.Row, product.Depth,
                    product.Start.At(row, column), product.Start.Row, product.C.At(row, column), product.C.Row);
            }
        }
        return column;
    }

    /// <summary>The last columns, fewer than a lane, or all where c is not contiguous: the panel of b is filled up with zeros,
    /// and each tile of c comes from and goes to a buffer of whole lanes.</summary>
    [SkipLocalsInit]
    private static void Edges<T>(in Product product, int column) where T : struct, ITileLane<T>
    {
        if (column == product.N)
        {
            return;
        }
        int tileSize = Tile.MaxRows * T.Width;
        float* space = stackalloc float[MaxDepth * T.Width + 2 * tileSize + V16.Width], panel = CacheLine(space);
        // A start that is the same in all rows, zeros or a bias, is one row of the buffer, filled once.
        bool alike = product.Start.Row == 0;
        var tile = new Grid(panel + MaxDepth * T.Width, T.Width, 1);
        var start = new Grid(tile.At(Tile.MaxRows, 0), alike ? 0 : T.Width, 1);
        // What the stack held could be denormal numbers, which are slow even in lanes that nobody looks at.
        new Span<float>(start.At(0, 0), tileSize).Clear();
        for (int columns; column < product.N; column += columns)
        {
            columns = Math.Min(T.Width, product.N - column);
            var b = Pack<T>(product.B.From(0, column), product.Depth, columns, panel);
            Copy(product.Start.From(0, column), start, alike ? 1 : 0, columns);
            for (int row = 0, rows; row < product.M; row += rows)
            {
                rows = Tile.Fit(product.M - row);
                Copy(product.Start.From(row, column), start, alike ? 0 : rows, columns);
                Tile.Run<T>(rows, product.A.At(row, 0), product.A.Row, product.A.Column, b.At(0, 0), b.Row, product.Depth,
                    start.At(0, 0), start.Row, tile.At(0, 0), tile.Row);
                Copy(tile, product.C.From(row, column), rows, columns);
            }
        }
    }

    /// <summary>Copies a panel of b together, each row filled up with zeros to the width of a lane.</summary>
    private static Grid Pack<T>(Grid b, int depth, int columns, float* panel) where T : struct, ITileLane<T>
    {
        var packed = new Grid(panel, T.Width, 1);
        if (columns < T.Width)
        {
            new Span<float>(panel, depth * T.Width).Clear();
            Copy(b, packed, depth, columns);
        }
        else if (b.Column == 1)
        {
            for (int k = 0; k < depth; k++)
            {
                T.Load(ref *b.At(k, 0), 0).Store(ref *packed.At(k, 0), 0);
            }
        }
        else
        {
            for (int j = 0; j < columns; j += 4)
            {
                float* b0 = b.At(0, j), b1 = b0 + b.Column, b2 = b1 + b.Column, b3 = b2 + b.Column, to = panel + j;
                for (int k = 0; k < depth; k++, b0 += b.Row, b1 += b.Row, b2 += b.Row, b3 += b.Row, to += T.Width)
                {
                    Vector128.Create(*b0, *b1, *b2, *b3).Store(to);
                }
            }
        }
        return packed;
    }

    private static void Copy(Grid from, Grid to, int rows, int columns)
    {
        for (int i = 0; i < rows; i++)
        {
            float* source = from.At(i, 0), target = to.At(i, 0);
            for (int j = 0; j < columns; j++, source += from.Column, target += to.Column)
            {
                *target = *source;
            }
        }
    }

    /// <summary>The first cache line that begins in <paramref name="space"/>, 15 floats from its start at most.</summary>
    private static float* CacheLine(float* space) => (float*)((nint)space + 63 & ~63);

    /// <summary>A matrix in memory: element (i, j) stands at i <see cref="Row"/> + j <see cref="Column"/>.</summary>
    private readonly struct Grid(float* first, nint row, nint column)
    {
        private readonly float* first = first;

        public nint Row { get; } = row;

        public nint Column { get; } = column;

        public Grid T => new(first, Column, Row);

        public static Grid Of(float* data, Matrix matrix, int batch)
        {
            float* start = data + (matrix.Batch == 1 ? 0 : (nint)batch * matrix.Step);
            return matrix.Transposed ? new(start, 1, matrix.Stride) : new(start, matrix.Stride, 1);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float* At(int i, int j) => first + i * Row + j * Column;

        public Grid From(int i, int j) => new(At(i, j), Row, Column);
    }

    /// <summary>c = start + a b for one block of depth: a [m, depth], b [depth, n].</summary>
    private readonly struct Product(Grid a, Grid b, Grid start, Grid c, int m, int n, int depth)
    {
        public readonly Grid A = a, B = b, Start = start, C = c;
        public readonly int M = m, N = n, Depth = depth;
    }
}
