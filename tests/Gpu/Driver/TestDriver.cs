using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Marl.Native.Tests.Gpu;

/// <summary>
/// The CUDA driver of the tests (driver.h): it interprets PTX over host memory and checks every access and call. gcc builds it at its first use; it is loaded
/// under the name of NVIDIA's driver, so that ILGPU's CUDA back end runs on it.
/// </summary>
internal static class TestDriver
{
    /// <summary>Why there is none, or null.</summary>
    public static string? Missing { get; } = Load();

    /// <summary>Counts of the calls in the current context, since its creation.</summary>
    public static DriverCounters Counters
    {
        get
        {
            driverCounters(out var counters);
            return counters;
        }
    }

    /// <summary>A line for every node that the last update of a graph changed.</summary>
    public static string Changes => Marshal.PtrToStringAnsi(driverChanges())!;

    [DllImport(CudaDriver.Name)]
    private static extern nint driverChanges();

    [DllImport(CudaDriver.Name)]
    private static extern int driverCounters(out DriverCounters counters);

    private static string? Load()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "the driver of the tests is for Linux";
        }
        if (NativeLibrary.TryLoad(CudaDriver.Name, out _))
        {
            return "this machine has a CUDA driver";
        }
        string folder = Path.Combine(AppContext.BaseDirectory, "Gpu", "Driver");
        string[] sources = [.. Directory.GetFiles(folder, "*.c").Order(StringComparer.Ordinal)];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in sources.Append(Path.Combine(folder, "driver.h")))
        {
            hash.AppendData(File.ReadAllBytes(file));
        }
        string build = Path.Combine(folder, Convert.ToHexString(hash.GetHashAndReset())[..16]), library = Path.Combine(build, CudaDriver.Name);
        if (!File.Exists(library))
        {
            Directory.CreateDirectory(build);
            string unfinished = $"{library}.{Environment.ProcessId}";
            string? problem = Compile(sources, unfinished);
            if (problem is not null)
            {
                return problem;
            }
            File.Move(unfinished, library, overwrite: true);
        }
        NativeLibrary.Load(library);
        NativeLibrary.SetDllImportResolver(typeof(TestDriver).Assembly, (name, _, _) => name == CudaDriver.Name ? NativeLibrary.Load(library) : 0);
        return null;
    }

    /// <summary>Returns null, or why there is no compiler. Errors in the sources are failures.</summary>
    private static string? Compile(string[] sources, string library)
    {
        string[] options = ["-O3", "-march=native", "-std=gnu11", "-ffp-contract=off", "-fno-strict-aliasing", "-fPIC", "-shared", "-Wl,-Bsymbolic", $"-Wl,-soname,{CudaDriver.Name}"];
        try
        {
            using var gcc = Process.Start(new ProcessStartInfo("gcc", [.. options, "-o", library, .. sources, "-lm", "-lpthread"]) { RedirectStandardError = true })!;
            string errors = gcc.StandardError.ReadToEnd();
            gcc.WaitForExit();
            return gcc.ExitCode == 0 ? null : throw new InvalidOperationException($"gcc rejects the driver of the tests: {errors}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "gcc is not installed";
        }
    }
}

/// <summary>What a context of the driver has counted. The order is that of Counters in driver.h.</summary>
/// <param name="Launches">Kernels that were launched or captured.</param>
/// <param name="Captured">Nodes of captures.</param>
/// <param name="GraphLaunches">Executable graphs that were launched.</param>
/// <param name="Instantiations">Executable graphs that were created.</param>
/// <param name="Updates">Executable graphs that were updated.</param>
/// <param name="RefusedUpdates">Updates by graphs with other nodes.</param>
/// <param name="ChangedNodes">Nodes that differed in an update.</param>
/// <param name="ChangedBytes">Bytes of arguments that differed.</param>
/// <param name="Copies">Copies.</param>
/// <param name="Instructions">Instructions, of all threads.</param>
/// <param name="Faults">Calls that failed.</param>
/// <param name="Live">Allocations, streams, events, modules, functions and graphs that exist.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct DriverCounters(long Launches, long Captured, long GraphLaunches, long Instantiations, long Updates, long RefusedUpdates,
    long ChangedNodes, long ChangedBytes, long Copies, long Instructions, long Faults, long Live);

/// <summary>A test on the CUDA driver of the tests; skipped where it cannot be built.</summary>
public sealed class DriverFactAttribute : FactAttribute
{
    public DriverFactAttribute() => Skip = TestDriver.Missing;
}

/// <summary>A test with cases on the CUDA driver of the tests; skipped where it cannot be built.</summary>
public sealed class DriverTheoryAttribute : TheoryAttribute
{
    public DriverTheoryAttribute() => Skip = TestDriver.Missing;
}
