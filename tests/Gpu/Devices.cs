using ILGPU.Backends.OpenCL;
using ILGPU.Runtime;
using ILGPU.Runtime.OpenCL;
using Marl.Native.Gpu;

namespace Marl.Native.Tests.Gpu;

/// <summary>The devices that the tests run on: a processor that stands in for a GPU, and every CUDA and OpenCL device of this machine. Among the last
/// ones are those that ILGPU refuses for want of generic addresses, such as pocl's processor: the kernels do not use them.</summary>
public sealed class Devices : IDisposable
{
    public const string Emulated = "emulated";
    private const string WithoutGenericAddresses = "opencl without generic addresses:";
    private readonly Dictionary<string, GpuDevice> open = [];

    /// <summary>Whether all cases run: the environment variable MARL_GPU is "all". By default a selection runs, for the emulated device is slow.</summary>
    public static bool All { get; } = Environment.GetEnvironmentVariable("MARL_GPU") == "all";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> Present { get; } =
        [Emulated, .. GpuDevices.List().Where(device => device.Problem is null).Select(device => device.Id), .. Refused()];

    /// <summary>Whether it must give the bits of the CPU: the others may round a product and its sum once, or divide less exactly.</summary>
    public static bool IsExact(string id) => id == Emulated;

    /// <summary>Whether it is slow as no device is.</summary>
    public static bool IsEmulated(string id) => id == Emulated;

    public GpuDevice this[string id]
    {
        get
        {
            lock (open)
            {
                return open.TryGetValue(id, out var device) ? device : open[id] = Open(id);
            }
        }
    }

    public void Dispose()
    {
        foreach (var device in open.Values)
        {
            device.Dispose();
        }
    }

    private static GpuDevice Open(string id)
    {
        if (!id.StartsWith(WithoutGenericAddresses, StringComparison.Ordinal))
        {
            return id == Emulated ? GpuDevices.OpenEmulated() : GpuDevices.Open(id);
        }
        var context = GpuDevices.Create(builder => builder.OpenCL(IsRefused));
        var device = context.GetCLDevices()[int.Parse(id[WithoutGenericAddresses.Length..])];
        typeof(CLCapabilityContext).GetProperty(nameof(CLCapabilityContext.GenericAddressSpace))!.SetValue(device.Capabilities, true);
        return new GpuDevice(context, device.CreateAccelerator(context), id, id);
    }

    private static IEnumerable<string> Refused()
    {
        try
        {
            using var context = GpuDevices.Create(builder => builder.OpenCL(IsRefused));
            return [.. Enumerable.Range(0, context.GetCLDevices().Count).Select(i => $"{WithoutGenericAddresses}{i}")];
        }
        catch (Exception error) when (error is DllNotFoundException or NotSupportedException or AcceleratorException)
        {
            return [];
        }
    }

    private static bool IsRefused(CLDevice device) => device.CLStdVersion >= CLCVersion.CL20 && !device.Capabilities.GenericAddressSpace;
}
