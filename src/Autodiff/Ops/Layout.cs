namespace Marl.Native;

public static partial class Ops
{
    /// <summary>The same numbers under another shape.</summary>
    public static Var Reshape(this Var x, Shape shape) => x.Tape.View(x, x.Value.Reshape(shape));

    /// <inheritdoc cref="Reshape(Var, Shape)"/>
    public static Var Reshape(this Var x, params ReadOnlySpan<int> lengths) => x.Reshape(new Shape(lengths));

    /// <summary>Elements start .. start + count - 1 of an axis.</summary>
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
        var (device, row) = (x.Tape.Device, Block(x.Shape, axis));
        CopyBlocks(device, x.Value, x.Shape[axis] * row, start * row, y, count * row, 0, count * row, accumulate: false);
        return x.Tape.Record(new SliceOp(axis, start), y, [x]);
    }

    /// <summary>Joins tensors along an axis; the other axes are equal.</summary>
    /// <exception cref="ArgumentException">they are not; names both shapes.</exception>
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
        int row = Block(y.Shape, axis), start = 0;
        foreach (var part in parts)
        {
            int width = part.Shape[axis] * row;
            CopyBlocks(first.Tape.Device, part.Value, width, 0, y, length * row, start, width, accumulate: false);
            start += width;
        }
        return first.Tape.Record(new ConcatOp(axis), y, parts);
    }

    /// <summary>Joins tensors along a new axis.</summary>
    public static Var Stack(int axis, Var a, Var b)
    {
        Span<int> lengths = stackalloc int[Shape.MaxRank];
        a.Shape.CopyTo(lengths);
        lengths[axis..a.Shape.Rank].CopyTo(lengths[(axis + 1)..]);
        lengths[axis] = 1;
        var shape = new Shape(lengths[..(a.Shape.Rank + 1)]);
        return Concat(axis, a.Reshape(shape), b.Reshape(shape));
    }

    /// <summary>Axis i of the result is axis order[i] of x.</summary>
    /// <exception cref="ArgumentException">the order is not one of the axes of x.</exception>
    public static Var Permute(this Var x, params ReadOnlySpan<int> order)
    {
        var axes = order.Length == x.Shape.Rank ? new Axes(order)
            : throw new ArgumentException($"Permute: an order of {order.Length} axes for {x.Shape}");
        Span<int> lengths = stackalloc int[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            lengths[i] = x.Shape[order[i]];
        }
        var y = x.Tape.Allocate(new Shape(lengths));
        axes.Copy(x.Tape.Device, x.Value, y, inverse: false, accumulate: false);
        return x.Tape.Record(new PermuteOp(axes), y, [x]);
    }

    /// <summary>Number of elements behind one index of an axis.</summary>
    private static int Block(Shape shape, int axis) => shape.Product(axis + 1, shape.Rank);

    /// <summary>Copies <paramref name="width"/> contiguous elements of every block: x in blocks of xBlock from xStart, y of yBlock from yStart.</summary>
    private static void CopyBlocks(Device device, Tensor x, int xBlock, int xStart, Tensor y, int yBlock, int yStart, int width, bool accumulate)
    {
        int blocks = xBlock == 0 || yBlock == 0 ? 0 : Math.Min(x.Count / xBlock, y.Count / yBlock);
        if (blocks > 0 && width > 0)
        {
            device.CopyStrided(From(x, xStart), [0, 0, xBlock, 1], From(y, yStart), [0, 0, yBlock, 1], [1, 1, blocks, width], accumulate);
        }
    }

    /// <summary>All elements from one on, as a row.</summary>
    private static Tensor From(Tensor x, int start) => new(x.Storage, x.Offset + start, new Shape(x.Count - start));

    private readonly struct SliceOp(int axis, int start) : IOp
    {
        public void Backward(GradContext p)
        {
            var (x, y, row) = (p.X(0).Shape, p.Y.Shape, Block(p.Y.Shape, axis));
            CopyBlocks(p.Device, p.DY, y[axis] * row, 0, p.DX(0), x[axis] * row, start * row, y[axis] * row, accumulate: true);
        }

        public void Tangent(GradContext p)
        {
            var (x, y, row) = (p.X(0).Shape, p.Y.Shape, Block(p.Y.Shape, axis));
            CopyBlocks(p.Device, p.DX(0), x[axis] * row, start * row, p.DY, y[axis] * row, 0, y[axis] * row, accumulate: true);
        }
    }

    private readonly struct ConcatOp(int axis) : IOp
    {
        public void Backward(GradContext p) => Copy(p, backward: true);

        public void Tangent(GradContext p) => Copy(p, backward: false);

        private void Copy(GradContext p, bool backward)
        {
            int row = Block(p.Y.Shape, axis), block = p.Y.Shape[axis] * row, start = 0;
            for (int i = 0; i < p.Inputs; i++)
            {
                int width = p.X(i).Shape[axis] * row;
                var dx = p.DX(i);
                if (!dx.IsNone && backward)
                {
                    CopyBlocks(p.Device, p.DY, block, start, dx, width, 0, width, accumulate: true);
                }
                else if (!dx.IsNone)
                {
                    CopyBlocks(p.Device, dx, width, 0, p.DY, block, start, width, accumulate: true);
                }
                start += width;
            }
        }
    }

    private readonly struct PermuteOp(Axes axes) : IOp
    {
        public void Backward(GradContext p) => axes.Copy(p.Device, p.DY, p.DX(0), inverse: true, accumulate: true);

        public void Tangent(GradContext p) => axes.Copy(p.Device, p.DX(0), p.DY, inverse: false, accumulate: true);
    }

    /// <summary>An order of up to four axes, in four bytes.</summary>
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
                throw new ArgumentException($"Permute: [{string.Join(", ", order.ToArray())}] is not an order of {rank} axes");
            }
            (a0, a1, a2, a3) = (axes[0], axes[1], axes[2], axes[3]);
        }

        public void Copy(Device device, Tensor x, Tensor y, bool inverse, bool accumulate)
        {
            // The permuted side (y, or x when inverse) is walked contiguously, the other with permuted strides.
            var walked = inverse ? x.Shape : y.Shape;
            var other = inverse ? y.Shape : x.Shape;
            ReadOnlySpan<byte> order = [a0, a1, a2, a3];
            Span<int> lengths = [1, 1, 1, 1], walkedStrides = stackalloc int[4], otherStrides = stackalloc int[4];
            int pad = Shape.MaxRank - rank;
            for (int i = 0; i < rank; i++)
            {
                lengths[pad + i] = walked[i];
                walkedStrides[pad + i] = Block(walked, i);
                otherStrides[pad + i] = Block(other, order[i]);
            }
            device.CopyStrided(x, inverse ? walkedStrides : otherStrides, y, inverse ? otherStrides : walkedStrides, lengths, accumulate);
        }
    }
}
