using System.Runtime.CompilerServices;
using Marl.Native.Gpu;
using Marl.Native.Rl;

namespace Marl.Native.Cli;

/// <summary>The devices that can train. ILGPU is loaded only if a GPU is requested.</summary>
internal static class Devices
{
    /// <summary>The device ids, as help lists them.</summary>
    public const string Forms = "cpu, cuda[:i][+tf32][+cublas][+nographs] or opencl[:i]; see marl doctor";

    /// <summary>Opens the device with an id. The caller disposes it if it is <see cref="IDisposable"/>.</summary>
    /// <exception cref="UsageException">The id is unknown.</exception>
    /// <exception cref="DeviceException">The device cannot be used.</exception>
    public static Device Open(string id)
    {
        bool gpu = id.Split(':', '+')[0] is "cuda" or "opencl";
        return gpu ? Gpu(id) : id == TrainingOptions.Cpu ? Device.Cpu : throw new UsageException($"unknown device '{id}'; available: {Forms}");
    }

    /// <summary>The GPUs of this machine with their descriptions, or the reasons why they cannot be used.</summary>
    public static IEnumerable<(string Name, string Status)> ListGpus()
        => GpuDevices.List().Select(device => (device.Id, device.Problem is null ? $"ready: {device.Description}" : $"not usable: {device.Problem}"));

    // Not inlined: compiling this method loads the assembly of the GPU.
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
