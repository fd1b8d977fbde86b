using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>Iterations of a loop, one per thread.</summary>
internal struct LoopKernel<TBody> : IKernel where TBody : unmanaged, ILoopBody
{
    public TBody Body;
    public int Count;
    public ArrayView<float> First, Second, Third;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Write(ref First);
        arrays.Write(ref Second);
        arrays.Write(ref Third);
    }

    public readonly void Run(LaunchGroup group)
    {
        ViewMemory first = new(First), second = new(Second), third = new(Third);
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            Body.Run(i, first, second, third);
        }
    }
}

/// <summary>The memory of a device: the same elements by each of their types.</summary>
internal struct ViewMemory : IMemory<ViewMemory>
{
    private readonly ArrayView<float> floats;
    private readonly ArrayView<int> ints;
    private readonly ArrayView<ulong> longs;
    private readonly ArrayView<double> doubles;
    private int offset, stride;

    public ViewMemory(ArrayView<float> elements)
    {
        var pairs = elements.SubView(0, elements.Length & ~1);
        (floats, ints, longs, doubles, stride) = (elements, elements.Cast<int>(), pairs.Cast<ulong>(), pairs.Cast<double>(), 1);
    }

    public readonly ViewMemory At(int offset, int stride)
    {
        var from = this;
        from.offset = offset;
        from.stride = stride;
        return from;
    }

    public readonly float ReadFloat(int index) => floats[offset + index * stride];

    public readonly int ReadInt(int index) => ints[offset + index * stride];

    public readonly ulong ReadUInt64(int index) => longs[(offset >> 1) + index * stride];

    public readonly double ReadDouble(int index) => doubles[(offset >> 1) + index * stride];

    public readonly void Write(int index, float value) => floats[offset + index * stride] = value;

    public readonly void Write(int index, int value) => ints[offset + index * stride] = value;

    public readonly void Write(int index, ulong value) => longs[(offset >> 1) + index * stride] = value;

    public readonly void Write(int index, double value) => doubles[(offset >> 1) + index * stride] = value;
}
