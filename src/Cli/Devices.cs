using System.Runtime.CompilerServices;
using Marl.Native.Gpu;
using Marl.Native.Rl;

namespace Marl.Native.Cli;

/// <summary>The devices that a run can learn on. ILGPU is loaded only when one of its devices is asked for.</summary>
internal static class Devices
{
    /// <summary>Its forms, for help.</summary>
    public const string Forms = "cpu, cuda[:i][+tf32][+cublas][+graphs] or opencl[:i]; see marl doctor";

    /// <summary>The device of an id. It is to be disposed of, if it can be.</summary>
    /// <exception cref="UsageException">there is no such id.</exception>
    /// <exception cref="DeviceException">it cannot be used.</exception>
    public static Device Open(string id)
    {
        bool gpu = id.Split(':', '+')[0] is "cuda" or "opencl";
        return gpu ? Gpu(id) : id == TrainingOptions.Cpu ? Device.Cpu : throw new UsageException($"device '{id}' is unknown; there are {Forms}");
    }

    /// <summary>What there is besides the CPU, and why one cannot be used.</summary>
    public static IEnumerable<(string Name, string Finding)> Findings()
        => GpuDevices.List().Select(device => (device.Id, device.Problem is null ? $"ready: {device.Description}" : $"not usable: {device.Problem}"));

    // A method of its own, for the assembly of the GPU is loaded when it is compiled.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Device Gpu(string id)
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
}
