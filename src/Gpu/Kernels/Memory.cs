using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>y = value</summary>
internal struct FillKernel : IKernel
{
    public float Value;
    public int Count;
    public ArrayView<float> Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            Y[i] = Value;
        }
    }
}

/// <summary>y = x</summary>
internal struct CopyKernel : IKernel
{
    public int Count;
    public ArrayView<float> X, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref X);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            Y[i] = X[i];
        }
    }
}

/// <summary>y (+)= x, each with its own strides.</summary>
internal struct CopyStridedKernel : IKernel
{
    public Int4 Lengths, XStrides, YStrides;
    public int Accumulate;
    public ArrayView<float> X, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref X);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        int n = Lengths.Count;
        for (int i = group.Thread; i < n; i += group.Threads)
        {
            var at = Lengths.At(i);
            int y = at.Dot(YStrides);
            float value = X[at.Dot(XStrides)];
            Y[y] = Accumulate != 0 ? Y[y] + value : value;
        }
    }
}
