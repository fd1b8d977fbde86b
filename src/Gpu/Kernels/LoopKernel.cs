using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>Iterations of a loop, one per thread.</summary>
internal struct LoopKernel<TBody> : IKernel where TBody : unmanaged, ILoopBody
{
    public TBody Body;
    public int Count;
    public ViewMemory Memory;

    public readonly void Run()
    {
        for (int i = Thread.Index; i < Count; i += Thread.Count)
        {
            Body.Run(i, Memory);
        }
    }
}

/// <summary>The memory of a device: the same elements by each of their types.</summary>
/// <param name="floats">The elements, an even number.</param>
internal readonly struct ViewMemory(ArrayView<float> floats) : IMemory
{
    private readonly ArrayView<float> floats = floats;
    private readonly ArrayView<int> ints = floats.Cast<int>();
    private readonly ArrayView<ulong> longs = floats.Cast<ulong>();
    private readonly ArrayView<double> doubles = floats.Cast<double>();

    public float ReadFloat(int index) => floats[index];

    public int ReadInt(int index) => ints[index];

    public ulong ReadUInt64(int index) => longs[index >> 1];

    public double ReadDouble(int index) => doubles[index >> 1];

    public void Write(int index, float value) => floats[index] = value;

    public void Write(int index, int value) => ints[index] = value;

    public void Write(int index, ulong value) => longs[index >> 1] = value;

    public void Write(int index, double value) => doubles[index >> 1] = value;
}
