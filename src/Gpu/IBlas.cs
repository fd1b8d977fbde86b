namespace Marl.Native.Gpu;

/// <summary>A library of linear algebra, as far as it is used.</summary>
internal interface IBlas : IDisposable
{
    /// <summary>Begins a product.</summary>
    void Multiply(in Sgemm product);
}

/// <summary>
/// C = op(A) op(B) + beta C, <paramref name="Batch"/> times, in BLAS's terms: matrices are stored column by column, columns <c>ld</c> numbers apart and matrices
/// of a batch <c>stride</c> numbers apart. op(A) is M x K, op(B) K x N, C M x N.
/// </summary>
/// <param name="TransposeA">whether A is stored K x M.</param>
/// <param name="TransposeB">whether B is stored N x K.</param>
/// <param name="M">rows of C.</param>
/// <param name="N">columns of C.</param>
/// <param name="K">terms of a sum.</param>
/// <param name="A">address.</param>
/// <param name="LdA">at least the rows of A as stored.</param>
/// <param name="StrideA">0: the same A in all products of the batch.</param>
/// <param name="B">address.</param>
/// <param name="LdB">at least the rows of B as stored.</param>
/// <param name="StrideB">0: the same B in all.</param>
/// <param name="Beta">where it is 0, C is not read.</param>
/// <param name="C">address.</param>
/// <param name="LdC">at least M.</param>
/// <param name="StrideC">no two products write the same number.</param>
/// <param name="Batch">how many.</param>
internal readonly record struct Sgemm(bool TransposeA, bool TransposeB, int M, int N, int K, nint A, int LdA, long StrideA, nint B, int LdB, long StrideB, float Beta,
    nint C, int LdC, long StrideC, int Batch)
{
    /// <summary>
    /// c = a b, or c += a b. Rows are neighbors here and columns there, so a matrix as it is stored is there its transpose; the library is asked for c^T = b^T a^T.
    /// </summary>
    /// <param name="a">left.</param>
    /// <param name="b">right.</param>
    /// <param name="c">receives the product.</param>
    /// <param name="accumulate">whether it is added.</param>
    /// <param name="address">of the first number of a tensor.</param>
    /// <returns>none where the library has no words for it: nothing to multiply, or rows that overlap.</returns>
    public static Sgemm? Of(Matrix a, Matrix b, Matrix c, bool accumulate, Func<Tensor, nint> address)
    {
        if (c.Transposed)
        {
            // c^T = b^T a^T is the same product.
            (a, b, c) = (b.T, a.T, c.T);
        }
        return c.M == 0 || c.N == 0 || a.N == 0 || c.Batch == 0 || Overlaps(a) || Overlaps(b) || Overlaps(c) ? null
            : new(b.Transposed, a.Transposed, c.N, c.M, a.N, Address(b), b.Stride, Stride(b), Address(a), a.Stride, Stride(a), accumulate ? 1f : 0f,
                Address(c), c.Stride, Stride(c), c.Batch);

        nint Address(Matrix x) => address(x.Data) + x.First * sizeof(float);
    }

    private static bool Overlaps(Matrix x) => x.Stride < x.Columns;

    private static long Stride(Matrix x) => x.Batch == 1 ? 0 : x.Step;
}
