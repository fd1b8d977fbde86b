using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>Loops over the pointwise ops.</summary>
internal sealed partial class CpuDevice
{
    /// <inheritdoc/>
    public override void Map<TOp>(TOp op, Tensor x, Tensor y)
    {
        int n = y.Count;
        ref float px = ref First(x, n), py = ref First(y, n);
        Map<F1, TOp>(op, ref px, ref py, Map<V16, TOp>(op, ref px, ref py, 0, n), n);
    }

    /// <summary>Elements from <paramref name="i"/> on, as long as a whole lane fits; returns where it stopped. So do all loops below.</summary>
    private static int Map<T, TOp>(TOp op, ref float x, ref float y, int i, int n)
        where T : struct, IFloatLane<T> where TOp : unmanaged, IUnary
    {
        for (; i <= n - T.Width; i += T.Width)
        {
            op.F(T.Load(ref x, i)).Store(ref y, i);
        }
        return i;
    }

    /// <inheritdoc/>
    public override void MapDerivative<TOp>(TOp op, Tensor x, Tensor y, Tensor dy, Tensor z)
    {
        int n = z.Count;
        ref float px = ref First(x, n), py = ref First(y, n), pdy = ref First(dy, n), pz = ref First(z, n);
        int i = MapDerivative<V16, TOp>(op, ref px, ref py, ref pdy, ref pz, 0, n);
        MapDerivative<F1, TOp>(op, ref px, ref py, ref pdy, ref pz, i, n);
    }

    private static int MapDerivative<T, TOp>(TOp op, ref float x, ref float y, ref float dy, ref float z, int i, int n)
        where T : struct, IFloatLane<T> where TOp : unmanaged, IUnary
    {
        for (; i <= n - T.Width; i += T.Width)
        {
            T derivative = op.D(T.Load(ref x, i), T.Load(ref y, i));
            T.Fma(derivative, T.Load(ref dy, i), T.Load(ref z, i)).Store(ref z, i);
        }
        return i;
    }

    /// <inheritdoc/>
    public override void Zip<TOp>(TOp op, Tensor a, Tensor b, Tensor y)
    {
        var nest = new Nest(y.Shape);
        nest.SetBroadcast(0, a.Shape);
        nest.SetBroadcast(1, b.Shape);
        nest.SetBroadcast(2, y.Shape);
        if (!nest.Collapse(3))
        {
            return;
        }
        int n = nest.Length(3), aStride = nest.Stride(0, 3), bStride = nest.Stride(1, 3);
        ref float pa = ref First(a, a.Count), pb = ref First(b, b.Count), py = ref First(y, y.Count);
        do
        {
            var ra = new Operand(ref Unsafe.Add(ref pa, nest.Offset(0)), aStride);
            var rb = new Operand(ref Unsafe.Add(ref pb, nest.Offset(1)), bStride);
            ref float ry = ref Unsafe.Add(ref py, nest.Offset(2));
            Zip<F1, TOp>(op, ra, rb, ref ry, Zip<V16, TOp>(op, ra, rb, ref ry, 0, n), n);
        }
        while (nest.Next(2));
    }

    private static int Zip<T, TOp>(TOp op, Operand a, Operand b, ref float y, int i, int n)
        where T : struct, IFloatLane<T> where TOp : unmanaged, IBinary
    {
        for (; i <= n - T.Width; i += T.Width)
        {
            op.F(a.Load<T>(i), b.Load<T>(i)).Store(ref y, i);
        }
        return i;
    }

    /// <inheritdoc/>
    public override void ZipDerivative<TOp>(TOp op, bool second, Tensor a, Tensor b, Tensor y, Tensor dy, Tensor z)
    {
        if (second)
        {
            ZipDerivative(new BySecond<TOp>(op), a, b, y, dy, z);
        }
        else
        {
            ZipDerivative(new ByFirst<TOp>(op), a, b, y, dy, z);
        }
    }

