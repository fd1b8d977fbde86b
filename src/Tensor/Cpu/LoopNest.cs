using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>
/// Up to four nested loops over up to five strided operands; a stride of 0 broadcasts. <see cref="Collapse"/> merges loops that are contiguous for every
/// operand: equal shapes become one loop, a broadcast row or column two.
/// </summary>
internal struct LoopNest
{
    private const int Axes = Shape.MaxRank, Operands = 5;
    private Int4 lengths, indices;
    private Int20 strides;

    private LoopNest(ReadOnlySpan<int> lengths) => lengths[..Axes].CopyTo(this.lengths);

    /// <summary>Creates loops over the elements of a shape; missing leading axes have length 1.</summary>
    public LoopNest(Shape shape)
    {
        for (int axis = 0; axis < Axes; axis++)
        {
            lengths[axis] = axis + shape.Rank < Axes ? 1 : shape[axis + shape.Rank - Axes];
        }
    }

    /// <summary>Creates collapsed loops over two strided tensors. Returns false if there are no elements.</summary>
    /// <exception cref="ArgumentException">An index lies outside a tensor.</exception>
    public static bool TryCreate(ReadOnlySpan<int> lengths, Tensor x, ReadOnlySpan<int> xStrides, Tensor y, ReadOnlySpan<int> yStrides, out LoopNest nest)
    {
        nest = new LoopNest(lengths);
        xStrides[..Axes].CopyTo(nest.strides);
        yStrides[..Axes].CopyTo(nest.strides[Axes..]);
        if (!nest.Collapse(2))
        {
            return false;
        }
        nest.CheckBounds(0, x);
        nest.CheckBounds(1, y);
        return true;
    }

    public readonly int Length(int axis) => lengths[axis];

    public readonly int Stride(int operand, int axis) => strides[operand * Axes + axis];

    /// <summary>Sets the strides of a dense operand that is broadcast to the loops: 0 along axes that it lacks or that have length 1.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast.</exception>
    public void SetBroadcast(int operand, Shape shape)
    {
        int step = 1;
        for (int axis = Axes - 1; axis >= 0; axis--)
        {
            int own = axis + shape.Rank - Axes, length = own < 0 ? 1 : shape[own];
            if (length != 1 && length != lengths[axis])
            {
                throw new ArgumentException($"{shape} does not broadcast to the result");
            }
            strides[operand * Axes + axis] = length == lengths[axis] ? step : 0;
            step *= length;
        }
    }

    /// <summary>Removes loops of length 1, merges contiguous loops and moves the rest to the last axes. Returns false if there are no elements.</summary>
    public bool Collapse(int operands)
    {
        int last = Axes - 1;
        for (int axis = last - 1; axis >= 0; axis--)
        {
            if (lengths[axis] == 1)
            {
                continue;
            }
            if (lengths[last] == 1)
            {
                Move(axis, last);
            }
            else if (CanMerge(axis, last, operands))
            {
                lengths[last] *= lengths[axis];
            }
            else
            {
                Move(axis, --last);
            }
        }
        lengths[..last].Fill(1);
        return lengths[0] * lengths[1] * lengths[2] * lengths[3] != 0;
    }

    /// <summary>The current offset of an operand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Offset(int operand)
    {
        int at = operand * Axes;
        return indices[0] * strides[at] + indices[1] * strides[at + 1] + indices[2] * strides[at + 2];
    }

    /// <summary>The current element of an operand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ref float At(int operand, ref float first) => ref Unsafe.Add(ref first, Offset(operand));

    /// <summary>The row of an operand along the innermost loop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Row Row(int operand, ref float first)
        => new(ref At(operand, ref first), Stride(operand, Axes - 1));

    /// <summary>Advances the loops 0 .. <paramref name="axis"/>. Returns false after the last iteration.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Next(int axis)
    {
        for (; axis >= 0; axis--)
        {
            if (++indices[axis] < lengths[axis])
            {
                return true;
            }
            indices[axis] = 0;
        }
        return false;
    }

    /// <summary>Checks that all indices of an operand lie in a tensor.</summary>
    /// <exception cref="ArgumentException">An index lies outside.</exception>
    private readonly void CheckBounds(int operand, Tensor x)
    {
        long least = 0, most = 0;
        for (int axis = 0; axis < Axes; axis++)
        {
            long extent = (Length(axis) - 1L) * Stride(operand, axis);
            (least, most) = (least + Math.Min(extent, 0), most + Math.Max(extent, 0));
        }
        if (least < 0 || most >= x.Count)
        {
            throw new ArgumentException($"strided indices {least}..{most} exceed {x}");
        }
    }

    private readonly bool CanMerge(int axis, int last, int operands)
    {
        for (int operand = 0; operand < operands; operand++)
        {
            if (Stride(operand, axis) != Stride(operand, last) * lengths[last])
            {
                return false;
            }
        }
        return true;
    }

    private void Move(int from, int to)
    {
        lengths[to] = lengths[from];
        for (int operand = 0; operand < Operands; operand++)
        {
            strides[operand * Axes + to] = strides[operand * Axes + from];
        }
    }

    [InlineArray(Axes)]
    private struct Int4
    {
        private int first;
    }

    [InlineArray(Axes * Operands)]
    private struct Int20
    {
        private int first;
    }
}
