using Marl.Native.Gpu;

namespace Marl.Native.Tests.Gpu;

/// <summary>The devices that the tests run on: ILGPU's CPU accelerator, the CUDA driver of the tests, and every CUDA and OpenCL device of this machine.</summary>
public sealed class Devices : IDisposable
{
    public const string Emulated = "emulated", EmulatedTf32 = "emulated+tf32";
    private readonly Dictionary<string, GpuDevice> open = [];

    /// <summary>Whether all cases run: the environment variable MARL_GPU is "all". By default a selection runs, for some devices are slow.</summary>
    public static bool All { get; } = Environment.GetEnvironmentVariable("MARL_GPU") == "all";

    /// <summary>The CUDA device that the driver of the tests interprets; null where it cannot be built.</summary>
    public static string? Interpreted { get; } = TestDriver.Missing is null ? "cuda:0" : null;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> Present { get; } = [Emulated, .. Listed()];

    /// <summary>Those that have tensor cores, opened to use them.</summary>
    public static IReadOnlyList<string> WithTensorCores { get; } =
        [EmulatedTf32, .. Present.Where(id => id.StartsWith("cuda", StringComparison.Ordinal)).Select(id => id + "+tf32").Where(CanOpen)];

    /// <summary>Whether it must give the bits of the CPU: the others may round a product and its sum once, or divide less exactly.</summary>
    public static bool IsExact(string id) => id == Emulated || id == Interpreted;

    /// <summary>Whether it is slow as no device is.</summary>
    public static bool IsEmulated(string id) => id == Emulated || id == Interpreted;

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

    private static GpuDevice Open(string id) => id switch
    {
        Emulated => GpuDevices.OpenEmulated(),
        EmulatedTf32 => GpuDevices.OpenEmulatedTf32(),
        _ => GpuDevices.Open(id),
    };

    private static bool CanOpen(string id)
    {
        try
        {
            Open(id).Dispose();
            return true;
        }
        catch (DeviceException)
        {
            return false;
        }
    }

    private static IEnumerable<string> Listed()
    {
        // The driver is loaded before ILGPU looks for one.
        _ = Interpreted;
        return GpuDevices.List().Where(device => device.Problem is null).Select(device => device.Id);
    }
}
