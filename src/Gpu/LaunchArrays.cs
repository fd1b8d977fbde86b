using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace Marl.Native.Gpu;

/// <summary>The arrays of a launch as ranges of addresses, and a hash of all its arguments. Two launches conflict if one writes what the other reads or writes;
/// others may change places.</summary>
internal sealed class LaunchArrays
{
    private readonly List<(long Begin, long End, bool IsWritten)> ranges = [];

    /// <summary>A hash of the addresses.</summary>
    public ulong Addresses { get; private set; }

    /// <summary>A hash of all arguments.</summary>
    public ulong Arguments { get; private set; }

    /// <summary>Lists the arrays of a kernel and computes the hashes.</summary>
    public void Set<TKernel>(TKernel kernel) where TKernel : struct, IKernel
    {
        Clear();
        kernel.Arrays(this);
        // What is left are numbers.
        Arguments = Addresses;
        foreach (byte part in MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<TKernel, byte>(ref kernel), Unsafe.SizeOf<TKernel>()))
        {
            Arguments = Combine(Arguments, part);
        }
    }

    /// <summary>Removes all arrays.</summary>
    public void Clear()
    {
        ranges.Clear();
        Addresses = Arguments = 0;
    }

    /// <summary>Adds an array that is read.</summary>
    public void Read<T>(ref ArrayView<T> array) where T : unmanaged => Add(ref array, isWritten: false, isShared: false);

    /// <summary>Adds an array that is written.</summary>
    public void Write<T>(ref ArrayView<T> array) where T : unmanaged => Add(ref array, isWritten: true, isShared: false);

    /// <summary>Adds an array that is not accessed, or to which all launches write the same.</summary>
    public void Share<T>(ref ArrayView<T> array) where T : unmanaged => Add(ref array, isWritten: false, isShared: true);

    /// <summary>Adds matrices that are read.</summary>
    public void Read(ref StridedMatrix matrix, int rows, int columns, int batch) => Add(ref matrix, rows, columns, batch, isWritten: false);

    /// <summary>Adds matrices that are written.</summary>
    public void Write(ref StridedMatrix matrix, int rows, int columns, int batch) => Add(ref matrix, rows, columns, batch, isWritten: true);

    /// <summary>Whether the launches must keep their order.</summary>
    public bool ConflictsWith(LaunchArrays other)
    {
        foreach (var (begin, end, isWritten) in ranges)
        {
            foreach (var range in other.ranges)
            {
                if ((isWritten || range.IsWritten) && begin < range.End && range.Begin < end)
                {
                    return true;
                }
            }
        }
        return false;
    }

    /// <summary>Combines two hashes.</summary>
    public static ulong Combine(ulong hash, ulong value)
    {
        hash = (hash ^ value) * 0x9E3779B97F4A7C15;
        return hash ^ hash >> 29;
    }

    private void Add<T>(ref ArrayView<T> array, bool isWritten, bool isShared) where T : unmanaged
    {
        if (array.IsValid)
        {
            Add(array.LoadEffectiveAddressAsPtr(), array.LengthInBytes, isWritten, isShared);
        }
        array = default;
    }

    private void Add(ref StridedMatrix matrix, int rows, int columns, int batch, bool isWritten)
    {
        bool isEmpty = rows == 0 || columns == 0 || batch == 0;
        long last = (long)(batch - 1) * matrix.Step + (long)(rows - 1) * matrix.Row + (long)(columns - 1) * matrix.Column;
        Add(matrix.Data.LoadEffectiveAddressAsPtr() + (long)matrix.First * sizeof(float), (last + 1) * sizeof(float), isWritten, isShared: isEmpty);
        matrix.Data = default;
    }

    private void Add(long address, long bytes, bool isWritten, bool isShared)
    {
        if (!isShared && bytes > 0)
        {
            ranges.Add((address, address + bytes, isWritten));
        }
        Addresses = Combine(Combine(Addresses, (ulong)address), (ulong)bytes);
    }
}
