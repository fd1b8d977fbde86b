using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Marl.Native;

/// <summary>
/// The elements of a tensor as a <see cref="ILoopBody"/> reads and writes them. Other types than float are stored bit by bit, in as many floats as they have
/// multiples of 4 bytes. All indices count floats; those of 8-byte values are even.
/// </summary>
public interface IMemory
{
    /// <summary>Reads a float.</summary>
    float ReadFloat(int index);

    /// <summary>Reads an integer.</summary>
    int ReadInt(int index);

    /// <summary>Reads a 64-bit integer.</summary>
    ulong ReadUInt64(int index);

    /// <summary>Reads a double.</summary>
    double ReadDouble(int index);

    /// <summary>Writes a float.</summary>
    void Write(int index, float value);

    /// <summary>Writes an integer.</summary>
    void Write(int index, int value);

    /// <summary>Writes a 64-bit integer.</summary>
    void Write(int index, ulong value);

    /// <summary>Writes a double.</summary>
    void Write(int index, double value);
}

/// <summary>
/// The body of a loop whose iterations are independent, see <see cref="Device.ForEach"/>. It is a struct of values, compiled for each device: no allocation, no
/// arrays, no calls of virtual methods. Loops must test their condition first: ILGPU miscompiles do-while loops for OpenCL.
/// </summary>
public interface ILoopBody
{
    /// <summary>Runs iteration <paramref name="index"/>.</summary>
    /// <param name="index">0 .. count - 1.</param>
    /// <param name="memory">The elements of the tensor.</param>
    void Run<TMemory>(int index, TMemory memory) where TMemory : struct, IMemory, allows ref struct;
}

/// <summary>Host memory.</summary>
/// <param name="floats">The elements.</param>
public readonly ref struct HostMemory(Span<float> floats) : IMemory
{
    private readonly Span<float> floats = floats;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float ReadFloat(int index) => floats[index];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int ReadInt(int index) => Unsafe.As<float, int>(ref floats[index]);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong ReadUInt64(int index) => Unsafe.ReadUnaligned<ulong>(ref Bytes(index));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double ReadDouble(int index) => Unsafe.ReadUnaligned<double>(ref Bytes(index));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int index, float value) => floats[index] = value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int index, int value) => Unsafe.As<float, int>(ref floats[index]) = value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int index, ulong value) => Unsafe.WriteUnaligned(ref Bytes(index), value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int index, double value) => Unsafe.WriteUnaligned(ref Bytes(index), value);

    /// <summary>The first byte of two floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref byte Bytes(int index) => ref Unsafe.As<float, byte>(ref MemoryMarshal.GetReference(floats.Slice(index, 2)));
}
