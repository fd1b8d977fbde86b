using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>The biases of the pre-activations: those of r and z are sums, those of n are apart.</summary>
internal struct GruBiasKernel : IKernel
{
    public int Count, Units;
    public ArrayView<float> Input, State, BiasI, BiasN;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref Input);
        arrays.Read(ref State);
        arrays.Write(ref BiasI);
        arrays.Write(ref BiasN);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            int unit = i % (3 * Units) - 2 * Units;
            if (unit < 0)
            {
                BiasI[i] = Input[i] + State[i];
            }
            else
            {
                BiasI[i] = Input[i];
                BiasN[i / (3 * Units) * Units + unit] = State[i];
            }
        }
    }
}

/// <summary>The elementwise part of a GRU step. A row of gates is r, z, n, m, concatenated.</summary>
internal struct GruGatesKernel : IKernel
{
    public int Count, Units;
    public ArrayView<float> Gates, H, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref H);
        arrays.Write(ref Gates);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            int at = i / Units * 4 * Units + i % Units;
            F1 r = F1.Sigmoid(new F1(Gates[at])), z = F1.Sigmoid(new F1(Gates[at + Units]));
            F1 n = F1.Tanh(F1.Fma(r, new F1(Gates[at + 3 * Units]), new F1(Gates[at + 2 * Units])));
            Gates[at] = r.Value;
            Gates[at + Units] = z.Value;
            Gates[at + 2 * Units] = n.Value;
            // (1 - z) n + z h = n + z (h - n)
            Y[i] = F1.Fma(z, new F1(H[i]) - n, n).Value;
        }
    }
}

/// <summary>From the gradient of y to those of the pre-activations, and to the direct part of the gradient of the previous state.</summary>
internal struct GruGatesBackwardKernel : IKernel
{
    public int Count, Units;
    public ArrayView<float> Gates, H, DY, D, DH;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref Gates);
        arrays.Read(ref H);
        arrays.Read(ref DY);
        arrays.Write(ref D);
        arrays.Write(ref DH);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            int at = i / Units * 4 * Units + i % Units;
            F1 r = new(Gates[at]), z = new(Gates[at + Units]), n = new(Gates[at + 2 * Units]), m = new(Gates[at + 3 * Units]);
            var dOut = new F1(DY[i]) + new F1(DH[i]);
            var dn = dOut * (F1.Of(1f) - z) * (F1.Of(1f) - n * n);
            var dz = dOut * (new F1(H[i]) - n) * (z * (F1.Of(1f) - z));
            var dr = dn * m * (r * (F1.Of(1f) - r));
            D[at] = dr.Value;
            D[at + Units] = dz.Value;
            D[at + 2 * Units] = dn.Value;
            D[at + 3 * Units] = (dn * r).Value;
            DH[i] = (dOut * z).Value;
        }
    }
}

/// <summary>From the tangents of the pre-activations and the previous state to that of the next state.</summary>
internal struct GruGatesTangentKernel : IKernel
{
    public int Count, Units;
    public ArrayView<float> Gates, H, D, DH, DY;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref Gates);
        arrays.Read(ref H);
        arrays.Read(ref D);
        arrays.Read(ref DH);
        arrays.Write(ref DY);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            int at = i / Units * 4 * Units + i % Units;
            F1 r = new(Gates[at]), z = new(Gates[at + Units]), n = new(Gates[at + 2 * Units]), one = F1.Of(1f);
            F1 dr = new F1(D[at]) * (r * (one - r)), dz = new F1(D[at + Units]) * (z * (one - z));
            F1 sum = F1.Fma(dr, new F1(Gates[at + 3 * Units]), F1.Fma(r, new F1(D[at + 3 * Units]), new F1(D[at + 2 * Units])));
            var dn = sum * (one - n * n);
            DY[i] = F1.Fma(dz, new F1(H[i]) - n, F1.Fma(z, new F1(DH[i]) - dn, dn)).Value;
        }
    }
}
