namespace Marl.Native.Gpu;

/// <summary>Launches of matrix products.</summary>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    public override void Gemm(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias)
    {
        Matrix.CheckProduct(a, b, c, accumulate, bias);
        if (threads == WideGroup)
        {
            Multiply<WideTile>(a, b, c, accumulate, bias);
        }
        else
        {
            Multiply<NarrowTile>(a, b, c, accumulate, bias);
        }
    }

    private void Multiply<TTile>(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias) where TTile : struct, ITileEdge
    {
        int side = 4 * TTile.Edge, down = (c.M + side - 1) / side, across = (c.N + side - 1) / side;
        if (down * across * c.Batch == 0)
        {
            return;
        }
        var result = Grid(c);
        Launch(new GemmKernel<TTile>
        {
            M = c.M,
            N = c.N,
            K = a.N,
            TilesDown = down,
            TilesAcross = across,
            Accumulate = Flag(accumulate),
            HasBias = Flag(!bias.IsNone),
            BiasStep = bias.IsNone || bias.Count == c.N ? 0 : c.N,
            A = Grid(a),
            B = Grid(b),
            C = result,
            Bias = bias.IsNone ? result.Data : View(bias),
        }, down * across * c.Batch);
    }

    private Grid2 Grid(Matrix matrix)
    {
        int step = matrix.Batch == 1 ? 0 : matrix.Step;
        return matrix.Transposed ? new(View(matrix.Data), matrix.First, step, 1, matrix.Stride) : new(View(matrix.Data), matrix.First, step, matrix.Stride, 1);
    }
}
