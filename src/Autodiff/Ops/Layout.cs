namespace Marl.Native;

public static partial class Ops
{
    /// <summary>Returns a view with another shape and the same elements.</summary>
    /// <exception cref="ArgumentException">The element counts differ.</exception>
    public static Var Reshape(this Var x, Shape shape) => x.Tape.View(x, x.Value.Reshape(shape));

    /// <inheritdoc cref="Reshape(Var, Shape)"/>
    public static Var Reshape(this Var x, params ReadOnlySpan<int> lengths) => x.Reshape(new Shape(lengths));

    /// <summary>Returns elements start .. start + count - 1 of an axis.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range exceeds the axis.</exception>
    public static Var Slice(this Var x, int axis, int start, int count)
    {
        axis = axis < 0 ? axis + x.Shape.Rank : axis;
        if (start < 0 || count < 0 || start + count > x.Shape[axis])
        {
            throw new ArgumentOutOfRangeException(nameof(start), $"Slice: {start}..{start + count} of axis {axis} of {x.Shape}");
        }
        if (axis == 0)
        {
            return x.Tape.View(x, x.Value.Slice(start, count));
        }
        var y = x.Tape.Allocate(x.Shape.With(axis, count));
        var (device, row) = (x.Tape.Device, StrideOf(x.Shape, axis));
        CopyBlocks(device, x.Value, x.Shape[axis] * row, start * row, y, count * row, 0, count * row, accumulate: false);
        return x.Tape.Record(new SliceOp(axis, start), y, [x]);
    }

    /// <summary>Concatenates tensors along an axis; the other axes must be equal.</summary>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    public static Var Concat(int axis, params ReadOnlySpan<Var> parts)
    {
        var first = parts[0];
        axis = axis < 0 ? axis + first.Shape.Rank : axis;
        int length = 0;
        foreach (var part in parts)
        {
            length += part.Shape.With(axis, first.Shape[axis]) == first.Shape ? part.Shape[axis]
                : throw new ArgumentException($"Concat along axis {axis}: {first.Shape} and {part.Shape}");
        }
        var y = first.Tape.Allocate(first.Shape.With(axis, length));
        int row = StrideOf(y.Shape, axis), start = 0;
        foreach (var part in parts)
        {
            int width = part.Shape[axis] * row;
            CopyBlocks(first.Tape.Device, part.Value, width, 0, y, length * row, start, width, accumulate: false);
            start += width;
        }
        return first.Tape.Record(new ConcatOp(axis), y, parts);
    }

    /// <summary>Joins two tensors of equal shape along a new axis.</summary>
    public static Var Stack(int axis, Var a, Var b)
    {
        Span<int> lengths = stackalloc int[Shape.MaxRank];
        a.Shape.CopyTo(lengths);
        lengths[axis..a.Shape.Rank].CopyTo(lengths[(axis + 1)..]);
        lengths[axis] = 1;
        var shape = new Shape(lengths[..(a.Shape.Rank + 1)]);
        return Concat(axis, a.Reshape(shape), b.Reshape(shape));
    }

    /// <summary>Permutes the axes: axis i of the result is axis order[i] of x.</summary>
    /// <exception cref="ArgumentException">The order is not a permutation of the axes of x.</exception>
    public static Var Permute(this Var x, params ReadOnlySpan<int> order)
    {
        var axes = order.Length == x.Shape.Rank ? new Axes(order)
            : throw new ArgumentException($"Permute: {order.Length} axes for a tensor of shape {x.Shape}");
        Span<int> lengths = stackalloc int[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            lengths[i] = x.Shape[order[i]];
        }
        var y = x.Tape.Allocate(new Shape(lengths));
        axes.Copy(x.Tape.Device, x.Value, y, inverse: false, accumulate: false);
        return x.Tape.Record(new PermuteOp(axes), y, [x]);
    }

    /// <summary>The stride of an axis, in elements.</summary>
    private static int StrideOf(Shape shape, int axis) => shape.Product(axis + 1, shape.Rank);

