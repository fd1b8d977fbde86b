namespace Marl.Native;

public static partial class Ops
{
    /// <summary>
    /// y[g, n] = max(W [common[g], own[g, n]] + b, 0) for rows that come in groups of N and have their first inputs in common: these are multiplied once
    /// for the whole group, and never copied to its rows. The same bits as of rows put together.
    /// </summary>
    /// <param name="own">[.., N, in of its own], which may be none: [.., N, 0].</param>
    /// <param name="common">[.., in common], as many rows as there are groups.</param>
    /// <param name="w">[out, in], the inputs in common first; or [N, out, in], the N-th row of each group having weights of its own.</param>
    /// <param name="b">[out], or [N, out].</param>
    /// <returns>[.., N, out]</returns>
    /// <exception cref="ArgumentException">the shapes do not fit; names them.</exception>
    public static Var LinearRelu(this Var own, Var common, Var w, Var b)
    {
        var (ws, bs) = (w.Shape, b.Shape);
        bool fits = own.Shape.Rank >= 2 && ws.Rank is 2 or 3 && bs == ws.Without(-1) && common.Shape[-1] + own.Shape[-1] == ws[-1]
            && common.Shape.Rows == own.Shape.Product(0, own.Shape.Rank - 2) && (ws.Rank == 2 || own.Shape[-2] == ws[0]);
        if (!fits)
        {
            throw new ArgumentException($"LinearRelu: inputs {common.Shape} in common and {own.Shape} of their own do not fit weight {ws} and bias {bs}; " +
                "[.., in common], [.., N, in of its own], [out, in] and [out], or [N, out, in] and [N, out], are needed");
        }
        var (tape, device, groups) = (own.Tape, own.Tape.Device, new Groups(common.Shape, own.Shape, ws));
        var y = tape.Allocate(own.Shape.With(-1, ws[-2]));
        var space = tape.Scratch(groups.SpaceForSums(device));
        foreach (var (first, count) in groups.Blocks(device))
        {
            var block = groups.Block(y, first, count);
            var sum = groups.Sums(block, space);
            device.Gemm(groups.Common(common.Value, first, count), groups.Common(w.Value).T, Matrix.Of(sum), bias: b.Value.Reshape(sum.Shape[1]));
            if (!groups.Copies)
            {
                device.CopyStrided(sum, [0, groups.Out, 0, 1], block, [0, groups.N * groups.Out, groups.Out, 1], [1, count, groups.N, groups.Out], accumulate: false);
            }
            device.Gemm(groups.Own(own.Value, first, count), groups.Own(w.Value).T, Rows(block, groups.Copies), accumulate: true);
            device.Map(default(Relu), block, block);
        }
        return tape.Record(default(LinearOfGroupsOp), y, [own, common, w, b]);
    }

    /// <summary>How the rows of groups and their weights are seen. Copies of weights, and a group's row for each, are one wide layer to what the group has in common.</summary>
    private readonly struct Groups(Shape common, Shape own, Shape w)
    {
        public bool Copies => w.Rank == 3;
        public int Count => common.Rows;
        public int N => own[-2];
        public int Out => w[-2];

        public RowBlocks Blocks(Device device) => new(device, Count, InCommon + N * (own[-1] + Out), least: 16);

        /// <summary>[count, N, width] of x [.., N, width].</summary>
        public Tensor Block(Tensor x, int first, int count) => x.Reshape(Count, N, x.Shape[-1]).Slice(first, count);

        public Matrix Own(Tensor x, int first, int count) => Rows(Block(x, first, count), Copies);

        public Matrix Common(Tensor x, int first, int count) => Matrix.Of(x.Reshape(Count, InCommon).Slice(first, count));

        /// <summary>The columns of a weight that are multiplied with what each row has of its own.</summary>
        public Matrix Own(Tensor weight) => Weight(weight, Copies).SliceColumns(InCommon, own[-1]);

        /// <summary>Those that are multiplied with what is in common.</summary>
        public Matrix Common(Tensor weight) => Matrix.Of(weight).SliceColumns(0, InCommon);

        /// <summary>What counts for groups as a whole, [count, outputs]: the rows of a block themselves where a group has one for every copy, else a part of some space.</summary>
        public Tensor Sums(Tensor block, Tensor space) => Copies ? block.Reshape(block.Shape[0], N * Out) : space.Slice(0, block.Shape[0]);

        /// <summary>The space that <see cref="Sums"/> needs for a block.</summary>
        public Shape SpaceForSums(Device device) => new(Copies ? 0 : Blocks(device).Size, Out);

        private int InCommon => common[-1];
    }

