using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>The pointwise heart of a GRU, a lane of units at a time.</summary>
internal sealed partial class CpuDevice
{
    /// <inheritdoc/>
    public override void GruGates(Tensor gi, Tensor gh, Tensor h, Tensor y, Tensor saved)
    {
        int rows = h.Shape.Rows, units = h.Shape.Columns;
        ref float pgi = ref First(gi, 3 * rows * units), pgh = ref First(gh, 3 * rows * units), ph = ref First(h, rows * units);
        ref float py = ref First(y, rows * units), ps = ref First(saved, 4 * rows * units);
        for (int row = 0; row < rows; row++)
        {
            nint at = (nint)row * units;
            ref float rgi = ref Unsafe.Add(ref pgi, 3 * at), rgh = ref Unsafe.Add(ref pgh, 3 * at);
            ref float rh = ref Unsafe.Add(ref ph, at), ry = ref Unsafe.Add(ref py, at), rs = ref Unsafe.Add(ref ps, 4 * at);
            Loop.Run(new GatesLoop(ref rgi, ref rgh, ref rs), 2 * units);
            Loop.Run(new StateLoop(ref rgi, ref rgh, ref rh, ref ry, ref rs, units), units);
        }
    }

    /// <summary>The gates r and z, side by side in gi, gh and saved alike.</summary>
    private readonly ref struct GatesLoop(ref float gi, ref float gh, ref float saved) : ILoop
    {
        private readonly ref float gi = ref gi, gh = ref gh, saved = ref saved;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(int i) where T : struct, IFloatLane<T>
            => T.Sigmoid(T.Load(ref gi, i) + T.Load(ref gh, i)).Store(ref saved, i);
    }

    private readonly ref struct StateLoop(ref float gi, ref float gh, ref float h, ref float y, ref float saved, int units)
        : ILoop
    {
        private readonly ref float gi = ref gi, gh = ref gh, h = ref h, y = ref y, saved = ref saved;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(int j) where T : struct, IFloatLane<T>
        {
            T r = T.Load(ref saved, j), z = T.Load(ref saved, j + units), hidden = T.Load(ref gh, j + 2 * units);
            T n = T.Tanh(T.Fma(r, hidden, T.Load(ref gi, j + 2 * units)));
            // (1 - z) n + z h = n + z (h - n)
            T.Fma(z, T.Load(ref h, j) - n, n).Store(ref y, j);
            n.Store(ref saved, j + 2 * units);
            hidden.Store(ref saved, j + 3 * units);
        }
    }

    /// <inheritdoc/>
    public override void GruGatesBackward(Tensor saved, Tensor h, Tensor dy, Tensor dgi, Tensor dgh, Tensor dh)
    {
        int rows = h.Shape.Rows, units = h.Shape.Columns;
        ref float ps = ref First(saved, 4 * rows * units), ph = ref First(h, rows * units), pdy = ref First(dy, rows * units);
        ref float pdgi = ref First(dgi, 3 * rows * units), pdgh = ref First(dgh, 3 * rows * units);
        ref float pdh = ref First(dh, rows * units);
        for (int row = 0; row < rows; row++)
        {
            nint at = (nint)row * units;
            ref float rs = ref Unsafe.Add(ref ps, 4 * at), rh = ref Unsafe.Add(ref ph, at), rdy = ref Unsafe.Add(ref pdy, at);
            ref float rdgi = ref Unsafe.Add(ref pdgi, 3 * at), rdgh = ref Unsafe.Add(ref pdgh, 3 * at);
            ref float rdh = ref Unsafe.Add(ref pdh, at);
            Loop.Run(new GruBackwardLoop(ref rs, ref rh, ref rdy, ref rdgi, ref rdgh, ref rdh, units), units);
        }
    }

    private readonly ref struct GruBackwardLoop(ref float saved, ref float h, ref float dy, ref float dgi, ref float dgh,
        ref float dh, int units) : ILoop
    {
        private readonly ref float saved = ref saved, h = ref h, dy = ref dy, dgi = ref dgi, dgh = ref dgh, dh = ref dh;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(int j) where T : struct, IFloatLane<T>
        {
            T r = T.Load(ref saved, j), z = T.Load(ref saved, j + units), n = T.Load(ref saved, j + 2 * units);
            T hidden = T.Load(ref saved, j + 3 * units), d = T.Load(ref dy, j);
            // y = n + z (h - n); dr, dz and dn are gradients before each gate's nonlinearity.
            T dn = d * (T.One - z) * (T.One - n * n);
            T dz = d * (T.Load(ref h, j) - n) * (z * (T.One - z));
            T dr = dn * hidden * (r * (T.One - r));
            dr.Store(ref dgi, j);
            dz.Store(ref dgi, j + units);
            dn.Store(ref dgi, j + 2 * units);
            dr.Store(ref dgh, j);
            dz.Store(ref dgh, j + units);
            (dn * r).Store(ref dgh, j + 2 * units);
            (d * z).Store(ref dh, j);
        }
    }

    /// <inheritdoc/>
    public override void GruGatesTangent(Tensor saved, Tensor h, Tensor dgi, Tensor dgh, Tensor dh, Tensor dy)
    {
        int rows = h.Shape.Rows, units = h.Shape.Columns;
        ref float ps = ref First(saved, 4 * rows * units), ph = ref First(h, rows * units), pdy = ref First(dy, rows * units);
        ref float pdgi = ref First(dgi, 3 * rows * units), pdgh = ref First(dgh, 3 * rows * units);
        ref float pdh = ref First(dh, rows * units);
        for (int row = 0; row < rows; row++)
        {
            nint at = (nint)row * units;
            ref float rs = ref Unsafe.Add(ref ps, 4 * at), rh = ref Unsafe.Add(ref ph, at), rdy = ref Unsafe.Add(ref pdy, at);
            ref float rdgi = ref Unsafe.Add(ref pdgi, 3 * at), rdgh = ref Unsafe.Add(ref pdgh, 3 * at);
            ref float rdh = ref Unsafe.Add(ref pdh, at);
            Loop.Run(new GruTangentLoop(ref rs, ref rh, ref rdgi, ref rdgh, ref rdh, ref rdy, units), units);
        }
    }

    private readonly ref struct GruTangentLoop(ref float saved, ref float h, ref float dgi, ref float dgh, ref float dh,
        ref float dy, int units) : ILoop
    {
        private readonly ref float saved = ref saved, h = ref h, dgi = ref dgi, dgh = ref dgh, dh = ref dh, dy = ref dy;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(int j) where T : struct, IFloatLane<T>
        {
            T r = T.Load(ref saved, j), z = T.Load(ref saved, j + units), n = T.Load(ref saved, j + 2 * units);
            T hidden = T.Load(ref saved, j + 3 * units);
            T dr = (T.Load(ref dgi, j) + T.Load(ref dgh, j)) * (r * (T.One - r));
            T dz = (T.Load(ref dgi, j + units) + T.Load(ref dgh, j + units)) * (z * (T.One - z));
            T sum = T.Fma(dr, hidden, T.Fma(r, T.Load(ref dgh, j + 2 * units), T.Load(ref dgi, j + 2 * units)));
            T dn = sum * (T.One - n * n);
            // y = n + z (h - n)
            T.Fma(dz, T.Load(ref h, j) - n, T.Fma(z, T.Load(ref dh, j) - dn, dn)).Store(ref dy, j);
        }
    }
}