    /// <summary>
    /// Copies <paramref name="width"/> contiguous elements of every block: x has blocks of xBlock elements from xStart on, y has blocks of yBlock elements from
    /// yStart on.
    /// </summary>
    private static void CopyBlocks(Device device, Tensor x, int xBlock, int xStart, Tensor y, int yBlock, int yStart, int width, bool accumulate)
    {
        int blocks = xBlock == 0 || yBlock == 0 ? 0 : Math.Min(x.Count / xBlock, y.Count / yBlock);
        if (blocks > 0 && width > 0)
        {
            device.CopyStrided(From(x, xStart), [0, 0, xBlock, 1], From(y, yStart), [0, 0, yBlock, 1], [1, 1, blocks, width], accumulate);
        }
    }

    /// <summary>A flat view of the elements from <paramref name="start"/> on.</summary>
    private static Tensor From(Tensor x, int start) => new(x.Storage, x.Offset + start, new Shape(x.Count - start));

    private readonly struct SliceOp(int axis, int start) : IOp
    {
        public void Backward(GradContext context)
        {
            var (x, y, row) = (context.X(0).Shape, context.Y.Shape, StrideOf(context.Y.Shape, axis));
            CopyBlocks(context.Device, context.DY, y[axis] * row, 0, context.DX(0), x[axis] * row, start * row, y[axis] * row, accumulate: true);
        }

        public void Tangent(GradContext context)
        {
            var (x, y, row) = (context.X(0).Shape, context.Y.Shape, StrideOf(context.Y.Shape, axis));
            CopyBlocks(context.Device, context.DX(0), x[axis] * row, start * row, context.DY, y[axis] * row, 0, y[axis] * row, accumulate: true);
        }
    }

    private readonly struct ConcatOp(int axis) : IOp
    {
        public void Backward(GradContext context) => Copy(context, backward: true);

        public void Tangent(GradContext context) => Copy(context, backward: false);

        private void Copy(GradContext context, bool backward)
        {
            int row = StrideOf(context.Y.Shape, axis), block = context.Y.Shape[axis] * row, start = 0;
            for (int i = 0; i < context.Inputs; i++)
            {
                int width = context.X(i).Shape[axis] * row;
                var dx = context.DX(i);
                if (!dx.IsNone && backward)
                {
                    CopyBlocks(context.Device, context.DY, block, start, dx, width, 0, width, accumulate: true);
                }
                else if (!dx.IsNone)
                {
                    CopyBlocks(context.Device, dx, width, 0, context.DY, block, start, width, accumulate: true);
                }
                start += width;
            }
        }
    }

    private readonly struct PermuteOp(Axes axes) : IOp
    {
        public void Backward(GradContext context) => axes.Copy(context.Device, context.DY, context.DX(0), inverse: true, accumulate: true);

        public void Tangent(GradContext context) => axes.Copy(context.Device, context.DX(0), context.DY, inverse: false, accumulate: true);
    }

    /// <summary>A permutation of up to four axes, in four bytes.</summary>
    private readonly struct Axes
    {
        private readonly byte a0, a1, a2, a3;
        private readonly int rank;

        public Axes(ReadOnlySpan<int> order)
        {
            rank = order.Length;
            Span<byte> axes = [0, 1, 2, 3];
            int seen = 0;
            for (int i = 0; i < rank; i++)
            {
                axes[i] = (byte)order[i];
                seen |= 1 << order[i];
            }
            if (seen != (1 << rank) - 1)
            {
                throw new ArgumentException($"Permute: [{string.Join(", ", order.ToArray())}] is not a permutation of {rank} axes");
            }
            (a0, a1, a2, a3) = (axes[0], axes[1], axes[2], axes[3]);
        }

        public void Copy(Device device, Tensor x, Tensor y, bool inverse, bool accumulate)
        {
            // The permuted tensor (y, or x if inverse) is traversed contiguously, the other with permuted strides.
            var walked = inverse ? x.Shape : y.Shape;
            var other = inverse ? y.Shape : x.Shape;
            ReadOnlySpan<byte> order = [a0, a1, a2, a3];
            Span<int> lengths = [1, 1, 1, 1], walkedStrides = stackalloc int[4], otherStrides = stackalloc int[4];
            int pad = Shape.MaxRank - rank;
            for (int i = 0; i < rank; i++)
            {
                lengths[pad + i] = walked[i];
                walkedStrides[pad + i] = StrideOf(walked, i);
                otherStrides[pad + i] = StrideOf(other, order[i]);
            }
            device.CopyStrided(x, inverse ? walkedStrides : otherStrides, y, inverse ? otherStrides : walkedStrides, lengths, accumulate);
        }
    }
}
