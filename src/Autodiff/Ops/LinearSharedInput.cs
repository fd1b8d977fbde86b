namespace Marl.Native;

public static partial class Ops
{
    /// <summary>
    /// y[b, n] = max(W [shared[b], own[b, n]] + b, 0) for N rows that share their first inputs. The product with the shared inputs is computed once for all N
    /// rows, and the shared inputs are never copied. The result has the same bits as <see cref="LinearRelu(Var, Var, Var)"/> of concatenated rows.
    /// </summary>
    /// <param name="own">[.., N, own inputs] the inputs of each row; there may be none: [.., N, 0].</param>
    /// <param name="shared">[.., shared inputs] the inputs that N rows share.</param>
    /// <param name="w">[out, in], the columns of the shared inputs first; or [N, out, in], weights per group.</param>
    /// <param name="b">[out] or [N, out] the bias.</param>
    /// <returns>y [.., N, out].</returns>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    public static Var LinearRelu(this Var own, Var shared, Var w, Var b)
    {
        var (ws, bs) = (w.Shape, b.Shape);
        bool fits = own.Shape.Rank >= 2 && ws.Rank is 2 or 3 && bs == ws.Without(-1) && shared.Shape[-1] + own.Shape[-1] == ws[-1]
            && shared.Shape.Rows == own.Shape.Product(0, own.Shape.Rank - 2) && (ws.Rank == 2 || own.Shape[-2] == ws[0]);
        if (!fits)
        {
            throw new ArgumentException($"LinearRelu: shared inputs {shared.Shape} and own inputs {own.Shape} do not match weight {ws} and bias {bs}; " +
                "expected [.., shared], [.., N, own], and [out, in] and [out], or [N, out, in] and [N, out]");
        }
        var (tape, device, split) = (own.Tape, own.Tape.Device, new SplitInput(shared.Shape, own.Shape, ws));
        var y = tape.Allocate(own.Shape.With(-1, ws[-2]));
        var buffer = tape.Scratch(split.SharedSumsShape(device));
        foreach (var (first, count) in split.Blocks(device))
        {
            var block = split.Block(y, first, count);
            var sum = split.SharedSums(block, buffer);
            device.Gemm(split.Shared(shared.Value, first, count), split.Shared(w.Value).T, Matrix.Of(sum), bias: b.Value.Reshape(sum.Shape[1]));
            if (!split.Grouped)
            {
                device.CopyStrided(sum, [0, split.Out, 0, 1], block, [0, split.N * split.Out, split.Out, 1], [1, count, split.N, split.Out], accumulate: false);
            }
            device.GemmRelu(split.Own(own.Value, first, count), split.Own(w.Value).T, Rows(block, split.Grouped), accumulate: true);
        }
        return tape.Record(default(LinearSharedInputOp), y, [own, shared, w, b]);
    }

    /// <summary>Views of the rows and weights of a layer with shared inputs. To the shared inputs, grouped weights are one wide layer.</summary>
    private readonly struct SplitInput(Shape shared, Shape own, Shape w)
    {
        public bool Grouped => w.Rank == 3;
        public int Count => shared.Rows;
        public int N => own[-2];
        public int Out => w[-2];

        public RowBlocks Blocks(Device device) => new(device, Count, SharedInputs + N * (own[-1] + Out), minRows: 16);

        /// <summary>Views some of x [.., N, width] as [count, N, width].</summary>
        public Tensor Block(Tensor x, int first, int count) => x.Reshape(Count, N, x.Shape[-1]).Slice(first, count);

        public Matrix Own(Tensor x, int first, int count) => Rows(Block(x, first, count), Grouped);

        public Matrix Shared(Tensor x, int first, int count) => Matrix.Of(x.Reshape(Count, SharedInputs).Slice(first, count));

        /// <summary>The columns of a weight for the inputs of each row.</summary>
        public Matrix Own(Tensor weight) => Weight(weight, Grouped).SliceColumns(SharedInputs, own[-1]);

        /// <summary>The columns of a weight for the shared inputs.</summary>
        public Matrix Shared(Tensor weight) => Matrix.Of(weight).SliceColumns(0, SharedInputs);

        /// <summary>
        /// [count, outputs] the products with the shared inputs: with grouped weights the rows of the block themselves, otherwise a part of
        /// <paramref name="buffer"/>.
        /// </summary>
        public Tensor SharedSums(Tensor block, Tensor buffer) => Grouped ? block.Reshape(block.Shape[0], N * Out) : buffer.Slice(0, block.Shape[0]);

        /// <summary>The shape of the buffer that <see cref="SharedSums"/> needs.</summary>
        public Shape SharedSumsShape(Device device) => new(Grouped ? 0 : Blocks(device).Size, Out);

        private int SharedInputs => shared[-1];
    }

