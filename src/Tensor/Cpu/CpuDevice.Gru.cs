using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>The elementwise part of a GRU. A row of gates is r, z, n, m, concatenated.</summary>
internal sealed partial class CpuDevice
{
    public override void GruGates(Tensor gates, Tensor h, Tensor y)
    {
        int rows = h.Shape.Rows, units = h.Shape.Columns;
        ref float pg = ref First(gates, 4 * rows * units), ph = ref First(h, rows * units), py = ref First(y, rows * units);
        for (int row = 0; row < rows; row++)
        {
            nint at = (nint)row * units;
            Loop.Run(new GatesLoop(ref Unsafe.Add(ref pg, 4 * at), ref Unsafe.Add(ref ph, at), ref Unsafe.Add(ref py, at), units), units);
        }
    }

    private readonly ref struct GatesLoop(ref float gates, ref float h, ref float y, int units) : ILoop
    {
        private readonly ref float gates = ref gates, h = ref h, y = ref y;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(int j) where T : struct, IFloatLane<T>
        {
            T r = T.Sigmoid(T.Load(ref gates, j)), z = T.Sigmoid(T.Load(ref gates, j + units));
            T n = T.Tanh(T.Fma(r, T.Load(ref gates, j + 3 * units), T.Load(ref gates, j + 2 * units)));
            r.Store(ref gates, j);
            z.Store(ref gates, j + units);
            n.Store(ref gates, j + 2 * units);
            // (1 - z) n + z h = n + z (h - n)
            T.Fma(z, T.Load(ref h, j) - n, n).Store(ref y, j);
        }
    }

    public override void GruGatesBackward(Tensor gates, Tensor h, Tensor dy, Tensor d, Tensor dh)
    {
        int rows = h.Shape.Rows, units = h.Shape.Columns;
        ref float pg = ref First(gates, 4 * rows * units), pd = ref First(d, 4 * rows * units);
        ref float ph = ref First(h, rows * units), pdy = ref First(dy, rows * units), pdh = ref First(dh, rows * units);
        for (int row = 0; row < rows; row++)
        {
            nint at = (nint)row * units;
            Loop.Run(new GatesBackwardLoop(ref Unsafe.Add(ref pg, 4 * at), ref Unsafe.Add(ref ph, at), ref Unsafe.Add(ref pdy, at),
                ref Unsafe.Add(ref pd, 4 * at), ref Unsafe.Add(ref pdh, at), units), units);
        }
    }

    private readonly ref struct GatesBackwardLoop(ref float gates, ref float h, ref float dy, ref float d, ref float dh, int units) : ILoop
    {
        private readonly ref float gates = ref gates, h = ref h, dy = ref dy, d = ref d, dh = ref dh;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(int j) where T : struct, IFloatLane<T>
        {
            T r = T.Load(ref gates, j), z = T.Load(ref gates, j + units), n = T.Load(ref gates, j + 2 * units);
            T m = T.Load(ref gates, j + 3 * units), dOut = T.Load(ref dy, j) + T.Load(ref dh, j);
            // y = n + z (h - n); dr, dz and dn are gradients of the pre-activations.
            T dn = dOut * (T.One - z) * (T.One - n * n);
            T dz = dOut * (T.Load(ref h, j) - n) * (z * (T.One - z));
            T dr = dn * m * (r * (T.One - r));
            dr.Store(ref d, j);
            dz.Store(ref d, j + units);
            dn.Store(ref d, j + 2 * units);
            (dn * r).Store(ref d, j + 3 * units);
            (dOut * z).Store(ref dh, j);
        }
    }

    public override void GruGatesTangent(Tensor gates, Tensor h, Tensor d, Tensor dh, Tensor dy)
    {
        int rows = h.Shape.Rows, units = h.Shape.Columns;
        ref float pg = ref First(gates, 4 * rows * units), pd = ref First(d, 4 * rows * units);
        ref float ph = ref First(h, rows * units), pdy = ref First(dy, rows * units), pdh = ref First(dh, rows * units);
        for (int row = 0; row < rows; row++)
        {
            nint at = (nint)row * units;
            Loop.Run(new GatesTangentLoop(ref Unsafe.Add(ref pg, 4 * at), ref Unsafe.Add(ref ph, at), ref Unsafe.Add(ref pd, 4 * at),
                ref Unsafe.Add(ref pdh, at), ref Unsafe.Add(ref pdy, at), units), units);
        }
    }

    private readonly ref struct GatesTangentLoop(ref float gates, ref float h, ref float d, ref float dh, ref float dy, int units) : ILoop
    {
        private readonly ref float gates = ref gates, h = ref h, d = ref d, dh = ref dh, dy = ref dy;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(int j) where T : struct, IFloatLane<T>
        {
            T r = T.Load(ref gates, j), z = T.Load(ref gates, j + units), n = T.Load(ref gates, j + 2 * units);
            T dr = T.Load(ref d, j) * (r * (T.One - r)), dz = T.Load(ref d, j + units) * (z * (T.One - z));
            T sum = T.Fma(dr, T.Load(ref gates, j + 3 * units), T.Fma(r, T.Load(ref d, j + 3 * units), T.Load(ref d, j + 2 * units)));
            T dn = sum * (T.One - n * n);
            // y = n + z (h - n)
            T.Fma(dz, T.Load(ref h, j) - n, T.Fma(z, T.Load(ref dh, j) - dn, dn)).Store(ref dy, j);
        }
    }
}
