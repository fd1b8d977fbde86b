namespace Marl.Native;

public static partial class Ops
{
    /// <summary>
    /// The cross-correlation of images with kernels, as PyTorch's conv2d:
    /// <code>
    /// y[n, o, i, j] = b[o] + sum_(c, p, q) w[o, c, p, q] x[n, c, i stride + p - padding, j stride + q - padding]
    /// </code>
    /// where x counts as 0 outside of the image. Computed as one matrix product per block of images, whose patches are copied to columns first (im2col).
    /// </summary>
    /// <param name="x">[N, C, H, W]</param>
    /// <param name="w">[O, C, P, Q]</param>
    /// <param name="b">[O]</param>
    /// <param name="stride">from one patch to the next, at least 1.</param>
    /// <param name="padding">rows and columns of zeros on each side.</param>
    /// <returns>[N, O, (H + 2 padding - P) / stride + 1, (W + 2 padding - Q) / stride + 1]</returns>
    /// <exception cref="ArgumentException">the shapes do not fit; names them.</exception>
    public static Var Conv2d(this Var x, Var w, Var b, int stride = 1, int padding = 0)
    {
        var (xs, ws) = (x.Shape, w.Shape);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
        bool fits = xs.Rank == 4 && ws.Rank == 4 && xs[1] == ws[1] && b.Shape == new Shape(ws[0])
            && ws[2] <= xs[2] + 2 * padding && ws[3] <= xs[3] + 2 * padding;
        if (!fits)
        {
            throw new ArgumentException($"Conv2d: input {xs} does not fit weight {ws} and bias {b.Shape} with padding {padding}; " +
                "[N, C, H, W], [O, C, P, Q] and [O] are needed, and kernels no larger than the padded images");
        }
        var (tape, patches) = (x.Tape, new Patches(xs, ws, stride, padding));
        var y = tape.Allocate(patches.Output);
        patches.Correlate(tape.Device, x.Value, w.Value, y, accumulate: false,
            tape.Scratch(patches.SpaceForColumns(tape.Device)), tape.Scratch(patches.SpaceForOutputs(tape.Device)));
        patches.AddBias(tape.Device, b.Value, y);
        return tape.Record(new Conv2dOp(stride, padding), y, [x, w, b]);
    }

