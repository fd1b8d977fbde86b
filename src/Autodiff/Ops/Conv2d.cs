namespace Marl.Native;

public static partial class Ops
{
    /// <summary>
    /// The cross-correlation of images with kernels, as PyTorch's conv2d:
    /// <code>
    /// y[n, o, i, j] = b[o] + sum_(c, p, q) w[o, c, p, q] x[n, c, i stride + p - padding, j stride + q - padding]
    /// </code>
    /// where x is 0 outside the image. Computed as one matrix product per block of images, after their patches are copied to columns (im2col).
    /// </summary>
    /// <param name="x">[N, C, H, W] the images.</param>
    /// <param name="w">[O, C, P, Q] the kernels.</param>
    /// <param name="b">[O] the bias.</param>
    /// <param name="stride">The distance between two patches, at least 1.</param>
    /// <param name="padding">The number of rows and columns of zeros on each side.</param>
    /// <returns>y [N, O, (H + 2 padding - P) / stride + 1, (W + 2 padding - Q) / stride + 1].</returns>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    /// <exception cref="ArgumentOutOfRangeException">stride is less than 1, or padding is negative.</exception>
    public static Var Conv2d(this Var x, Var w, Var b, int stride = 1, int padding = 0)
    {
        var (xs, ws) = (x.Shape, w.Shape);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
        bool fits = xs.Rank == 4 && ws.Rank == 4 && xs[1] == ws[1] && b.Shape == new Shape(ws[0])
            && ws[2] <= xs[2] + 2 * padding && ws[3] <= xs[3] + 2 * padding;
        if (!fits)
        {
            throw new ArgumentException($"Conv2d: input {xs} does not match weight {ws} and bias {b.Shape} with padding {padding}; " +
                "expected [N, C, H, W], [O, C, P, Q] and [O], and kernels no larger than the padded images");
        }
        var (tape, patches) = (x.Tape, new Patches(xs, ws, stride, padding));
        var y = tape.Allocate(patches.Output);
        patches.Correlate(tape.Device, x.Value, w.Value, y, accumulate: false,
            tape.Scratch(patches.ColumnsShape(tape.Device)), tape.Scratch(patches.OutputsShape(tape.Device)));
        patches.AddBias(tape.Device, b.Value, y);
        return tape.Record(new Conv2dOp(stride, padding), y, [x, w, b]);
    }

