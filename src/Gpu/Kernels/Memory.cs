using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>y = value</summary>
internal struct FillKernel : IKernel
{
    public float Value;
    public int Count;
    public ArrayView<float> Y;

    public readonly void Run()
    {
        for (int i = Thread.Index; i < Count; i += Thread.Count)
        {
            Y[i] = Value;
        }
    }
}

/// <summary>y (+)= x, each with its own strides.</summary>
internal struct CopyStridedKernel : IKernel
{
    public Int4 Lengths, XStrides, YStrides;
    public int Accumulate;
    public ArrayView<float> X, Y;

    public readonly void Run()
    {
        int n = Lengths.Count;
        for (int i = Thread.Index; i < n; i += Thread.Count)
        {
            var at = Lengths.At(i);
            int y = at.Dot(YStrides);
            float value = X[at.Dot(XStrides)];
            Y[y] = Accumulate != 0 ? Y[y] + value : value;
        }
    }
}
