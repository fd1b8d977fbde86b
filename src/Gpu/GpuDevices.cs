using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Marl.Native.Gpu;

/// <summary>A GPU of this machine, or the reason why there is none of its kind.</summary>
/// <param name="Id">The identifier that <see cref="GpuDevices.Open(string)"/> takes, such as "cuda:0"; only the kind if there is no device.</param>
/// <param name="Description">The name and memory, or null if the device cannot be used.</param>
/// <param name="Problem">The reason why the device cannot be used, or null.</param>
public sealed record GpuInfo(string Id, string? Description, string? Problem);

/// <summary>Lists and opens the GPUs of this machine.</summary>
/// <example>
/// <code>
/// foreach (var gpu in GpuDevices.List())
/// {
///     Console.WriteLine($"{gpu.Id}: {gpu.Description ?? gpu.Problem}");
/// }
/// using GpuDevice device = GpuDevices.Open("cuda:0");
/// var layout = new ParameterLayout();
/// var network = new Mlp(layout, [4, 64, 2]);
/// var parameters = new Parameters(layout, device).Initialize(new Rng(1));
/// var tape = new Tape(device);
/// </code>
/// </example>
public static class GpuDevices
{
    /// <summary>ILGPU loads libraries by their development names; only the versioned names exist on most systems.</summary>
    static GpuDevices() => NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, (name, assembly, path) => name switch
    {
        "cuda" => Load(CudaDriver),
        "OpenCL" => Load("libOpenCL.so.1"),
        _ => 0,
    });

    /// <summary>The library of the CUDA driver.</summary>
    internal static string CudaDriver => OperatingSystem.IsWindows() ? "nvcuda" : "libcuda.so.1";

    /// <summary>Lists all GPUs, CUDA devices first. A kind without devices is listed with its problem.</summary>
    public static IReadOnlyList<GpuInfo> List()
    {
        List<GpuInfo> listings = [];
        string library = CuBlas.Find() is { } found ? $", with {found}" : ", without cuBLAS";
        foreach (string kind in new[] { DeviceId.Cuda, DeviceId.OpenCL })
        {
            try
            {
                using var context = Of(kind);
                for (int i = 0; i < context.Devices.Length; i++)
                {
                    var device = context.Devices[i];
                    listings.Add(new($"{kind}:{i}", $"{device.Name}, {device.MemorySize >> 20} MiB{(kind == DeviceId.Cuda ? library : "")}", null));
                }
            }
            catch (DeviceException error)
            {
                listings.Add(new(kind, null, error.Message));
            }
        }
        return listings;
    }

    /// <summary>Opens a device.</summary>
    /// <param name="id">"cuda" or "cuda:i", "opencl" or "opencl:i", with i from 0. CUDA devices accept options in any order: "+tf32" computes matrix products
    /// on tensor cores, with factors rounded to TF32 (ten fraction bits); "+cublas" uses NVIDIA's library, which must be installed; "+nographs" launches
    /// kernels one by one instead of an update as a CUDA graph.</param>
    /// <exception cref="ArgumentException">The identifier is invalid.</exception>
    /// <exception cref="DeviceException">The device does not exist or cannot be used.</exception>
    public static GpuDevice Open(string id) => Open(id, profiling: false);

    /// <summary>Opens a device for profiling, see <see cref="GpuDevice.Profile"/>.</summary>
    internal static GpuDevice Open(string id, bool profiling)
    {
        var requested = DeviceId.Parse(id);
        Context context;
        try
        {
            context = Of(requested.Kind, profiling);
        }
        catch (DeviceException error)
        {
            throw new DeviceException($"device {id} cannot be used: {error.Message}", error);
        }
        try
        {
            if (requested.Index >= context.Devices.Length)
            {
                throw new DeviceException($"there is no {id}: {context.Devices.Length} {requested.Kind} device(s) can be used, numbered from 0");
            }
            var device = context.Devices[requested.Index];
            if (requested.Tf32 && device is not CudaDevice { Architecture: { Major: >= 8 } })
            {
                throw new DeviceException($"{device.Name} ({requested with { Tf32 = false }}) does not support TF32, which requires compute " +
                    "capability 8.0; open it without +tf32");
            }
            string name = $"{device.Name} ({requested})";
            return new(context, device.CreateAccelerator(context), id, name, backends: requested.Kind == DeviceId.Cuda ? Backends : null)
            {
                Tf32Products = requested.Tf32,
            };

            (IBlas?, ILaunchGraphs?) Backends(Accelerator accelerator, AcceleratorStream stream)
            {
                nint handle = ((CudaStream)stream).StreamPtr;
                return (requested.CuBlas ? new CuBlas(name, accelerator, handle, requested.Tf32) : null,
                    requested.NoGraphs ? null : CudaGraphs.TryCreate(accelerator, handle));
            }
        }
        catch (Exception error)
        {
            context.Dispose();
            throw error is AcceleratorException ? new DeviceException($"device {id} cannot be used: {error.Message}", error) : error;
        }
    }

    /// <summary>Opens an emulated device, which runs the same kernels on the CPU in groups of sixteen threads. Slow; for tests without a GPU.</summary>
    /// <param name="memory">The memory that it reports, in bytes; by default that of this machine.</param>
    public static GpuDevice OpenEmulated(long? memory = null)
    {
        var context = Create(builder => builder.CPU(new CPUDevice(4, 4, 1)));
        return new(context, context.CreateCPUAccelerator(0), "emulated", "CPU (ILGPU)", memory);
    }

    /// <summary>Opens an emulated device with a library for matrix products or a recorder of launches, and for profiling.</summary>
    internal static GpuDevice OpenEmulated(IBlas? blas, ILaunchGraphs? graphs = null)
    {
        var context = Create(builder => builder.CPU(new CPUDevice(4, 4, 1)), profiling: true);
        return new(context, context.CreateCPUAccelerator(0), "emulated", "CPU (ILGPU), with libraries", backends: (_, _) => (blas, graphs));
    }

    /// <summary>Opens an emulated device with groups and warps as on CUDA, and TF32 matrix products. Slower still.</summary>
    internal static GpuDevice OpenEmulatedTf32()
    {
        var context = Create(builder => builder.CPU(new CPUDevice(32, 8, 1)));
        return new(context, context.CreateCPUAccelerator(0), "emulated+tf32", "CPU (ILGPU), TF32") { Tf32Products = true };
    }

    internal static Context Create(Action<Context.Builder> devices, bool profiling = false)
    {
        var context = Context.Create(builder =>
        {
            builder.Optimize(OptimizationLevel.O2);
            if (profiling)
            {
                builder.Profiling();
            }
            devices(builder);
        });
        Intrinsics.Register(context);
        return context;
    }

    /// <summary>Creates a context with all usable devices of a kind, at least one.</summary>
    private static Context Of(string kind, bool profiling = false)
    {
        string library = (kind, OperatingSystem.IsWindows()) switch
        {
            (DeviceId.Cuda, _) => CudaDriver,
            (_, true) => "OpenCL",
            _ => "libOpenCL.so.1",
        };
        if (Load(library) == 0)
        {
            throw new DeviceException($"{library} was not found; install the driver of the GPU, or use the CPU");
        }
        Context context;
        try
        {
            context = Create(builder => _ = kind == DeviceId.Cuda ? builder.Cuda() : builder.OpenCL(device => device.CLStdVersion >= CLCVersion.CL20), profiling);
        }
        catch (Exception error) when (error is AcceleratorException or NotSupportedException or DllNotFoundException)
        {
            throw new DeviceException($"{library} was found but failed to load ({error.Message}); reinstall the driver of the GPU, or use the CPU", error);
        }
        foreach (var device in context.Devices.OfType<CLDevice>())
        {
            // ILGPU refuses a device without generic address spaces; our kernels do not use them.
            typeof(CLCapabilityContext).GetProperty(nameof(CLCapabilityContext.GenericAddressSpace))!.SetValue(device.Capabilities, true);
        }
        // Without a GPU, ILGPU returns the CPU.
        if (context.Devices[0].AcceleratorType == AcceleratorType.CPU)
        {
            context.Dispose();
            throw new DeviceException(kind == DeviceId.Cuda ? $"{library} was found, but it reports no GPU; check nvidia-smi, or use the CPU" :
                $"{library} was found, but it reports no device with OpenCL C 2.0; install the driver of the GPU, or use the CPU");
        }
        return context;
    }

    private static nint Load(string library) => NativeLibrary.TryLoad(library, out nint handle) ? handle : 0;
}