    private readonly struct LinearSharedInputOp : IOp
    {
        public void Backward(GradContext context)
        {
            var (device, own, shared, w) = (context.Device, context.X(0), context.X(1), context.X(2));
            var split = new SplitInput(shared.Shape, own.Shape, w.Shape);
            var (dOwn, dShared, dw, db) = (context.DX(0, out bool addOwn), context.DX(1, out bool addShared), context.DX(2), context.DX(3));
            var blocks = split.Blocks(device);
            var (gradients, buffer) = (context.Scratch(new Shape(blocks.Size, split.N, split.Out)), context.Scratch(split.SharedSumsShape(device)));
            foreach (var (first, count) in blocks)
            {
                // The gradients of the pre-activations, which are positive where y is.
                var (y, d) = (split.Block(context.Y, first, count), gradients.Slice(0, count));
                device.MapDerivative(default(Relu), y, y, split.Block(context.DY, first, count), d, accumulate: false);
                var sum = split.SharedSums(d, buffer);
                if (!split.Grouped)
                {
                    device.Reduce(default(Sum), d, 1, sum);
                }
                if (!dOwn.IsNone)
                {
                    device.Gemm(Rows(d, split.Grouped), split.Own(w), split.Own(dOwn, first, count), addOwn);
                }
                if (!dShared.IsNone)
                {
                    device.Gemm(Matrix.Of(sum), split.Shared(w), split.Shared(dShared, first, count), addShared);
                }
                if (!dw.IsNone)
                {
                    device.Gemm(Matrix.Of(sum).T, split.Shared(shared, first, count), split.Shared(dw), accumulate: true);
                    device.Gemm(Rows(d, split.Grouped).T, split.Own(own, first, count), split.Own(dw), accumulate: true);
                }
                if (!db.IsNone)
                {
                    BiasGradient(device, sum, db.Reshape(sum.Shape[1]));
                }
            }
        }

        public void Tangent(GradContext context)
        {
            var (device, own, shared, w) = (context.Device, context.X(0), context.X(1), context.X(2));
            var (dOwn, dShared, dw, db) = (context.DX(0), context.DX(1), context.DX(2), context.DX(3));
            var split = new SplitInput(shared.Shape, own.Shape, w.Shape);
            int all = split.Count;
            var d = context.Zeros(new Shape(all, split.N, split.Out));
            var sum = split.Grouped ? d.Reshape(all, split.N * split.Out) : context.Zeros(new Shape(all, split.Out));
            if (!dShared.IsNone)
            {
                device.Gemm(split.Shared(dShared, 0, all), split.Shared(w).T, Matrix.Of(sum), accumulate: true);
            }
            if (!dw.IsNone)
            {
                device.Gemm(split.Shared(shared, 0, all), split.Shared(dw).T, Matrix.Of(sum), accumulate: true);
            }
            if (!db.IsNone)
            {
                device.Zip(default(Add), sum, db.Reshape(1, sum.Shape[1]), sum);
            }
            if (!split.Grouped)
            {
                device.Zip(default(Add), d, sum.Reshape(all, 1, split.Out), d);
            }
            if (!dOwn.IsNone)
            {
                device.Gemm(split.Own(dOwn, 0, all), split.Own(w).T, Rows(d, split.Grouped), accumulate: true);
            }
            if (!dw.IsNone)
            {
                device.Gemm(split.Own(own, 0, all), split.Own(dw).T, Rows(d, split.Grouped), accumulate: true);
            }
            device.MapDerivative(default(Relu), context.Y, context.Y, d.Reshape(context.Y.Shape), context.DY);
        }
    }
}
