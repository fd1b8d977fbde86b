using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Marl.Native;

/// <summary>
/// Matrix products. The inner dimension is cut into blocks and the columns into panels of one <see cref="Tile"/> lane, so that a panel of b stays in the
/// first-level cache while the rows of a stream through. Between blocks an element is stored in c; a float that is stored and loaded is unchanged, so that its
/// chain of fused multiply-adds over k is the same for all blocks, panels and tiles.
/// </summary>
internal sealed unsafe partial class CpuDevice
{
    /// <summary>The depth of a block: a packed panel of two V16 takes 16 KiB, a third of a first-level cache.</summary>
    private const int MaxDepth = 128;

    /// <summary>The height of a block: 0.5 MiB of a, which stays in the second-level cache for all panels.</summary>
    private const int MaxHeight = 80 * Tile.MaxRows;

    /// <summary>The height of a packed block of a: 96 KiB.</summary>
    private const int MaxPackedHeight = 16 * Tile.MaxRows;

    /// <summary>The width of the widest lane.</summary>
    private const int MaxWidth = 64;

    /// <summary>The number of rows from which packing a panel of b pays off.</summary>
    private const int RowsToPack = 96;

    public override void Gemm(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias)
    {
        Matrix.CheckProduct(a, b, c, accumulate, bias);
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
                var result = StridedMatrix.Of(pc, c, batch);
                var start = accumulate ? result : bias.IsNone ? new StridedMatrix(zeros, 0, 0) : new StridedMatrix(pBias + batch * biasStep, 0, 1);
                Multiply(StridedMatrix.Of(pa, a, batch), StridedMatrix.Of(pb, b, batch), start, result, c.M, c.N, a.N);
            }
        }
    }

    private static void Multiply(StridedMatrix a, StridedMatrix b, StridedMatrix start, StridedMatrix c, int m, int n, int k)
    {
        // Lanes run along the columns of c; if those are not contiguous, compute the transposed product.
        if (c.Column != 1)
        {
            (a, b, start, c, m, n) = (b.T, a.T, start.T, c.T, n, m);
        }
        int done = 0;
        do
        {
            int depth = Math.Min(k - done, MaxDepth);
            var first = done == 0 ? start : c;
            int maxHeight = ConflictsInCache(a.Column) ? MaxPackedHeight : MaxHeight;
            for (int row = 0; row < m; row += maxHeight)
            {
                int height = Math.Min(m - row, maxHeight);
                var product = new Product(a.From(row, done), b.From(done, 0), first.From(row, 0), c.From(row, 0), height, n, depth);
                if (ConflictsInCache(a.Column) && n > 2 * V16.Width)
                {
                    MultiplyPacked(product);
                }
                else
                {
                    MultiplyBlock(product);
                }
            }
            done += depth;
        }
        while (done < k);
    }

    /// <summary>Whether elements at this stride conflict in the first-level cache: at multiples of 512 bytes only 8 of its 64 sets are used.</summary>
    private static bool ConflictsInCache(nint stride) => stride % 128 == 0;

    /// <summary>
    /// The product with a block of a transposed a whose columns conflict in the cache: the block is packed first, tile by tile, instead of being loaded again
    /// for each panel of b.
    /// </summary>
    [SkipLocalsInit]
    private static void MultiplyPacked(in Product product)
    {
        float* space = stackalloc float[MaxPackedHeight * MaxDepth + V16.Width], packed = CacheLine(space);
        PackTiles(product.A, product.M, product.Depth, packed);
        MultiplyBlock(product.WithPackedA(packed));
    }

    /// <summary>Packs the rows of each tile next to each other for each k. The rows of a column are contiguous, so that memory is read in order.</summary>
    private static void PackTiles(StridedMatrix a, int m, int depth, float* packed)
    {
        for (int k = 0; k < depth; k++)
        {
            float* from = a.At(0, k), to = packed + k * Tile.MaxRows;
            int row = 0;
            for (; a.Row == 1 && row <= m - Tile.MaxRows; row += Tile.MaxRows, from += Tile.MaxRows, to += depth * Tile.MaxRows)
            {
                Vector128<float> rows0 = Vector128.Load(from), rows4 = Vector128.Load(from + 4), rows8 = Vector128.Load(from + 8);
                rows0.Store(to);
                rows4.Store(to + 4);
                rows8.Store(to + 8);
            }
            for (int rows; row < m; row += rows)
            {
                rows = Math.Min(m - row, Tile.MaxRows);
                for (int i = 0; i < rows; i++)
                {
                    packed[row * depth + k * rows + i] = *a.At(row + i, k);
                }
            }
        }
    }

    private static void MultiplyBlock(in Product product)
    {
        // Whole lanes of c are loaded and stored where its columns are contiguous; so must be those of the start, unless all rows are
        // the same zeros.
        bool contiguous = product.C.Column == 1 && (product.Start.Column == 1 || product.Start.Row == 0);
        // A few rows in one tile of the usual width are bound by the latency of the multiply-add: twice the columns are twice the chains.
        bool hasFewRows = product.M < Tile.MaxRows && product.B.Column == 1;
        int column = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            column = contiguous && hasFewRows ? Panels<Pair<Pair<V16>>>(product, column) : column;
            column = contiguous ? Panels<Pair<V16>>(product, column) : column;
            column = contiguous ? Panels<V16>(product, column) : column;
        }
        else
        {
            column = contiguous ? Panels<Pair<V8>>(product, column) : column;
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

    /// <summary>Multiplies panels of whole lanes from <paramref name="column"/> on. Returns the first remaining column.</summary>
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
                rows = Tile.Fit<T>(product.M - row);
                Tile.Run<T>(rows, product.ATile(row), product.ARow, product.AStep(row), b.At(0, 0), b.Row, product.Depth,
                    product.Start.At(row, column), product.Start.Row, product.C.At(row, column), product.C.Row);
            }
        }
        return column;
    }

    /// <summary>
    /// Multiplies the last columns, fewer than a lane, or all columns where c is not contiguous: the panel of b is padded with zeros, and each tile of c goes
    /// through a buffer of whole lanes.
    /// </summary>
    [SkipLocalsInit]
    private static void Edges<T>(in Product product, int column) where T : struct, ITileLane<T>
    {
        if (column == product.N)
        {
            return;
        }
        int tileSize = Tile.MaxRows * T.Width;
        float* space = stackalloc float[MaxDepth * T.Width + 2 * tileSize + V16.Width], panel = CacheLine(space);
        // A start that is equal in all rows (zeros or a bias) takes one row of the buffer, filled once.
        bool hasEqualRows = product.Start.Row == 0;
        var tile = new StridedMatrix(panel + MaxDepth * T.Width, T.Width, 1);
        var start = new StridedMatrix(tile.At(Tile.MaxRows, 0), hasEqualRows ? 0 : T.Width, 1);
        // Clear old stack contents: denormals are slow, even in unused lanes.
        new Span<float>(start.At(0, 0), tileSize).Clear();
        for (int columns; column < product.N; column += columns)
        {
            columns = Math.Min(T.Width, product.N - column);
            var b = Pack<T>(product.B.From(0, column), product.Depth, columns, panel);
            Copy(product.Start.From(0, column), start, hasEqualRows ? 1 : 0, columns);
            for (int row = 0, rows; row < product.M; row += rows)
            {
                rows = Tile.Fit<T>(product.M - row);
                Copy(product.Start.From(row, column), start, hasEqualRows ? 0 : rows, columns);
                Tile.Run<T>(rows, product.ATile(row), product.ARow, product.AStep(row), b.At(0, 0), b.Row, product.Depth,
                    start.At(0, 0), start.Row, tile.At(0, 0), tile.Row);
                Copy(tile, product.C.From(row, column), rows, columns);
            }
        }
    }

    /// <summary>Packs a panel of b; each row is padded with zeros to the width of a lane.</summary>
    private static StridedMatrix Pack<T>(StridedMatrix b, int depth, int columns, float* panel) where T : struct, ITileLane<T>
    {
        var packed = new StridedMatrix(panel, T.Width, 1);
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
                Transpose(b.From(0, j), depth, panel + j, T.Width);
            }
        }
        return packed;
    }

    /// <summary>Writes four columns of b, each contiguous, as rows of four that are <paramref name="stride"/> apart.</summary>
    private static void Transpose(StridedMatrix b, int depth, float* to, nint stride)
    {
        float* b0 = b.At(0, 0), b1 = b0 + b.Column, b2 = b1 + b.Column, b3 = b2 + b.Column;
        int k = 0;
        if (Sse.IsSupported && b.Row == 1)
        {
            for (; k <= depth - 4; k += 4, to += 4 * stride)
            {
                Vector128<float> r0 = Vector128.Load(b0 + k), r1 = Vector128.Load(b1 + k), r2 = Vector128.Load(b2 + k), r3 = Vector128.Load(b3 + k);
                Vector128<float> low01 = Sse.UnpackLow(r0, r1), low23 = Sse.UnpackLow(r2, r3);
                Vector128<float> high01 = Sse.UnpackHigh(r0, r1), high23 = Sse.UnpackHigh(r2, r3);
                Sse.MoveLowToHigh(low01, low23).Store(to);
                Sse.MoveHighToLow(low23, low01).Store(to + stride);
                Sse.MoveLowToHigh(high01, high23).Store(to + 2 * stride);
                Sse.MoveHighToLow(high23, high01).Store(to + 3 * stride);
            }
        }
        for (; k < depth; k++, to += stride)
        {
            Vector128.Create(b0[k * b.Row], b1[k * b.Row], b2[k * b.Row], b3[k * b.Row]).Store(to);
        }
    }

    /// <summary>Copies a block of rows and columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Copy(StridedMatrix from, StridedMatrix to, int rows, int columns)
    {
        if (from.Column == 1 && to.Column == 1 && columns < V16.Width)
        {
            float* x = from.At(0, 0), y = to.At(0, 0);
            for (; rows > 0; rows--, x += from.Row, y += to.Row)
            {
                V16.LoadFirst(columns, ref *x, 0, 0f).StoreFirst(columns, ref *y, 0);
            }
            return;
        }
        for (int i = 0; i < rows; i++)
        {
            float* source = from.At(i, 0), target = to.At(i, 0);
            for (int j = 0; j < columns; j++, source += from.Column, target += to.Column)
            {
                *target = *source;
            }
        }
    }

    /// <summary>Aligns a pointer up to the next cache line, at most 15 floats further.</summary>
    private static float* CacheLine(float* space) => (float*)((nint)space + 63 & ~63);

    /// <summary>A matrix in memory: element (i, j) is at i <see cref="Row"/> + j <see cref="Column"/>.</summary>
    private readonly struct StridedMatrix(float* first, nint row, nint column)
    {
        private readonly float* first = first;

        public nint Row { get; } = row;

        public nint Column { get; } = column;

        public StridedMatrix T => new(first, Column, Row);

        public static StridedMatrix Of(float* data, Matrix matrix, int batch)
        {
            float* start = data + matrix.Offset + (matrix.Batch == 1 ? 0 : (nint)batch * matrix.BatchStride);
            return matrix.Transposed ? new(start, 1, matrix.RowStride) : new(start, matrix.RowStride, 1);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float* At(int i, int j) => first + i * Row + j * Column;

        public StridedMatrix From(int i, int j) => new(At(i, j), Row, Column);
    }

    /// <summary>c = start + a b for one block of the inner dimension: a [m, depth], b [depth, n].</summary>
    private readonly struct Product(StridedMatrix a, StridedMatrix b, StridedMatrix start, StridedMatrix c, int m, int n, int depth, bool packedA = false)
    {
        public readonly StridedMatrix A = a, B = b, Start = start, C = c;
        public readonly int M = m, N = n, Depth = depth;

        // Packed, twelve rows of a are next to each other for each k, then the next twelve; the last tile may have fewer.

        /// <summary>The start in a of the tile that begins at a row.</summary>
        public float* ATile(int row) => packedA ? A.At(0, 0) + (row - row % Tile.MaxRows) * Depth + row % Tile.MaxRows : A.At(row, 0);

        /// <summary>The distance between two rows of a tile of a.</summary>
        public nint ARow => packedA ? 1 : A.Row;

        /// <summary>The distance from a[i, k] to a[i, k + 1] in the tile that begins at a row.</summary>
        public nint AStep(int row) => packedA ? Math.Min(Tile.MaxRows, M - (row - row % Tile.MaxRows)) : A.Column;

        /// <summary>The same product with a packed a.</summary>
        public Product WithPackedA(float* packed) => new(new StridedMatrix(packed, 0, 0), B, Start, C, M, N, Depth, packedA: true);
    }
}