    /// <summary>
    /// Views of the images of a convolution as matrices. A block of images is concatenated: patches as columns [C P Q, count H' W'], outputs as [O, count H'
    /// W'].
    /// </summary>
    private readonly struct Patches(Shape x, Shape w, int stride, int padding)
    {
        public Shape Output => new(x[0], w[0], Height, Width);

        public Shape ColumnsShape(Device device) => new(Blocks(device).Size, Depth * Pixels);

        public Shape OutputsShape(Device device) => new(Blocks(device).Size, w[0] * Pixels);

        public RowBlocks Blocks(Device device) => new(device, x[0], (Depth + w[0]) * Pixels, minRows: 1);

        /// <summary>[C P Q, count H' W']</summary>
        public Tensor Columns(Tensor space, int count) => space.Slice(0, count).Reshape(Depth, count * Pixels);

        /// <summary>[O, count H' W']</summary>
        public Tensor Outputs(Tensor space, int count) => space.Slice(0, count).Reshape(w[0], count * Pixels);

        /// <summary>[O, C P Q]</summary>
        public Matrix Kernels(Tensor weight) => Matrix.Of(weight.Reshape(w[0], Depth));

        /// <summary>y = the correlation of images with a weight, without a bias, or y += that when <paramref name="accumulate"/>.</summary>
        public void Correlate(Device device, Tensor images, Tensor weight, Tensor y, bool accumulate, Tensor columnSpace, Tensor outputSpace)
        {
            foreach (var (first, count) in Blocks(device))
            {
                var (columns, outputs) = (Columns(columnSpace, count), Outputs(outputSpace, count));
                Gather(device, images.Slice(first, count), columns);
                device.Gemm(Kernels(weight), Matrix.Of(columns), Matrix.Of(outputs));
                SwapAxes(device, outputs, w[0], y.Slice(first, count), accumulate);
            }
        }

        /// <summary>y[n, o, ..] += b[o]</summary>
        public void AddBias(Device device, Tensor b, Tensor y)
        {
            var flat = y.Reshape(x[0], w[0], Pixels);
            device.Zip(default(Add), flat, b.Reshape(w[0], 1), flat);
        }

        /// <summary>columns = the patches of images, with zeros where a patch exceeds its image.</summary>
        public void Gather(Device device, Tensor images, Tensor columns)
        {
            if (padding > 0)
            {
                device.Fill(columns, 0f);
            }
            Copy(device, images, columns, scatter: false);
        }

        /// <summary>images += columns, each element at its position in the image.</summary>
        public void ScatterAdd(Device device, Tensor columns, Tensor images) => Copy(device, images, columns, scatter: true);

        private int Height => (x[2] + 2 * padding - w[2]) / stride + 1;
        private int Width => (x[3] + 2 * padding - w[3]) / stride + 1;
        private int Pixels => Height * Width;
        private int Depth => w.Product(1, 4);

        /// <summary>One copy per position of the kernel: the elements of all patches at that position.</summary>
        private void Copy(Device device, Tensor images, Tensor columns, bool scatter)
        {
            int count = images.Shape[0], row = columns.Shape[1], positions = w[2] * w[3];
            ReadOnlySpan<int> imageStrides = [x.Product(1, 4), x.Product(2, 4), stride * x[3], stride];
            ReadOnlySpan<int> columnStrides = [Pixels, positions * row, Width, 1];
            for (int position = 0; position < positions; position++)
            {
                int p = position / w[3] - padding, q = position % w[3] - padding;
                var (i, rows) = ValidRange(p, x[2], Height);
                var (j, width) = ValidRange(q, x[3], Width);
                if (rows > 0 && width > 0)
                {
                    var image = From(images, (i * stride + p) * x[3] + j * stride + q);
                    var column = From(columns, position * row + i * Width + j);
                    device.CopyStrided(scatter ? column : image, scatter ? columnStrides : imageStrides, scatter ? image : column,
                        scatter ? imageStrides : columnStrides, [count, x[1], rows, width], accumulate: scatter);
                }
            }
        }

        /// <summary>The first i >= 0 with i stride + offset in 0 .. length - 1, and the number of such i below <paramref name="outputs"/>.</summary>
        private (int First, int Count) ValidRange(int offset, int length, int outputs)
        {
            int first = Math.Max(0, (stride - 1 - offset) / stride);
            return (first, Math.Min(outputs, (length - 1 - offset + stride) / stride) - first);
        }

        /// <summary>y [B, A, ..] = x [A, B, ..], or y += x when <paramref name="accumulate"/>.</summary>
        public static void SwapAxes(Device device, Tensor x, int a, Tensor y, bool accumulate)
        {
            int b = y.Shape[0], inner = x.Count / Math.Max(1, a * b);
            device.CopyStrided(x, [0, inner, b * inner, 1], y, [0, a * inner, inner, 1], [1, b, a, inner], accumulate);
        }
    }

    private readonly struct Conv2dOp(int stride, int padding) : IOp
    {
        public void Backward(GradContext context)
        {
            var (device, x, w) = (context.Device, context.X(0), context.X(1));
            var (dx, dw, db) = (context.DX(0), context.DX(1), context.DX(2));
            var patches = new Patches(x.Shape, w.Shape, stride, padding);
            var (columnSpace, outputSpace) = (context.Scratch(patches.ColumnsShape(device)), context.Scratch(patches.OutputsShape(device)));
            foreach (var (first, count) in patches.Blocks(device))
            {
                var (columns, dy) = (patches.Columns(columnSpace, count), patches.Outputs(outputSpace, count));
                Patches.SwapAxes(device, context.DY.Slice(first, count), count, dy, accumulate: false);
                if (!dw.IsNone)
                {
                    patches.Gather(device, x.Slice(first, count), columns);
                    device.Gemm(Matrix.Of(dy), Matrix.Of(columns).T, patches.Kernels(dw), accumulate: true);
                }
                if (!dx.IsNone)
                {
                    device.Gemm(patches.Kernels(w).T, Matrix.Of(dy), Matrix.Of(columns));
                    patches.ScatterAdd(device, columns, dx.Slice(first, count));
                }
                if (!db.IsNone)
                {
                    device.Reduce(default(Sum), dy, 1, db, accumulate: true);
                }
            }
        }

        public void Tangent(GradContext context)
        {
            var patches = new Patches(context.X(0).Shape, context.X(1).Shape, stride, padding);
            var (columns, outputs) = (context.Scratch(patches.ColumnsShape(context.Device)), context.Scratch(patches.OutputsShape(context.Device)));
            if (!context.DX(0).IsNone)
            {
                patches.Correlate(context.Device, context.DX(0), context.X(1), context.DY, accumulate: true, columns, outputs);
            }
            if (!context.DX(1).IsNone)
            {
                patches.Correlate(context.Device, context.X(0), context.DX(1), context.DY, accumulate: true, columns, outputs);
            }
            if (!context.DX(2).IsNone)
            {
                patches.AddBias(context.Device, context.DX(2), context.DY);
            }
        }
    }
}
