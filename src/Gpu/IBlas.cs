namespace Marl.Native.Gpu;

/// <summary>A linear algebra library.</summary>
internal interface IBlas : IDisposable
{
    /// <summary>Launches a matrix product.</summary>
    void Multiply(in Sgemm product);
}

/// <summary>
/// The arguments of a batched product C = op(A) op(B) + beta C in BLAS's convention: matrices are column-major, with columns <c>ld</c> elements apart and the
/// matrices of a batch <c>stride</c> elements apart. op(A) is M x K, op(B) K x N, C M x N.
/// </summary>
/// <param name="TransposeA">Whether A is stored as K x M.</param>
/// <param name="TransposeB">Whether B is stored as N x K.</param>
/// <param name="M">The number of rows of C.</param>
/// <param name="N">The number of columns of C.</param>
/// <param name="K">The inner dimension.</param>
/// <param name="A">The address of A.</param>
/// <param name="LdA">The leading dimension of A.</param>
/// <param name="StrideA">The distance between matrices of A; 0 uses the same A for all.</param>
/// <param name="B">The address of B.</param>
/// <param name="LdB">The leading dimension of B.</param>
/// <param name="StrideB">The distance between matrices of B; 0 uses the same B for all.</param>
/// <param name="Beta">The factor on C; 0: C is not read.</param>
/// <param name="C">The address of C.</param>
/// <param name="LdC">The leading dimension of C, at least M.</param>
/// <param name="StrideC">The distance between matrices of C.</param>
/// <param name="Batch">The number of products.</param>
internal readonly record struct Sgemm(bool TransposeA, bool TransposeB, int M, int N, int K, nint A, int LdA, long StrideA, nint B, int LdB, long StrideB,
    float Beta, nint C, int LdC, long StrideC, int Batch)
{
    /// <summary>
    /// Creates the arguments of c = a b, or c += a b. A row-major matrix is the transpose of a column-major one, so the library computes c^T = b^T a^T.
    /// </summary>
    /// <param name="a">The left factors.</param>
    /// <param name="b">The right factors.</param>
    /// <param name="c">The products.</param>
    /// <param name="accumulate">Whether to add to c.</param>
    /// <param name="address">Returns the address of a tensor's first element.</param>
    /// <returns>The arguments, or null if the product is empty or rows of a matrix overlap, which BLAS does not support.</returns>
    public static Sgemm? Of(Matrix a, Matrix b, Matrix c, bool accumulate, Func<Tensor, nint> address)
    {
        if (c.Transposed)
        {
            // c^T = b^T a^T is the same product.
            (a, b, c) = (b.T, a.T, c.T);
        }
        return c.M == 0 || c.N == 0 || a.N == 0 || c.Batch == 0 || Overlaps(a) || Overlaps(b) || Overlaps(c) ? null
            : new(b.Transposed, a.Transposed, c.N, c.M, a.N, Address(b), b.RowStride, Stride(b), Address(a), a.RowStride, Stride(a), accumulate ? 1f : 0f,
                Address(c), c.RowStride, Stride(c), c.Batch);

        nint Address(Matrix x) => address(x.Data) + x.Offset * sizeof(float);
    }

    private static bool Overlaps(Matrix x) => x.RowStride < x.Columns;

    private static long Stride(Matrix x) => x.Batch == 1 ? 0 : x.BatchStride;
}
