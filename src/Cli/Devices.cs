using System.Runtime.InteropServices;
using Marl.Native.Rl;
#if GPU
using Marl.Native.Gpu;
#endif

namespace Marl.Native.Cli;

/// <summary>The devices that a run can learn on. Those but the CPU are a part of the command that is built with <c>-p:Gpu=true</c>, for it needs packages
/// that nothing else does.</summary>
internal static class Devices
{
    /// <summary>Its forms, for help.</summary>
    public const string Forms = "cpu, cuda[:i][+tf32][+cublas][+graphs] or opencl[:i]; see marl doctor";

    /// <summary>The device of an id. It is to be disposed of, if it can be.</summary>
    /// <exception cref="UsageException">there is no such id, or this build has no GPUs.</exception>
    /// <exception cref="DeviceException">it cannot be used.</exception>
    public static Device Open(string id)
    {
        bool gpu = id.Split(':', '+')[0] is "cuda" or "opencl";
        return gpu ? Gpu(id) : id == TrainingOptions.Cpu ? Device.Cpu : throw new UsageException($"device '{id}' is unknown; there are {Forms}");
    }

#if GPU
    private static GpuDevice Gpu(string id)
    {
        try
        {
            return GpuDevices.Open(id);
        }
        catch (ArgumentException error)
        {
            throw new UsageException(error.Message);
        }
    }

    /// <summary>What there is besides the CPU, and why one cannot be used.</summary>
    public static IEnumerable<(string Name, string Finding)> Findings()
        => GpuDevices.List().Select(device => (device.Id, device.Problem is null ? $"ready: {device.Description}" : $"not usable: {device.Problem}"));
#else
    private static Device Gpu(string id) => throw new UsageException(
        $"device '{id}' is not a part of this build; dotnet build -c Release src/Cli -p:Gpu=true makes one that has it, with the package ILGPU");

    /// <summary>What there is besides the CPU, and why one cannot be used.</summary>
    public static IEnumerable<(string Name, string Finding)> Findings() =>
    [
        ("cuda", Driver(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1")),
        ("opencl", Driver(OperatingSystem.IsWindows() ? "OpenCL.dll" : "libOpenCL.so.1")),
    ];

    private static string Driver(string driver)
    {
        bool found = NativeLibrary.TryLoad(driver, out nint handle);
        if (found)
        {
            NativeLibrary.Free(handle);
        }
        return $"not usable: Marl.Native.Gpu is not part of this build, -p:Gpu=true adds it; its driver {driver} is {(found ? "" : "not ")}found";
    }
#endif
}
