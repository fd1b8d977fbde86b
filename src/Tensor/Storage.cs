using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Marl.Native;

/// <summary>A block of floats on a device; tensors are views of it.</summary>
public abstract class Storage(Device device, int count)
{
    /// <summary>Where the numbers are.</summary>
    public Device Device { get; } = device;

    /// <summary>How many there are.</summary>
    public int Count { get; } = count;

    /// <summary>Elements <paramref name="offset"/> .. in the address space of this process.</summary>
    /// <exception cref="InvalidOperationException">they are not in it; copy them with <see cref="Device.Read"/>.</exception>
    public abstract Span<float> Span(int offset, int count);

    /// <summary>Gives the memory back to the device; nothing may view it any more. Memory of this process is left to the garbage
    /// collector.</summary>
    public virtual void Release()
    {
    }
}

/// <summary>Managed memory, pinned and aligned to 64 bytes: a zmm register or cache line never straddles two lines.</summary>
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

    /// <summary>A view of the caller's array: no copy, no promise of alignment.</summary>
    public HostStorage(Device device, float[] floats) : base(device, floats.Length) => this.floats = floats;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public override Span<float> Span(int offset, int count) => floats.AsSpan(start + offset, count);
}

/// <summary>Memory of the caller's that does not move.</summary>
internal sealed unsafe class PinnedStorage(Device device, float* first, int count) : Storage(device, count)
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public override Span<float> Span(int offset, int count) => new Span<float>(first, Count).Slice(offset, count);
}
