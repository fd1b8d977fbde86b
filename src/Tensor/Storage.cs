using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Marl.Native;

/// <summary>A block of floats on a device. Tensors are views of it.</summary>
/// <param name="device">The device that owns the memory.</param>
/// <param name="count">The number of elements.</param>
public abstract class Storage(Device device, int count)
{
    /// <summary>The device that owns the memory.</summary>
    public Device Device { get; } = device;

    /// <summary>The number of elements.</summary>
    public int Count { get; } = count;

    /// <summary>Returns <paramref name="count"/> elements from <paramref name="offset"/> on, in host memory.</summary>
    /// <exception cref="InvalidOperationException">The memory is on another device; copy it with <see cref="Device.Read"/>.</exception>
    public abstract Span<float> Span(int offset, int count);

    /// <summary>Returns the memory to the device; tensors that view it become invalid. Host memory is left to the garbage collector.</summary>
    public virtual void Release()
    {
    }
}

/// <summary>Managed memory, pinned and aligned to 64 bytes, so that no vector straddles two cache lines.</summary>
internal sealed class HostStorage : Storage
{
    private const int Alignment = 64;
    private readonly float[] floats;
    private readonly int start;

    public HostStorage(Device device, int count) : base(device, count)
    {
        floats = GC.AllocateArray<float>(count + Alignment / sizeof(float), pinned: true);
        nint address = Marshal.UnsafeAddrOfPinnedArrayElement(floats, 0);
        start = (int)(-address & Alignment - 1) / sizeof(float);
    }

    /// <summary>Wraps an array without a copy; it may be unaligned.</summary>
    public HostStorage(Device device, float[] floats) : base(device, floats.Length) => this.floats = floats;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public override Span<float> Span(int offset, int count) => floats.AsSpan(start + offset, count);
}

/// <summary>Wraps unmanaged or pinned memory of the caller.</summary>
internal sealed unsafe class PinnedStorage(Device device, float* first, int count) : Storage(device, count)
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public override Span<float> Span(int offset, int count) => new Span<float>(first, Count).Slice(offset, count);
}
