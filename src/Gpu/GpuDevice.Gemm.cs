using ILGPU.Runtime;

namespace Marl.Native.Gpu;

/// <summary>Launches of matrix products.</summary>
public sealed partial class GpuDevice
{
    /// <summary>
    /// A few results of a long k, like the gradient of weights by thousands of rows, are too few squares to keep a device busy: k is cut, and the slices' results
    /// are summed from the first to the last.
    /// </summary>
    /// <inheritdoc/>
    public override void Gemm(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias)
    {
        Matrix.CheckProduct(a, b, c, accumulate, bias);
        if (blas is not null && Sgemm.Of(a, b, c, accumulate || !bias.IsNone, address) is { } asked)
        {
            PutBias(bias, c);
            blas.Multiply(asked);
            return;
        }
        int side = threads == WideGroup ? 4 * WideTile.Edge : 4 * NarrowTile.Edge;
        int down = (c.M + side - 1) / side, across = (c.N + side - 1) / side, squares = down * across * c.Batch, slices = Slices(a.N, squares);
        if (squares == 0)
        {
            return;
        }
        var result = Grid(c);
        var product = new Product
        {
            M = c.M,
            N = c.N,
            K = a.N,
            Slices = slices,
            Depth = (a.N + slices - 1) / slices,
            TilesDown = down,
            TilesAcross = across,
            Accumulate = Flag(accumulate),
            HasBias = Flag(!bias.IsNone),
            BiasStep = bias.IsNone || bias.Count == c.N ? 0 : c.N,
            A = Grid(a),
            B = Grid(b),
            C = result,
            Bias = bias.IsNone ? result.Data : View(bias),
        };
        if (slices == 1)
        {
            Multiply(product, squares);
            return;
        }
        var parts = View(Scratch(new Shape(c.Batch * slices, c.M, c.N)));
        Multiply(product with { Accumulate = 0, HasBias = 0, C = new(parts, 0, c.M * c.N, c.N, 1) }, squares * slices);
        int n = c.Batch * c.M * c.N;
        Each(new SumSlicesKernel { Of = product, Parts = parts, Count = n }, n);
    }

    /// <summary>Every row of c becomes the bias, if there is one.</summary>
    private void PutBias(Tensor bias, Matrix c)
    {
        if (!bias.IsNone)
        {
            var grid = Grid(c);
            Each(new CopyStridedKernel
            {
                Lengths = new(1, c.Batch, c.M, c.N),
                XStrides = new(0, bias.Count == c.N ? 0 : c.N, 0, 1),
                YStrides = new(0, grid.Step, grid.Row, grid.Column),
                X = View(bias),
                Y = grid.Data.SubView(grid.First, grid.Data.Length - grid.First),
            }, c.Batch * c.M * c.N);
        }
    }

    private void Multiply(Product product, int groups)
    {
        if (Tf32Products)
        {
            Launch(new Tf32GemmKernel { Of = product }, groups);
        }
        else if (threads == WideGroup)
        {
            Launch(new GemmKernel<WideTile> { Of = product }, groups);
        }
        else
        {
            Launch(new GemmKernel<NarrowTile> { Of = product }, groups);
        }
    }

    private Grid2 Grid(Matrix matrix)
    {
        int step = matrix.Batch == 1 ? 0 : matrix.Step;
        return matrix.Transposed ? new(View(matrix.Data), matrix.First, step, 1, matrix.Stride) : new(View(matrix.Data), matrix.First, step, matrix.Stride, 1);
    }
}
