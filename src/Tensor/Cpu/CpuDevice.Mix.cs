using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>Monotone mixing: absolute weights, one matrix per row.</summary>
internal sealed partial class CpuDevice
{
    public override void MonotoneMix(Tensor w, Tensor x, Tensor b, Tensor y)
    {
        int rows = x.Shape.Rows, inputs = x.Shape.Columns, width = y.Shape.Columns;
        ref float pw = ref First(w, rows * inputs * width), px = ref First(x, rows * inputs);
        ref float pb = ref First(b, rows * width), py = ref First(y, rows * width);
        for (int row = 0; row < rows; row++)
        {
            if (width == 1)
            {
                Unsafe.Add(ref py, row) = Unsafe.Add(ref pb, row) + AbsoluteDot(ref pw, (nint)row * inputs, ref px, (nint)row * inputs, inputs);
                continue;
            }
            ref float rw = ref Unsafe.Add(ref pw, (nint)row * inputs * width), rx = ref Unsafe.Add(ref px, (nint)row * inputs);
            ref float rb = ref Unsafe.Add(ref pb, (nint)row * width), ry = ref Unsafe.Add(ref py, (nint)row * width);
            Loop.Run(new MixLoop(ref rw, ref rx, ref rb, ref ry, inputs, width), width);
        }
    }

    /// <summary>Each y[e] is one chain of fused multiply-adds over n that starts from b[e]. A row with one output is a dot product instead.</summary>
    private readonly ref struct MixLoop(ref float w, ref float x, ref float b, ref float y, int inputs, nint width) : ILoop
    {
        private readonly ref float w = ref w, x = ref x, b = ref b, y = ref y;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(int e) where T : struct, IFloatLane<T>
        {
            T sum = T.Load(ref b, e);
            for (int n = 0; n < inputs; n++)
            {
                sum = T.Fma(T.Abs(T.Load(ref w, n * width + e)), T.Of(Unsafe.Add(ref x, n)), sum);
            }
            sum.Store(ref y, e);
        }
    }

    public override void MonotoneMixBackward(Tensor w, Tensor x, Tensor dy, Tensor dw, Tensor dx, bool accumulate)
    {
        int rows = x.Shape.Rows, inputs = x.Shape.Columns, width = dy.Shape.Columns;
        ref float pw = ref First(w, rows * inputs * width), px = ref First(x, rows * inputs), pdy = ref First(dy, rows * width);
        ref float pdw = ref dw.IsNone ? ref pw : ref First(dw, rows * inputs * width);
        ref float pdx = ref dx.IsNone ? ref px : ref First(dx, rows * inputs);
        for (int row = 0; row < rows; row++)
        {
            if (width == 1)
            {
                MixColumn(ref pw, ref px, Unsafe.Add(ref pdy, row), ref pdw, ref pdx, (nint)row * inputs, inputs, !dw.IsNone, !dx.IsNone, accumulate);
                continue;
            }
            for (int n = 0; n < inputs; n++)
            {
                nint input = (nint)row * inputs + n;
                if (!dw.IsNone)
                {
                    MixWeights(ref pw, Unsafe.Add(ref px, input), ref pdy, (nint)row * width, ref pdw, input * width, width, accumulate);
                }
                if (!dx.IsNone)
                {
                    Unsafe.Add(ref pdx, input) += AbsoluteDot(ref pw, input * width, ref pdy, (nint)row * width, width);
                }
            }
        }
    }

    /// <summary>The backward pass of a row with one output: dw = sign(w) x dy, or dw += that, and dx += |w| dy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MixColumn(ref float w, ref float x, float dy, ref float dw, ref float dx, nint start, int inputs, bool needsW, bool needsX,
        bool accumulate)
    {
        V16 slope = V16.Of(dy);
        for (int n = 0; n < inputs; n += V16.Width)
        {
            V16 weight = LoadGroup(ref w, start, n, inputs, 0f), value = LoadGroup(ref x, start, n, inputs, 0f);
            if (needsW)
            {
                V16 before = accumulate ? LoadGroup(ref dw, start, n, inputs, 0f) : V16.Zero;
                StoreGroup(V16.Fma(Signed(weight, value), slope, before), ref dw, start, n, inputs);
            }
            if (needsX)
            {
                StoreGroup(V16.Fma(V16.Abs(weight), slope, LoadGroup(ref dx, start, n, inputs, 0f)), ref dx, start, n, inputs);
            }
        }
    }

    /// <summary>sign(w) x</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V16 Signed(V16 w, V16 x) => V16.IfGreater(w, V16.Zero, x, V16.IfGreater(V16.Zero, w, -x, V16.Zero));

    /// <summary>dw = sign(w) x dy, or dw += that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MixWeights(ref float w, float x, ref float dy, nint row, ref float dw, nint input, int width, bool accumulate)
    {
        V16 value = V16.Of(x);
        for (int e = 0; e < width; e += V16.Width)
        {
            V16 signed = Signed(LoadGroup(ref w, input, e, width, 0f), value);
            V16 before = accumulate ? LoadGroup(ref dw, input, e, width, 0f) : V16.Zero;
            StoreGroup(V16.Fma(signed, LoadGroup(ref dy, row, e, width, 0f), before), ref dw, input, e, width);
        }
    }

    /// <summary>sum_e |w| dy, with sixteen virtual lanes and the tree of <see cref="ReduceLanes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float AbsoluteDot(ref float w, nint input, ref float dy, nint row, int width)
    {
        V16 lanes = V16.Zero;
        for (int e = 0; e < width; e += V16.Width)
        {
            lanes = V16.Fma(V16.Abs(LoadGroup(ref w, input, e, width, 0f)), LoadGroup(ref dy, row, e, width, 0f), lanes);
        }
        return ReduceLanes(default(Sum), lanes);
    }
}
