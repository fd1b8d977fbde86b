using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>Reductions.</summary>
internal sealed partial class CpuDevice
{
    /// <inheritdoc/>
    public override void Reduce<TOp>(TOp op, Tensor x, int axis, Tensor y, bool accumulate)
    {
        int at = axis < 0 ? axis + x.Shape.Rank : axis, length = x.Shape[at];
        int outer = x.Shape.Product(0, at), inner = x.Shape.Product(at + 1, x.Shape.Rank);
        ref float px = ref First(x, x.Count), py = ref First(y, outer * inner);
        if (inner == 1)
        {
            for (int row = 0; row < outer; row++)
            {
                float folded = FoldRow(op, ref Unsafe.Add(ref px, (nint)row * length), length);
                ref float target = ref Unsafe.Add(ref py, row);
                target = accumulate ? op.Fold(new F1(target), new F1(folded)).Value : folded;
            }
            return;
        }
        for (int i = 0; i < outer; i++)
        {
            ref float rows = ref Unsafe.Add(ref px, (nint)i * length * inner), target = ref Unsafe.Add(ref py, (nint)i * inner);
            int column = FoldColumns<V16, TOp>(op, ref rows, length, ref target, 0, inner, accumulate);
            FoldColumns<F1, TOp>(op, ref rows, length, ref target, column, inner, accumulate);
        }
    }

    /// <summary>Folds a row: element i goes to virtual lane i mod 16, in order of i, then <see cref="Across"/>. A last, short group of
    /// sixteen is filled up with the op's identity.</summary>
    private static float FoldRow<TOp>(TOp op, ref float row, int n) where TOp : unmanaged, IReduction
    {
        V16 lanes = V16.Of(op.Identity);
        int i = 0;
        for (; i <= n - V16.Width; i += V16.Width)
        {
            lanes = op.Fold(lanes, V16.Load(ref row, i));
        }
        if (i < n)
        {
            lanes = op.Fold(lanes, V16.LoadFirst(n - i, ref row, i, op.Identity));
        }
        return Across(op, lanes);
    }

    /// <summary>The fixed tree over sixteen lanes: the upper half is folded onto the lower, again and again: i with i + 8, + 4, + 2, + 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Across<TOp>(TOp op, V16 lanes) where TOp : unmanaged, IReduction
    {
        V8 eight = op.Fold(lanes.Lower, lanes.Upper);
        V8 four = op.Fold(eight, eight.Upper);
        F1 even = op.Fold(four[0], four[2]), odd = op.Fold(four[1], four[3]);
        return op.Fold(even, odd).Value;
    }

    /// <summary>Folds columns, a lane of them at a time: row k goes to virtual lane k mod 4, in order of k, then (0 + 1) + (2 + 3). Four
    /// chains keep the adder busy.</summary>
    private static int FoldColumns<T, TOp>(TOp op, ref float x, int rows, ref float y, int column, int columns, bool accumulate)
        where T : struct, IFloatLane<T> where TOp : unmanaged, IReduction
    {
        for (; column <= columns - T.Width; column += T.Width)
        {
            T lane0 = T.Of(op.Identity), lane1 = lane0, lane2 = lane0, lane3 = lane0;
            nint at = column;
            int k = 0;
            for (; k <= rows - 4; k += 4, at += 4 * (nint)columns)
            {
                lane0 = op.Fold(lane0, T.Load(ref x, at));
                lane1 = op.Fold(lane1, T.Load(ref x, at + columns));
                lane2 = op.Fold(lane2, T.Load(ref x, at + 2 * (nint)columns));
                lane3 = op.Fold(lane3, T.Load(ref x, at + 3 * (nint)columns));
            }
            if (k < rows)
            {
                lane0 = op.Fold(lane0, T.Load(ref x, at));
            }
            if (k + 1 < rows)
            {
                lane1 = op.Fold(lane1, T.Load(ref x, at + columns));
            }
            if (k + 2 < rows)
            {
                lane2 = op.Fold(lane2, T.Load(ref x, at + 2 * (nint)columns));
            }
            T folded = op.Fold(op.Fold(lane0, lane1), op.Fold(lane2, lane3));
            (accumulate ? op.Fold(T.Load(ref y, column), folded) : folded).Store(ref y, column);
        }
        return column;
    }

    /// <inheritdoc/>
    public override void ArgMax(Tensor x, Tensor mask, Tensor index)
    {
        int rows = x.Shape.Rows, columns = x.Shape.Columns;
        ref float px = ref First(x, rows * columns), pm = ref mask.IsNone ? ref px : ref First(mask, rows * columns);
        ref float pi = ref First(index, rows);
        for (int row = 0; row < rows; row++)
        {
            int first = -1;
            float greatest = 0;
            for (int k = 0; k < columns; k++)
            {
                nint at = (nint)row * columns + k;
                float value = Unsafe.Add(ref px, at);
                bool available = mask.IsNone || Unsafe.Add(ref pm, at) != 0;
                if (available && (first < 0 ? !float.IsNaN(value) : value > greatest))
                {
                    (first, greatest) = (k, value);
                }
            }
            Unsafe.Add(ref pi, row) = Math.Max(first, 0);
        }
    }

    /// <inheritdoc/>
    public override void Scan(Tensor a, Tensor b, Tensor y)
    {
        int steps = y.Shape[0], inner = y.Shape.Product(1, y.Shape.Rank), n = y.Count;
        ref float pa = ref First(a, n), pb = ref First(b, n), py = ref First(y, n);
        if (n > 0)
        {
            int i = Scan<V16>(ref pa, ref pb, ref py, steps, 0, inner);
            Scan<F1>(ref pa, ref pb, ref py, steps, i, inner);
        }
    }

    private static int Scan<T>(ref float a, ref float b, ref float y, int steps, int i, int inner) where T : struct, IFloatLane<T>
    {
        for (; i <= inner - T.Width; i += T.Width)
        {
            T next = T.Zero;
            for (nint at = (steps - 1) * (nint)inner + i; at >= 0; at -= inner)
            {
                next = T.Fma(T.Load(ref b, at), next, T.Load(ref a, at));
                next.Store(ref y, at);
            }
        }
        return i;
    }
}
