namespace Marl.Native;

/// <summary>
/// Memory for one step of work, taken by bumping two marks: <see cref="Low"/> grows up, <see cref="High"/> grows down. Nothing is
/// freed but by setting the marks back. A step that needs more gets overflow blocks; <see cref="Reset"/> then grows the arena
/// once to the high-water mark, so that steady state allocates nothing.
/// </summary>
public sealed class Arena(Device device, int capacity = 0)
{
    /// <summary>Allocations start on a cache line.</summary>
    private const int Alignment = 16;
    private readonly List<Storage> overflow = [];
    private Storage storage = device.Allocate(Aligned(capacity));
    private int peak;

    /// <summary>Elements taken from the bottom.</summary>
    public int Low { get; private set; }

    /// <summary>Elements taken from the top.</summary>
    public int High { get; private set; }

    /// <summary>Elements it holds without growing.</summary>
    public int Capacity => storage.Count;

    /// <summary>A tensor from the bottom; its numbers are whatever was there.</summary>
    public Tensor TakeLow(Shape shape)
    {
        int count = Aligned(shape.Count);
        Low = checked(Low + count);
        return Fits() ? new Tensor(storage, Low - count, shape) : Overflow(shape, count);
    }

    /// <summary>A tensor from the top; its numbers are whatever was there.</summary>
    public Tensor TakeHigh(Shape shape)
    {
        int count = Aligned(shape.Count);
        High = checked(High + count);
        return Fits() ? new Tensor(storage, storage.Count - High, shape) : Overflow(shape, count);
    }

    /// <summary>Gives back what was taken after the marks were read.</summary>
    public void Release(int low, int high) => (Low, High) = (low, high);

    /// <summary>Gives back everything and, if the last step overflowed, grows to what it needed.</summary>
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

    /// <summary>Whether the marks, just moved, have not met; they go on beyond each other, so that their greatest sum is what a step needs.</summary>
    private bool Fits()
    {
        peak = Math.Max(peak, checked(Low + High));
        return Low + High <= storage.Count;
    }

    private Tensor Overflow(Shape shape, int count)
    {
        var block = device.Allocate(count);
        overflow.Add(block);
        return new Tensor(block, 0, shape);
    }

    private static int Aligned(int count) => (count + Alignment - 1) / Alignment * Alignment;
}
