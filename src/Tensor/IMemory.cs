using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Marl.Native;

/// <summary>
/// The memory of a tensor from an offset on, as elements of the type that is read or written, every element or every n-th. Other types than float are stored bit
/// by bit, those of 8 bytes at even offsets. Indices are not checked.
/// </summary>
public interface IMemory<TSelf> where TSelf : struct, IMemory<TSelf>, allows ref struct
{
    /// <summary>Returns the memory from an offset on.</summary>
    /// <param name="offset">The number of floats before it.</param>
    /// <param name="stride">The distance of its elements, in elements; 1 on the CPU.</param>
    TSelf At(int offset, int stride = 1);

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
    /// <param name="memory">The elements of the first tensor.</param>
    /// <param name="second">The elements of the second tensor.</param>
    /// <param name="third">The elements of the third tensor.</param>
    void Run<TMemory>(int index, TMemory memory, TMemory second, TMemory third) where TMemory : struct, IMemory<TMemory>, allows ref struct;
}

/// <summary>Host memory; its elements are adjacent.</summary>
/// <param name="first">The first element.</param>
public readonly ref struct HostMemory(ref float first) : IMemory<HostMemory>
{
    private readonly ref float first = ref first;

    /// <summary>Creates the memory of an array or a span.</summary>
    public HostMemory(Span<float> elements) : this(ref MemoryMarshal.GetReference(elements))
    {
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public HostMemory At(int offset, int stride = 1) => new(ref Unsafe.Add(ref first, offset));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float ReadFloat(int index) => Unsafe.Add(ref first, index);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int ReadInt(int index) => Unsafe.Add(ref Unsafe.As<float, int>(ref first), index);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong ReadUInt64(int index) => Unsafe.Add(ref Unsafe.As<float, ulong>(ref first), index);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double ReadDouble(int index) => Unsafe.Add(ref Unsafe.As<float, double>(ref first), index);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int index, float value) => Unsafe.Add(ref first, index) = value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int index, int value) => Unsafe.Add(ref Unsafe.As<float, int>(ref first), index) = value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int index, ulong value) => Unsafe.Add(ref Unsafe.As<float, ulong>(ref first), index) = value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int index, double value) => Unsafe.Add(ref Unsafe.As<float, double>(ref first), index) = value;
}
