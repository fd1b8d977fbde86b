using ILGPU.Runtime;

namespace Marl.Native.Gpu;

/// <summary>
/// Page-locked host memory from which the device reads asynchronously. Its content must stay until the host has synchronized with the device.
/// </summary>
/// <param name="accelerator">The device.</param>
internal sealed class StagingBuffer(Accelerator accelerator) : IDisposable
{
    /// <summary>The initial capacity, in elements.</summary>
    private const int InitialCapacity = 1 << 20;
    private PageLockedArray1D<float>? memory;
    private int used;

    /// <summary>Whether <paramref name="count"/> more elements fit.</summary>
    public bool Fits(int count) => memory is not null && count <= memory.Length - used;

    /// <summary>Frees the buffer after synchronization, and grows it if <paramref name="count"/> elements do not fit, to twice that number.</summary>
    public void Reset(int count = 0)
    {
        used = 0;
        if (memory is null || count > memory.Length)
        {
            memory?.Dispose();
            memory = accelerator.AllocatePageLocked1D<float>(Math.Max(InitialCapacity, Math.Min(2L * count, Array.MaxLength)), false);
        }
    }

    /// <summary>Allocates <paramref name="count"/> elements, which must fit, see <see cref="Fits"/>.</summary>
    public Span<float> Allocate(int count)
    {
        used += count;
        return memory!.Span.Slice(used - count, count);
    }

    /// <inheritdoc/>
    public void Dispose() => memory?.Dispose();
}
