using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Marl.Native;

/// <summary>Elementwise primitives.</summary>
internal sealed partial class CpuDevice
{
    public override void Map<TOp>(TOp op, Tensor x, Tensor y)
        => Loop.Run(new MapLoop<TOp>(op, ref First(x, y.Count), ref First(y, y.Count)), y.Count);

    private readonly ref struct MapLoop<TOp>(TOp op, ref float x, ref float y) : ILoop where TOp : unmanaged, IUnary
    {
        private readonly ref float x = ref x, y = ref y;

        [MethodImpl(AggressiveInlining)]
        public void Step<T>(int i) where T : struct, IFloatLane<T> => op.F(T.Load(ref x, i)).Store(ref y, i);
    }

    public override void MapDerivative<TOp>(TOp op, Tensor x, Tensor y, Tensor dy, Tensor z, bool accumulate)
    {
        int n = z.Count;
        Loop.Run(new MapDerivativeLoop<TOp>(op, ref First(x, n), ref First(y, n), ref First(dy, n), ref First(z, n), accumulate), n);
    }

    private readonly ref struct MapDerivativeLoop<TOp>(TOp op, ref float x, ref float y, ref float dy, ref float z, bool accumulate) : ILoop
        where TOp : unmanaged, IUnary
    {
        private readonly ref float x = ref x, y = ref y, dy = ref dy, z = ref z;

        [MethodImpl(AggressiveInlining)]
        public void Step<T>(int i) where T : struct, IFloatLane<T>
            => T.Fma(op.D(T.Load(ref x, i), T.Load(ref y, i)), T.Load(ref dy, i), accumulate ? T.Load(ref z, i) : T.Zero).Store(ref z, i);
    }

    public override void Zip<TOp>(TOp op, Tensor a, Tensor b, Tensor y)
    {
        if (a.Shape == y.Shape && b.Shape == y.Shape)
        {
            int n = y.Count;
            Loop.Run(new SameShapeZipLoop<TOp>(op, ref First(a, n), ref First(b, n), ref First(y, n)), n);
            return;
        }
        var nest = new LoopNest(y.Shape);
        nest.SetBroadcast(0, a.Shape);
        nest.SetBroadcast(1, b.Shape);
        nest.SetBroadcast(2, y.Shape);
        if (!nest.Collapse(3))
        {
            return;
        }
        ref float pa = ref First(a, a.Count), pb = ref First(b, b.Count), py = ref First(y, y.Count);
        do
        {
            Loop.Run(new ZipLoop<TOp>(op, nest.Row(0, ref pa), nest.Row(1, ref pb), ref nest.At(2, ref py)), nest.Length(3));
        }
        while (nest.Next(2));
    }

    /// <summary>No operand is broadcast: saves the check of each row.</summary>
    private readonly ref struct SameShapeZipLoop<TOp>(TOp op, ref float a, ref float b, ref float y) : ILoop where TOp : unmanaged, IBinary
    {
        private readonly ref float a = ref a, b = ref b, y = ref y;

        [MethodImpl(AggressiveInlining)]
        public void Step<T>(int i) where T : struct, IFloatLane<T> => op.F(T.Load(ref a, i), T.Load(ref b, i)).Store(ref y, i);
    }

    private readonly ref struct ZipLoop<TOp>(TOp op, Row a, Row b, ref float y) : ILoop where TOp : unmanaged, IBinary
    {
        private readonly Row a = a, b = b;
        private readonly ref float y = ref y;

        [MethodImpl(AggressiveInlining)]
        public void Step<T>(int i) where T : struct, IFloatLane<T> => op.F(a.Load<T>(i), b.Load<T>(i)).Store(ref y, i);
    }

    public override void ZipDerivative<TOp>(TOp op, bool second, Tensor a, Tensor b, Tensor y, Tensor dy, Tensor z)
    {
        if (second)
        {
            ZipDerivative(new PartialB<TOp>(op), a, b, y, dy, z);
        }
        else
        {
            ZipDerivative(new PartialA<TOp>(op), a, b, y, dy, z);
        }
    }

    private static void ZipDerivative<TPartial>(TPartial partial, Tensor a, Tensor b, Tensor y, Tensor dy, Tensor z)
        where TPartial : struct, IPartial
    {
        var nest = new LoopNest(z.Shape);
        nest.SetBroadcast(0, a.Shape);
        nest.SetBroadcast(1, b.Shape);
        nest.SetBroadcast(2, dy.Shape);
        nest.SetBroadcast(3, z.Shape);
        if (!nest.Collapse(4))
        {
            return;
        }
        ref float pa = ref First(a, a.Count), pb = ref First(b, b.Count), pdy = ref First(dy, dy.Count);
        ref float py = ref First(y, z.Count), pz = ref First(z, z.Count);
        do
        {
            Loop.Run(new ZipDerivativeLoop<TPartial>(partial, nest.Row(0, ref pa), nest.Row(1, ref pb), nest.Row(2, ref pdy),
                ref nest.At(3, ref py), ref nest.At(3, ref pz)), nest.Length(3));
        }
        while (nest.Next(2));
    }