    private readonly struct LinearOfGroupsOp : IOp
    {
        public void Backward(GradContext p)
        {
            var (device, own, common, w) = (p.Device, p.X(0), p.X(1), p.X(2));
            var groups = new Groups(common.Shape, own.Shape, w.Shape);
            var (dOwn, dCommon, dw, db) = (p.DX(0, out bool addOwn), p.DX(1, out bool addCommon), p.DX(2), p.DX(3));
            var blocks = groups.Blocks(device);
            var (gradients, space) = (p.Scratch(new Shape(blocks.Size, groups.N, groups.Out)), p.Scratch(groups.SpaceForSums(device)));
            foreach (var (first, count) in blocks)
            {
                // By the sums before the maximum; where they are positive can be seen from y as well.
                var (y, d) = (groups.Block(p.Y, first, count), gradients.Slice(0, count));
                device.MapDerivative(default(Relu), y, y, groups.Block(p.DY, first, count), d, accumulate: false);
                var sum = groups.Sums(d, space);
                if (!groups.Copies)
                {
                    device.Reduce(default(Sum), d, 1, sum);
                }
                if (!dOwn.IsNone)
                {
                    device.Gemm(Rows(d, groups.Copies), groups.Own(w), groups.Own(dOwn, first, count), addOwn);
                }
                if (!dCommon.IsNone)
                {
                    device.Gemm(Matrix.Of(sum), groups.Common(w), groups.Common(dCommon, first, count), addCommon);
                }
                if (!dw.IsNone)
                {
                    device.Gemm(Matrix.Of(sum).T, groups.Common(common, first, count), groups.Common(dw), accumulate: true);
                    device.Gemm(Rows(d, groups.Copies).T, groups.Own(own, first, count), groups.Own(dw), accumulate: true);
                }
                if (!db.IsNone)
                {
                    BiasGradient(device, sum, db.Reshape(sum.Shape[1]));
                }
            }
        }

        public void Tangent(GradContext p)
        {
            var (device, own, common, w) = (p.Device, p.X(0), p.X(1), p.X(2));
            var (dOwn, dCommon, dw, db) = (p.DX(0), p.DX(1), p.DX(2), p.DX(3));
            var groups = new Groups(common.Shape, own.Shape, w.Shape);
            int all = groups.Count;
            var d = p.Zeros(new Shape(all, groups.N, groups.Out));
            var sum = groups.Copies ? d.Reshape(all, groups.N * groups.Out) : p.Zeros(new Shape(all, groups.Out));
            if (!dCommon.IsNone)
            {
                device.Gemm(groups.Common(dCommon, 0, all), groups.Common(w).T, Matrix.Of(sum), accumulate: true);
            }
            if (!dw.IsNone)
            {
                device.Gemm(groups.Common(common, 0, all), groups.Common(dw).T, Matrix.Of(sum), accumulate: true);
            }
            if (!db.IsNone)
            {
                device.Zip(default(Add), sum, db.Reshape(1, sum.Shape[1]), sum);
            }
            if (!groups.Copies)
            {
                device.Zip(default(Add), d, sum.Reshape(all, 1, groups.Out), d);
            }
            if (!dOwn.IsNone)
            {
                device.Gemm(groups.Own(dOwn, 0, all), groups.Own(w).T, Rows(d, groups.Copies), accumulate: true);
            }
            if (!dw.IsNone)
            {
                device.Gemm(groups.Own(own, 0, all), groups.Own(dw).T, Rows(d, groups.Copies), accumulate: true);
            }
            device.MapDerivative(default(Relu), p.Y, p.Y, d.Reshape(p.Y.Shape), p.DY);
        }
    }
}
