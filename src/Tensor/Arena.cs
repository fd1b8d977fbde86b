namespace Marl.Native;

/// <summary>
/// A bump allocator for the tensors of one step. Tensors are allocated from both ends of one block: <see cref="Low"/> grows upward, <see cref="High"/>
/// downward; memory is freed only by moving these marks back. A step that needs more than the capacity gets overflow blocks; <see cref="Reset"/> then grows the
/// block to the largest size used, so that later steps allocate nothing.
/// </summary>
/// <param name="device">The device that owns the memory.</param>
/// <param name="capacity">The initial capacity, in elements.</param>
public sealed class Arena(Device device, int capacity = 0)
{
    /// <summary>In elements: every tensor starts on a cache line.</summary>
    private const int Alignment = 16;
    private readonly List<Storage> overflow = [];
    private Storage storage = device.Allocate(Aligned(capacity));
    private int peak;

    /// <summary>The number of elements allocated at the low end.</summary>
    public int Low { get; private set; }

    /// <summary>The number of elements allocated at the high end.</summary>
    public int High { get; private set; }

    /// <summary>The number of elements that fit without growing.</summary>
    public int Capacity => storage.Count;

    /// <summary>Allocates an uninitialized tensor at the low end.</summary>
    public Tensor AllocateLow(Shape shape)
    {
        int count = Aligned(shape.Count);
        Low = Add(Low, count);
        return Fits() ? new Tensor(storage, Low - count, shape) : AllocateOverflow(shape, count);
    }

    /// <summary>Allocates an uninitialized tensor at the high end.</summary>
    public Tensor AllocateHigh(Shape shape)
    {
        int count = Aligned(shape.Count);
        High = Add(High, count);
        return Fits() ? new Tensor(storage, storage.Count - High, shape) : AllocateOverflow(shape, count);
    }

    /// <summary>Frees everything allocated since the marks had these values.</summary>
    public void Release(int low, int high) => (Low, High) = (low, high);

    /// <summary>Frees everything. If the last step overflowed, grows the block to the size that step needed.</summary>
    public void Reset()
    {
        if (overflow.Count > 0)
        {
            storage.Release();
            overflow.ForEach(static block => block.Release());
            overflow.Clear();
            storage = device.Allocate(peak);
        }
        (Low, High) = (0, 0);
    }

    /// <summary>Whether both ends still fit in the block. The marks may pass each other; their largest sum is the size that a step needs.</summary>
    private bool Fits()
    {
        peak = Math.Max(peak, Add(Low, High));
        return Low + High <= storage.Count;
    }

    /// <exception cref="InsufficientMemoryException">The sum exceeds the length of an array.</exception>
    private static int Add(int count, int other) => count <= Array.MaxLength - other ? count + other
        : throw new InsufficientMemoryException("the tensors of a step have more elements than an array can hold; smaller batches, or more shards, need less");

    private Tensor AllocateOverflow(Shape shape, int count)
    {
        var block = device.Allocate(count);
        overflow.Add(block);
        return new Tensor(block, 0, shape);
    }

    private static int Aligned(int count) => Add(count, Alignment - 1) / Alignment * Alignment;
}
