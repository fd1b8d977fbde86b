namespace Marl.Native;

/// <summary>
/// A strided view of a tensor as a batch of matrices, as <see cref="Device.Gemm"/> takes them. The view covers plain matrices, batches of matrices, and the
/// rows of group n in a tensor [.., N, F] (row stride N F, batch stride F), so that groups with their own weights need no copying.
/// </summary>
public readonly struct Matrix
{
    private Matrix(Tensor data, int offset, int rows, int columns, int rowStride, int batch, int batchStride, bool transposed)
        => (Data, Offset, Rows, Columns, RowStride, Batch, BatchStride, Transposed) = (data, offset, rows, columns, rowStride, batch, batchStride, transposed);

    /// <summary>The tensor.</summary>
    public Tensor Data { get; }

    /// <summary>The index of the first element of the first matrix in the tensor.</summary>
    public int Offset { get; }

    /// <summary>The number of rows, as stored.</summary>
    public int Rows { get; }

    /// <summary>The number of columns, as stored.</summary>
    public int Columns { get; }

    /// <summary>The distance between two stored rows, in elements.</summary>
    public int RowStride { get; }

    /// <summary>The number of matrices.</summary>
    public int Batch { get; }

    /// <summary>The distance between two matrices, in elements; 0 repeats one matrix.</summary>
    public int BatchStride { get; }

    /// <summary>Whether the matrices are transposed as operands.</summary>
    public bool Transposed { get; }

    /// <summary>The transposed view.</summary>
    public Matrix T => new(Data, Offset, Rows, Columns, RowStride, Batch, BatchStride, !Transposed);

    /// <summary>The number of rows as an operand.</summary>
    public int M => Transposed ? Columns : Rows;

    /// <summary>The number of columns as an operand.</summary>
    public int N => Transposed ? Rows : Columns;

    /// <summary>Views [.., F] as one matrix of all rows.</summary>
    public static Matrix Of(Tensor x) => new(x, 0, x.Shape.Rows, x.Shape.Columns, x.Shape.Columns, 1, 0, false);

    /// <summary>Views [.., R, F] as a batch of matrices [R, F].</summary>
    public static Matrix Batched(Tensor x)
    {
        int rows = x.Shape[-2], columns = x.Shape[-1];
        return new(x, 0, rows, columns, columns, x.Shape.Product(0, x.Shape.Rank - 2), rows * columns, false);
    }

    /// <summary>Views [.., N, F] as N interleaved matrices, each with every N-th row.</summary>
    public static Matrix Interleaved(Tensor x)
    {
        int groups = x.Shape[-2], columns = x.Shape[-1];
        return new(x, 0, x.Shape.Product(0, x.Shape.Rank - 2), columns, groups * columns, groups, columns, false);
    }

    /// <summary>Takes consecutive rows, as an operand, of every matrix.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The rows lie outside the matrix.</exception>
    public Matrix SliceRows(int first, int count) => Transposed ? T.SliceColumns(first, count).T : Block(first, count, 0, Columns);

    /// <summary>Takes consecutive columns, as an operand, of every matrix.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The columns lie outside the matrix.</exception>
    public Matrix SliceColumns(int first, int count) => Transposed ? T.SliceRows(first, count).T : Block(0, Rows, first, count);

    /// <summary>Checks the shapes of c = a b (+ bias).</summary>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    internal static void CheckProduct(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias)
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

    private Matrix Block(int row, int rows, int column, int columns)
    {
        if ((uint)row > (uint)Rows || (uint)rows > (uint)(Rows - row) || (uint)column > (uint)Columns || (uint)columns > (uint)(Columns - column))
        {
            throw new ArgumentOutOfRangeException(nameof(rows), $"rows {row}..{row + rows} and columns {column}..{column + columns} of {this}");
        }
        return new(Data, Offset + row * RowStride + column, rows, columns, RowStride, Batch, BatchStride, Transposed);
    }

    /// <summary>Formats the size as an operand: 2x3, or 4x(2x3) for a batch.</summary>
    public override string ToString() => Batch == 1 ? $"{M}x{N}" : $"{Batch}x({M}x{N})";
}
