using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>Reductions.</summary>
internal sealed partial class CpuDevice
{
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
            Loop.Run(new FoldLoop<TOp>(op, ref rows, length, inner, ref target, accumulate), inner);
        }
    }

    /// <summary>
    /// Reduces a row: element i goes to virtual lane i mod 16, in order of i, then <see cref="ReduceLanes"/>. A last group of fewer than sixteen is padded with
    /// the operation's identity.
    /// </summary>
    private static float FoldRow<TOp>(TOp op, ref float row, int n) where TOp : unmanaged, IReduction => ReduceLanes(op, FoldLanes(op, ref row, n));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V16 FoldLanes<TOp>(TOp op, ref float row, int n) where TOp : unmanaged, IReduction
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
        return lanes;
    }

    public override void SumSquares(Tensor x, Segments segments, Tensor sums)
    {
        var lengths = segments.Lengths;
        ref float row = ref First(x, segments.Count), py = ref First(sums, lengths.Length);
        for (int s = 0; s < lengths.Length; s++)
        {
            Unsafe.Add(ref py, s) = ReduceLanes(default(Sum), FoldLanes(default(AddSquare), ref row, lengths[s]));
            row = ref Unsafe.Add(ref row, lengths[s]);
        }
    }

    /// <summary>Adds squares, in the order of <see cref="Sum"/>.</summary>
    private readonly struct AddSquare : IReduction
    {
        public float Identity => 0f;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Fold<T>(T a, T b) where T : struct, ILane<T> => a + b * b;
    }

    /// <summary>The fixed tree over sixteen lanes: lane i is folded with lane i + 8, then + 4, + 2 and + 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float ReduceLanes<TOp>(TOp op, V16 lanes) where TOp : unmanaged, IReduction
    {
        V8 eight = op.Fold(lanes.Lower, lanes.Upper);
        V8 four = op.Fold(eight, eight.Upper);
        F1 even = op.Fold(four[0], four[2]), odd = op.Fold(four[1], four[3]);
        return op.Fold(even, odd).Value;
    }

    /// <summary>
    /// Reduces columns: row k goes to virtual lane k mod 4, in order of k, then (0 + 1) + (2 + 3). Four chains hide the latency of the adder.
    /// </summary>
    private readonly ref struct FoldLoop<TOp>(TOp op, ref float x, int rows, nint stride, ref float y, bool accumulate) : ILoop
        where TOp : unmanaged, IReduction
    {
        private readonly ref float x = ref x, y = ref y;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(int i) where T : struct, IFloatLane<T>
        {
            T lane0 = T.Of(op.Identity), lane1 = lane0, lane2 = lane0, lane3 = lane0;
            nint at = i;
            int k = 0;
            for (; k <= rows - 4; k += 4, at += 4 * stride)
            {
                lane0 = op.Fold(lane0, T.Load(ref x, at));
                lane1 = op.Fold(lane1, T.Load(ref x, at + stride));
                lane2 = op.Fold(lane2, T.Load(ref x, at + 2 * stride));
                lane3 = op.Fold(lane3, T.Load(ref x, at + 3 * stride));
            }
            lane0 = k < rows ? op.Fold(lane0, T.Load(ref x, at)) : lane0;
            lane1 = k + 1 < rows ? op.Fold(lane1, T.Load(ref x, at + stride)) : lane1;
            lane2 = k + 2 < rows ? op.Fold(lane2, T.Load(ref x, at + 2 * stride)) : lane2;
            T folded = op.Fold(op.Fold(lane0, lane1), op.Fold(lane2, lane3));
            (accumulate ? op.Fold(T.Load(ref y, i), folded) : folded).Store(ref y, i);
        }
    }

    public override void ArgMax(Tensor x, Tensor mask, Tensor index)
    {
        int rows = x.Shape.Rows, columns = x.Shape.Columns;
        ref float px = ref First(x, rows * columns), pm = ref mask.IsNone ? ref px : ref First(mask, rows * columns);
        ref float pi = ref First(index, rows);
        for (int row = 0; row < rows; row++)
        {
            Unsafe.Add(ref pi, row) = ArgMaxOfRow(ref px, ref pm, mask.IsNone, (nint)row * columns, columns);
        }
    }

    /// <summary>
    /// Finds the maximum of a row, then its first index. Masked entries are read as NaN, which is neither greater than nor equal to anything.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int ArgMaxOfRow(ref float x, ref float mask, bool all, nint start, int columns)
    {
        V16 most = V16.Of(float.NegativeInfinity);
        for (int i = 0; i < columns; i += V16.Width)
        {
            most = default(Max).Fold(most, LoadAvailable(ref x, ref mask, all, start, i, columns, float.NaN));
        }
        most = V16.Of(ReduceLanes(default(Max), most));
        for (int i = 0; i < columns; i += V16.Width)
        {
            int at = V16.FirstEqual(LoadAvailable(ref x, ref mask, all, start, i, columns, float.NaN), most);
            if (at < V16.Width)
            {
                return i + at;
            }
        }
        return 0;
    }

    public override void Scan(Tensor a, Tensor b, Tensor y)
    {
        int inner = y.Shape.Product(1, y.Shape.Rank), n = y.Count;
        ref float pa = ref First(a, n), pb = ref First(b, n), py = ref First(y, n);
        Loop.Run(new ScanLoop(ref pa, ref pb, ref py, n - inner, inner), inner);
    }

    private readonly ref struct ScanLoop(ref float a, ref float b, ref float y, nint last, nint stride) : ILoop
    {
        private readonly ref float a = ref a, b = ref b, y = ref y;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(int i) where T : struct, IFloatLane<T>
        {
            T next = T.Zero;
            for (nint at = last + i; at >= 0; at -= stride)
            {
                next = T.Fma(T.Load(ref b, at), next, T.Load(ref a, at));
                next.Store(ref y, at);
            }
        }
    }
}