    private static void ZipDerivative<TPartial>(TPartial partial, Tensor a, Tensor b, Tensor y, Tensor dy, Tensor z)
        where TPartial : struct, IPartial
    {
        var nest = new Nest(z.Shape);
        nest.SetBroadcast(0, a.Shape);
        nest.SetBroadcast(1, b.Shape);
        nest.SetBroadcast(2, dy.Shape);
        nest.SetBroadcast(3, z.Shape);
        if (!nest.Collapse(4))
        {
            return;
        }
        int n = nest.Length(3), aStride = nest.Stride(0, 3), bStride = nest.Stride(1, 3), dyStride = nest.Stride(2, 3);
        ref float pa = ref First(a, a.Count), pb = ref First(b, b.Count), pdy = ref First(dy, dy.Count);
        ref float py = ref First(y, z.Count), pz = ref First(z, z.Count);
        do
        {
            var ra = new Operand(ref Unsafe.Add(ref pa, nest.Offset(0)), aStride);
            var rb = new Operand(ref Unsafe.Add(ref pb, nest.Offset(1)), bStride);
            var rdy = new Operand(ref Unsafe.Add(ref pdy, nest.Offset(2)), dyStride);
            ref float ry = ref Unsafe.Add(ref py, nest.Offset(3)), rz = ref Unsafe.Add(ref pz, nest.Offset(3));
            int i = ZipDerivative<V16, TPartial>(partial, ra, rb, ref ry, rdy, ref rz, 0, n);
            ZipDerivative<F1, TPartial>(partial, ra, rb, ref ry, rdy, ref rz, i, n);
        }
        while (nest.Next(2));
    }

    private static int ZipDerivative<T, TPartial>(TPartial partial, Operand a, Operand b, ref float y, Operand dy, ref float z, int i, int n)
        where T : struct, IFloatLane<T> where TPartial : struct, IPartial
    {
        for (; i <= n - T.Width; i += T.Width)
        {
            T derivative = partial.D(a.Load<T>(i), b.Load<T>(i), T.Load(ref y, i));
            T.Fma(derivative, dy.Load<T>(i), T.Load(ref z, i)).Store(ref z, i);
        }
        return i;
    }

    /// <inheritdoc/>
    public override void Update<TRule>(TRule rule, Tensor p, Tensor g, Tensor m, Tensor v)
    {
        int n = p.Count;
        // A memory that the rule lacks stands still on one float of the stack: read as 0, what is written is forgotten.
        Span<float> nothing = stackalloc float[V16.Width];
        nothing.Clear();
        ref float pp = ref First(p, n), pg = ref First(g, n);
        ref float pm = ref m.IsNone ? ref nothing[0] : ref First(m, n);
        ref float pv = ref v.IsNone ? ref nothing[0] : ref First(v, n);
        int i = Update<V16, TRule>(rule, ref pp, ref pg, ref pm, m.IsNone, ref pv, v.IsNone, 0, n);
        Update<F1, TRule>(rule, ref pp, ref pg, ref pm, m.IsNone, ref pv, v.IsNone, i, n);
    }

    private static int Update<T, TRule>(TRule rule, ref float p, ref float g, ref float m, bool noM, ref float v, bool noV, int i, int n)
        where T : struct, IFloatLane<T> where TRule : unmanaged, IUpdate
    {
        for (; i <= n - T.Width; i += T.Width)
        {
            T pi = T.Load(ref p, i), mi = noM ? T.Zero : T.Load(ref m, i), vi = noV ? T.Zero : T.Load(ref v, i);
            rule.Step(ref pi, T.Load(ref g, i), ref mi, ref vi);
            pi.Store(ref p, i);
            if (!noM)
            {
                mi.Store(ref m, i);
            }
            if (!noV)
            {
                vi.Store(ref v, i);
            }
        }
        return i;
    }

    /// <summary>A row that a loop reads: along it, or its first number again and again when the stride is 0.</summary>
    private readonly ref struct Operand(ref float first, int stride)
    {
        private readonly ref float first = ref first;
        private readonly bool still = stride == 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Load<T>(int i) where T : struct, IFloatLane<T> => still ? T.Of(first) : T.Load(ref first, i);
    }

    /// <summary>One of the two partial derivatives of a binary op.</summary>
    private interface IPartial
    {
        T D<T>(T a, T b, T y) where T : struct, ILane<T>;
    }

    private readonly struct ByFirst<TOp>(TOp op) : IPartial where TOp : unmanaged, IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T D<T>(T a, T b, T y) where T : struct, ILane<T> => op.DA(a, b, y);
    }

    private readonly struct BySecond<TOp>(TOp op) : IPartial where TOp : unmanaged, IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T D<T>(T a, T b, T y) where T : struct, ILane<T> => op.DB(a, b, y);
    }
}
