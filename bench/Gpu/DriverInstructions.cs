using System.Runtime.InteropServices;

namespace Marl.Native.Bench.Gpu;

/// <summary>The instructions that the CUDA driver of the tests has executed. Other drivers do not count them.</summary>
internal static unsafe class DriverInstructions
{
    /// <summary>The length of Counters in tests/Gpu/Driver/driver.h, at least, and the index of its instructions.</summary>
    private const int Length = 32, Index = 9;
    private static readonly delegate* unmanaged<long*, int> Counters = NativeLibrary.TryLoad("libcuda.so.1", out nint library)
        && NativeLibrary.TryGetExport(library, "driverCounters", out nint export) ? (delegate* unmanaged<long*, int>)export : null;

    /// <summary>Returns the number of instructions of all threads in the current context; 0 if the driver does not count.</summary>
    public static long Count()
    {
        long* counters = stackalloc long[Length];
        return Counters is not null && Counters(counters) == 0 ? counters[Index] : 0;
    }
}
