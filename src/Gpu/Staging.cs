using ILGPU.Runtime;

namespace Marl.Native.Gpu;

/// <summary>
/// Page-locked memory of this process, from which a device fetches numbers in its own time: a transfer that nobody waits for. What was put into it stays
/// until somebody has waited for the device.
/// </summary>
internal sealed class Staging(Accelerator accelerator) : IDisposable
{
    /// <summary>How many numbers fit at first.</summary>
    private const int Smallest = 1 << 20;
    private PageLockedArray1D<float>? memory;
    private int used;

    /// <summary>Whether there is room for so many more numbers.</summary>
    public bool Fits(int count) => memory is not null && count <= memory.Length - used;

    /// <summary>The device has fetched everything: all room is free, and it is enough for twice so many numbers.</summary>
    public void Clear(int count = 0)
    {
        used = 0;
        if (memory is null || count > memory.Length)
        {
            memory?.Dispose();
            memory = accelerator.AllocatePageLocked1D<float>(Math.Max(Smallest, Math.Min(2L * count, Array.MaxLength)), false);
        }
    }

    /// <summary>Room for some numbers, of which <see cref="Fits"/> was true.</summary>
    public Span<float> Take(int count)
    {
        used += count;
        return memory!.Span.Slice(used - count, count);
    }

    /// <inheritdoc/>
    public void Dispose() => memory?.Dispose();
}