    private readonly ref struct ZipDerivativeLoop<TPartial>(TPartial partial, Row a, Row b, Row dy, ref float y, ref float z)
        : ILoop where TPartial : struct, IPartial
    {
        private readonly Row a = a, b = b, dy = dy;
        private readonly ref float y = ref y, z = ref z;

        [MethodImpl(AggressiveInlining)]
        public void Step<T>(int i) where T : struct, IFloatLane<T>
            => T.Fma(partial.D(a.Load<T>(i), b.Load<T>(i), T.Load(ref y, i)), dy.Load<T>(i), T.Load(ref z, i)).Store(ref z, i);
    }

    /// <summary>A partial derivative of a binary function.</summary>
    private interface IPartial
    {
        T D<T>(T a, T b, T y) where T : struct, ILane<T>;
    }

    private readonly struct PartialA<TOp>(TOp op) : IPartial where TOp : unmanaged, IBinary
    {
        [MethodImpl(AggressiveInlining)] public T D<T>(T a, T b, T y) where T : struct, ILane<T> => op.DA(a, b, y);
    }

    private readonly struct PartialB<TOp>(TOp op) : IPartial where TOp : unmanaged, IBinary
    {
        [MethodImpl(AggressiveInlining)] public T D<T>(T a, T b, T y) where T : struct, ILane<T> => op.DB(a, b, y);
    }

    public override void Update<TRule>(TRule rule, Tensor p, Tensor g, Tensor m, Tensor v, Tensor scale)
    {
        if (scale.IsNone)
        {
            Step(rule, p, g, m, v);
        }
        else if (First(scale, 1) >= 0f)
        {
            Step(new ScaledRule<TRule>(rule, First(scale, 1)), p, g, m, v);
        }
    }

    public override void ClipScale(Tensor squares, Tensor loss, float max, Tensor scale, Tensor log)
    {
        double sum = 0;
        foreach (float square in squares.Span)
        {
            sum += square;
        }
        float norm = (float)Math.Sqrt(sum);
        bool finite = float.IsFinite(norm) && (loss.IsNone || float.IsFinite(First(loss, 1)));
        ref float y = ref First(scale, 1);
        y = y < 0f || !finite ? -1f : Math.Min(1f, max / (norm + 1e-6f));
        if (!log.IsNone)
        {
            int width = squares.Count + 1, row = (int)log.Span[0];
            var entry = log.Span.Slice(1 + row * width, width);
            squares.Span.CopyTo(entry);
            entry[^1] = loss.IsNone ? 0f : loss.Span[0];
            log.Span[0] = (row + 1) % ((log.Count - 1) / width);
        }
    }

    private static void Step<TRule>(TRule rule, Tensor p, Tensor g, Tensor m, Tensor v) where TRule : unmanaged, IUpdate
    {
        int n = p.Count;
        // A state that the rule does not have is a broadcast 0, and is never written.
        float zero = 0f;
        var state1 = m.IsNone ? new Row(ref zero, 0) : new Row(ref First(m, n), 1);
        var state2 = v.IsNone ? new Row(ref zero, 0) : new Row(ref First(v, n), 1);
        Loop.Run(new UpdateLoop<TRule>(rule, ref First(p, n), ref First(g, n), state1, state2), n);
    }

    /// <summary>An update rule applied to a scaled gradient.</summary>
    private readonly struct ScaledRule<TRule>(TRule rule, float scale) : IUpdate where TRule : unmanaged, IUpdate
    {
        [MethodImpl(AggressiveInlining)]
        public void Step<T>(ref T p, T g, ref T m, ref T v) where T : struct, ILane<T>
            => rule.Step(ref p, T.Fma(g, T.Of(scale), T.Zero), ref m, ref v);
    }

    private readonly ref struct UpdateLoop<TRule>(TRule rule, ref float p, ref float g, Row m, Row v) : ILoop
        where TRule : unmanaged, IUpdate
    {
        private readonly ref float p = ref p, g = ref g;
        private readonly Row m = m, v = v;

        [MethodImpl(AggressiveInlining)]
        public void Step<T>(int i) where T : struct, IFloatLane<T>
        {
            T pi = T.Load(ref p, i), mi = m.Load<T>(i), vi = v.Load<T>(i);
            rule.Step(ref pi, T.Load(ref g, i), ref mi, ref vi);
            pi.Store(ref p, i);
            m.Store(i, mi);
            v.Store(i, vi);
        }
    }
}

/// <summary>A row of memory along a loop; with stride 0 one value that is broadcast.</summary>
internal readonly ref struct Row(ref float first, int stride)
{
    private readonly ref float first = ref first;
    private readonly bool isBroadcast = stride == 0;

    /// <summary>Loads elements i .. i + T.Width - 1.</summary>
    [MethodImpl(AggressiveInlining)] public T Load<T>(int i) where T : struct, IFloatLane<T> => isBroadcast ? T.Of(first) : T.Load(ref first, i);

    /// <summary>Stores elements i .. i + T.Width - 1; a broadcast value is not changed.</summary>
    [MethodImpl(AggressiveInlining)]
    public void Store<T>(int i, T values) where T : struct, IFloatLane<T>
    {
        if (!isBroadcast)
        {
            values.Store(ref first, i);
        }
    }
}
