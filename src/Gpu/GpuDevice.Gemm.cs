using ILGPU.Runtime;

namespace Marl.Native.Gpu;

/// <summary>Launches of matrix products.</summary>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    /// <remarks>A small result with a long inner dimension, such as the gradient of weights over thousands of rows, has too few tiles to keep a device busy:
    /// the inner dimension is split, and the results of the slices are summed in order.</remarks>
    public override void Gemm(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias) => Gemm(a, b, c, accumulate, bias, relu: false);

    /// <inheritdoc/>
    public override void GemmRelu(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias)
    {
        if (blas is null)
        {
            Gemm(a, b, c, accumulate, bias, relu: true);
        }
        else
        {
            base.GemmRelu(a, b, c, accumulate, bias);
        }
    }

    private void Gemm(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias, bool relu)
    {
        Matrix.CheckProduct(a, b, c, accumulate, bias);
        if (blas is not null && Sgemm.Of(a, b, c, accumulate || !bias.IsNone, address) is { } sgemm)
        {
            CopyBias(bias, c);
            Multiply(sgemm, a, b, c);
            return;
        }
        int side = threads == WideGroup ? 4 * WideTile.Edge : 4 * NarrowTile.Edge;
        int down = (c.M + side - 1) / side, across = (c.N + side - 1) / side, tiles = down * across * c.Batch, slices = Slices(a.N, tiles);
        if (tiles == 0)
        {
            return;
        }
        var result = Strided(c);
        var product = new GemmArguments
        {
            Batch = c.Batch,
            M = c.M,
            N = c.N,
            K = a.N,
            Slices = slices,
            Depth = (a.N + slices - 1) / slices,
            TileRows = down,
            TileColumns = across,
            Accumulate = Flag(accumulate),
            Relu = Flag(relu),
            HasBias = Flag(!bias.IsNone),
            BiasStep = bias.IsNone || bias.Count == c.N ? 0 : c.N,
            A = Strided(a),
            B = Strided(b),
            C = result,
            Bias = bias.IsNone ? result.Data : View(bias),
        };
        if (slices == 1)
        {
            Multiply(product, tiles);
            return;
        }
        var parts = View(Scratch(new Shape(c.Batch * slices, c.M, c.N)));
        Multiply(product with { Accumulate = 0, HasBias = 0, Relu = 0, C = new(parts, 0, c.M * c.N, c.N, 1) }, tiles * slices);
        int n = c.Batch * c.M * c.N;
        ForEachElement(new SumSlicesKernel { Of = product, Parts = parts, Count = n }, n);
    }

    /// <summary>Launches a product of the library, or records it.</summary>
    private void Multiply(in Sgemm product, Matrix a, Matrix b, Matrix c)
    {
        if (!queue.IsRecording)
        {
            blas!.Multiply(product);
            return;
        }
        queue.Add(product, blas!, arrays =>
        {
            StridedMatrix left = Strided(a), right = Strided(b), result = Strided(c);
            arrays.Read(ref left, a.M, a.N, a.Batch);
            arrays.Read(ref right, b.M, b.N, b.Batch);
            arrays.Write(ref result, c.M, c.N, c.Batch);
        });
    }

    /// <summary>Sets every row of c to the bias, if there is one.</summary>
    private void CopyBias(Tensor bias, Matrix c)
    {
        if (!bias.IsNone)
        {
            var grid = Strided(c);
            ForEachElement(new CopyStridedKernel
            {
                Lengths = new(1, c.Batch, c.M, c.N),
                XStrides = new(0, bias.Count == c.N ? 0 : c.N, 0, 1),
                YStrides = new(0, grid.Step, grid.Row, grid.Column),
                X = View(bias),
                Y = grid.Data.SubView(grid.First, grid.Data.Length - grid.First),
            }, c.Batch * c.M * c.N);
        }
    }

    private void Multiply(GemmArguments product, int groups)
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

    private StridedMatrix Strided(Matrix matrix)
    {
        int step = matrix.Batch == 1 ? 0 : matrix.BatchStride;
        return matrix.Transposed ? new(View(matrix.Data), matrix.Offset, step, 1, matrix.RowStride)
            : new(View(matrix.Data), matrix.Offset, step, matrix.RowStride, 1);
    }
}
