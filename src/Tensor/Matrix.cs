namespace Marl.Native;

/// <summary>
/// How <see cref="Device.Gemm"/> sees a tensor: <see cref="Batch"/> matrices of Rows x Columns, rows <see cref="Stride"/> apart, matrices
/// <see cref="Step"/> apart. One view covers plain matrices, batches of them, and the rows of group n in a tensor [.., N, F]
/// (stride N F, step F), so groups with weights of their own need no copies.
/// </summary>
public readonly struct Matrix
{
    private Matrix(Tensor data, int first, int rows, int columns, int stride, int batch, int step, bool transposed)
        => (Data, First, Rows, Columns, Stride, Batch, Step, Transposed) = (data, first, rows, columns, stride, batch, step, transposed);

    /// <summary>The tensor viewed.</summary>
    public Tensor Data { get; }

    /// <summary>Where in it the first matrix begins.</summary>
    public int First { get; }

    /// <summary>Rows as stored.</summary>
    public int Rows { get; }

    /// <summary>Columns as stored.</summary>
    public int Columns { get; }

    /// <summary>Distance of two stored rows.</summary>
    public int Stride { get; }

    /// <summary>Number of matrices.</summary>
    public int Batch { get; }

    /// <summary>Distance of two matrices; 0 repeats one.</summary>
    public int Step { get; }

    /// <summary>Whether Gemm reads it transposed.</summary>
    public bool Transposed { get; }

    /// <summary>The transposed view.</summary>
    public Matrix T => new(Data, First, Rows, Columns, Stride, Batch, Step, !Transposed);

    /// <summary>Rows as multiplied.</summary>
    public int M => Transposed ? Columns : Rows;

    /// <summary>Columns as multiplied.</summary>
    public int N => Transposed ? Rows : Columns;

    /// <summary>[.., F] as one matrix of all rows.</summary>
    public static Matrix Of(Tensor x) => new(x, 0, x.Shape.Rows, x.Shape.Columns, x.Shape.Columns, 1, 0, false);

    /// <summary>[.., R, F] as a batch of [R, F].</summary>
    public static Matrix Batched(Tensor x)
    {
        int rows = x.Shape[-2], columns = x.Shape[-1];
        return new(x, 0, rows, columns, columns, x.Shape.Product(0, x.Shape.Rank - 2), rows * columns, false);
    }

    /// <summary>[.., N, F] as N interleaved matrices of [.., F].</summary>
    public static Matrix Interleaved(Tensor x)
    {
        int copies = x.Shape[-2], columns = x.Shape[-1];
        return new(x, 0, x.Shape.Product(0, x.Shape.Rank - 2), columns, copies * columns, copies, columns, false);
    }

    /// <summary>Some rows, as multiplied, of every matrix.</summary>
    /// <exception cref="ArgumentOutOfRangeException">it has fewer.</exception>
    public Matrix SliceRows(int first, int count) => Transposed ? T.SliceColumns(first, count).T : Block(first, count, 0, Columns);

    /// <summary>Some columns, as multiplied, of every matrix.</summary>
    /// <exception cref="ArgumentOutOfRangeException">it has fewer.</exception>
    public Matrix SliceColumns(int first, int count) => Transposed ? T.SliceRows(first, count).T : Block(0, Rows, first, count);

    /// <summary>That c = a b (+ bias) can be computed.</summary>
    /// <exception cref="ArgumentException">the shapes do not fit; names them.</exception>
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
        return new(Data, First + row * Stride + column, rows, columns, Stride, Batch, Step, Transposed);
    }

    /// <summary>(rows x columns, batch)</summary>
    public override string ToString() => Batch == 1 ? $"{M}x{N}" : $"{Batch}x({M}x{N})";
}
