using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>
/// Up to four nested loops over up to five operands that each move with their own strides; a stride of 0 broadcasts.
/// <see cref="Collapse"/> merges loops that run on into each other for every operand, so that same shapes become one loop, a bias
/// row or a column factor two, whatever the rank: the general case contains the fast ones.
/// </summary>
internal struct LoopNest
{
    private const int Axes = Shape.MaxRank, Operands = 5;
    private Numbers4 lengths, indices;
    private Numbers20 strides;

    private LoopNest(ReadOnlySpan<int> lengths) => lengths[..Axes].CopyTo(this.lengths);

    /// <summary>Loops over the elements of a shape, leading loops of one turn where it has fewer axes.</summary>
    public LoopNest(Shape shape)
    {
        for (int axis = 0; axis < Axes; axis++)
        {
            lengths[axis] = axis + shape.Rank < Axes ? 1 : shape[axis + shape.Rank - Axes];
        }
    }

    /// <summary>Loops over two tensors that each move with their own strides, collapsed; false if there is nothing to do.</summary>
    /// <exception cref="ArgumentException">one would move beyond its tensor.</exception>
    public static bool Over(ReadOnlySpan<int> lengths, Tensor x, ReadOnlySpan<int> xStrides, Tensor y, ReadOnlySpan<int> yStrides, out LoopNest nest)
    {
        nest = new LoopNest(lengths);
        xStrides[..Axes].CopyTo(nest.strides);
        yStrides[..Axes].CopyTo(nest.strides[Axes..]);
        if (!nest.Collapse(2))
        {
            return false;
        }
        nest.CheckReach(0, x);
        nest.CheckReach(1, y);
        return true;
    }

    public readonly int Length(int axis) => lengths[axis];

    public readonly int Stride(int operand, int axis) => strides[operand * Axes + axis];

    /// <summary>Strides of a dense operand that broadcasts to the nest: 0 along what it lacks or has once.</summary>
    /// <exception cref="ArgumentException">it does not broadcast.</exception>
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

    /// <summary>Drops loops of one turn and merges what runs on; the rest fills the last axes. False if there is nothing to do.</summary>
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
            else if (RunsOn(axis, last, operands))
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

    /// <summary>Where an operand stands.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Offset(int operand)
    {
        int at = operand * Axes;
        return indices[0] * strides[at] + indices[1] * strides[at + 1] + indices[2] * strides[at + 2];
    }

    /// <summary>Where the innermost loop writes a result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ref float At(int operand, ref float first) => ref Unsafe.Add(ref first, Offset(operand));

    /// <summary>What an operand shows to the innermost loop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Row Row(int operand, ref float first)
        => new(ref At(operand, ref first), Stride(operand, Axes - 1));

    /// <summary>One turn of the loops down to <paramref name="axis"/>; false after the last.</summary>
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

    /// <summary>That an operand moves within a tensor only.</summary>
    /// <exception cref="ArgumentException">it does not.</exception>
    private readonly void CheckReach(int operand, Tensor x)
    {
        long least = 0, most = 0;
        for (int axis = 0; axis < Axes; axis++)
        {
            long reach = (Length(axis) - 1L) * Stride(operand, axis);
            (least, most) = (least + Math.Min(reach, 0), most + Math.Max(reach, 0));
        }
        if (least < 0 || most >= x.Count)
        {
            throw new ArgumentException($"strides reach {least}..{most} of {x}");
        }
    }

    private readonly bool RunsOn(int axis, int last, int operands)
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
    private struct Numbers4
    {
        private int first;
    }

    [InlineArray(Axes * Operands)]
    private struct Numbers20
    {
        private int first;
    }
}