    /// <summary>The images of a convolution as matrices. Those of a block stand side by side: patches as columns [C P Q, count H' W'], outputs as [O, count H' W'].</summary>
    private readonly struct Patches(Shape x, Shape w, int stride, int padding)
    {
        public Shape Output => new(x[0], w[0], Height, Width);

        public Shape SpaceForColumns(Device device) => new(Blocks(device).Size, Depth * Pixels);

        public Shape SpaceForOutputs(Device device) => new(Blocks(device).Size, w[0] * Pixels);

        public RowBlocks Blocks(Device device) => new(device, x[0], (Depth + w[0]) * Pixels, least: 1);

        /// <summary>[C P Q, count H' W']</summary>
        public Tensor Columns(Tensor space, int count) => space.Slice(0, count).Reshape(Depth, count * Pixels);

        /// <summary>[O, count H' W']</summary>
        public Tensor Outputs(Tensor space, int count) => space.Slice(0, count).Reshape(w[0], count * Pixels);

        /// <summary>[O, C P Q]</summary>
        public Matrix Kernels(Tensor weight) => Matrix.Of(weight.Reshape(w[0], Depth));

        /// <summary>y (+)= the correlation of images with a weight, without a bias.</summary>
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

        /// <summary>columns = the patches of images, zeros where a patch reaches beyond its image.</summary>
        public void Gather(Device device, Tensor images, Tensor columns)
        {
            if (padding > 0)
            {
                device.Fill(columns, 0f);
            }
            Copy(device, images, columns, back: false);
        }

        /// <summary>images += the columns, where each of their elements came from.</summary>
        public void ScatterAdd(Device device, Tensor columns, Tensor images) => Copy(device, images, columns, back: true);

        private int Height => (x[2] + 2 * padding - w[2]) / stride + 1;
        private int Width => (x[3] + 2 * padding - w[3]) / stride + 1;
        private int Pixels => Height * Width;
        private int Depth => w.Product(1, 4);

        /// <summary>One copy for every place of the kernel: of all patches the element that this place sees.</summary>
        private void Copy(Device device, Tensor images, Tensor columns, bool back)
        {
            int count = images.Shape[0], row = columns.Shape[1], places = w[2] * w[3];
            ReadOnlySpan<int> imageStrides = [x.Product(1, 4), x.Product(2, 4), stride * x[3], stride];
            ReadOnlySpan<int> columnStrides = [Pixels, places * row, Width, 1];
            for (int place = 0; place < places; place++)
            {
                int p = place / w[3] - padding, q = place % w[3] - padding;
                var (i, rows) = Inside(p, x[2], Height);
                var (j, width) = Inside(q, x[3], Width);
                if (rows > 0 && width > 0)
                {
                    var image = From(images, (i * stride + p) * x[3] + j * stride + q);
                    var column = From(columns, place * row + i * Width + j);
                    device.CopyStrided(back ? column : image, back ? columnStrides : imageStrides, back ? image : column,
                        back ? imageStrides : columnStrides, [count, x[1], rows, width], accumulate: back);
                }
            }
        }

        /// <summary>The first i >= 0 with i stride + offset in 0 .. length - 1, and the number of them below <paramref name="outputs"/>.</summary>
        private (int First, int Count) Inside(int offset, int length, int outputs)
        {
            int first = Math.Max(0, (stride - 1 - offset) / stride);
            return (first, Math.Min(outputs, (length - 1 - offset + stride) / stride) - first);
        }

        /// <summary>y [B, A, ..] (+)= x [A, B, ..]</summary>
        public static void SwapAxes(Device device, Tensor x, int a, Tensor y, bool accumulate)
        {
            int b = y.Shape[0], inner = x.Count / Math.Max(1, a * b);
            device.CopyStrided(x, [0, inner, b * inner, 1], y, [0, a * inner, inner, 1], [1, b, a, inner], accumulate);
        }
    }

    private readonly struct Conv2dOp(int stride, int padding) : IOp
    {
        public void Backward(GradContext p)
        {
            var (device, x, w) = (p.Device, p.X(0), p.X(1));
            var (dx, dw, db) = (p.DX(0), p.DX(1), p.DX(2));
            var patches = new Patches(x.Shape, w.Shape, stride, padding);
            var (columnSpace, outputSpace) = (p.Scratch(patches.SpaceForColumns(device)), p.Scratch(patches.SpaceForOutputs(device)));
            foreach (var (first, count) in patches.Blocks(device))
            {
                var (columns, dy) = (patches.Columns(columnSpace, count), patches.Outputs(outputSpace, count));
                Patches.SwapAxes(device, p.DY.Slice(first, count), count, dy, accumulate: false);
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

        public void Tangent(GradContext p)
        {
            var patches = new Patches(p.X(0).Shape, p.X(1).Shape, stride, padding);
            var (columns, outputs) = (p.Scratch(patches.SpaceForColumns(p.Device)), p.Scratch(patches.SpaceForOutputs(p.Device)));
            if (!p.DX(0).IsNone)
            {
                patches.Correlate(p.Device, p.DX(0), p.X(1), p.DY, accumulate: true, columns, outputs);
            }
            if (!p.DX(1).IsNone)
            {
                patches.Correlate(p.Device, p.X(0), p.DX(1), p.DY, accumulate: true, columns, outputs);
            }
            if (!p.DX(2).IsNone)
            {
                patches.AddBias(p.Device, p.DX(2), p.DY);
            }
        }
    }
}
