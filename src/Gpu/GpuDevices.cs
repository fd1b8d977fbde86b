using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Marl.Native.Gpu;

/// <summary>A GPU of this machine, or why there is none of a kind.</summary>
/// <param name="Id">what <see cref="GpuDevices.Open(string)"/> takes: "cuda:0", "opencl:1"; of a kind that is missing, the kind alone.</param>
/// <param name="Description">its name and memory; none where it cannot be used.</param>
/// <param name="Problem">why it cannot be used; none where it can.</param>
public sealed record GpuListing(string Id, string? Description, string? Problem);

/// <summary>The GPUs of this machine.</summary>
public static class GpuDevices
{
    /// <summary>ILGPU asks for the names that libraries have on a developer's machine; everywhere else there is only the one with the version.</summary>
    static GpuDevices() => NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, (name, assembly, path) => name switch
    {
        "cuda" => Load(CudaDriver),
        "OpenCL" => Load("libOpenCL.so.1"),
        _ => 0,
    });

    /// <summary>The library of CUDA's driver.</summary>
    internal static string CudaDriver => OperatingSystem.IsWindows() ? "nvcuda" : "libcuda.so.1";

    /// <summary>All of them, CUDA first.</summary>
    public static IReadOnlyList<GpuListing> List()
    {
        List<GpuListing> listings = [];
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

    /// <summary>The device of an id: "cuda" or "cuda:i", "opencl" or "opencl:i", i counted from 0. After a CUDA device, in any order: with "+tf32" it makes matrix
    /// products on its tensor cores, of factors rounded to ten bits of fraction, which is faster, and no longer the CPU's numbers up to a few ulp; with "+cublas" it makes
    /// them by NVIDIA's library, which must be installed; with "+graphs" it takes an update as one CUDA graph.</summary>
    /// <exception cref="ArgumentException">there is no such kind.</exception>
    /// <exception cref="DeviceException">there is no such device, or it cannot be used.</exception>
    public static GpuDevice Open(string id) => Open(id, profiling: false);

    /// <summary>The same, such that kernels can be timed, see <see cref="GpuDevice.Time"/>.</summary>
    internal static GpuDevice Open(string id, bool profiling)
    {
        var wanted = DeviceId.Parse(id);
        Context context;
        try
        {
            context = Of(wanted.Kind, profiling);
        }
        catch (DeviceException error)
        {
            throw new DeviceException($"device {id} cannot be used: {error.Message}", error);
        }
        try
        {
            if (wanted.Index >= context.Devices.Length)
            {
                throw new DeviceException($"there is no {id}: {context.Devices.Length} {wanted.Kind} device(s) can be used, counted from 0");
            }
            var device = context.Devices[wanted.Index];
            if (wanted.Tf32 && device is not CudaDevice { Architecture: { Major: >= 8 } })
            {
                throw new DeviceException($"{device.Name} ({wanted with { Tf32 = false }}) has no tensor cores for TF32, which come with sm_80; without +tf32 it can be used");
            }
            string name = $"{device.Name} ({wanted})";
            return new(context, device.CreateAccelerator(context), id, name, tools: wanted.Kind == DeviceId.Cuda ? Tools : null)
            {
                Tf32Products = wanted.Tf32,
            };

            (IBlas?, ILaunchGraphs?) Tools(Accelerator accelerator, AcceleratorStream stream)
            {
                nint handle = ((CudaStream)stream).StreamPtr;
                return (wanted.CuBlas ? new CuBlas(name, accelerator, handle, wanted.Tf32) : null, wanted.Graphs ? new CudaGraphs(name, accelerator, handle) : null);
            }
        }
        catch (Exception error)
        {
            context.Dispose();
            throw error is AcceleratorException ? new DeviceException($"device {id} cannot be used: {error.Message}", error) : error;
        }
    }

    /// <summary>This processor in the place of a GPU: the same kernels, a group being sixteen threads. Slow; for tests without a GPU.</summary>
    /// <param name="memory">bytes that it says it has; by default as much as this machine.</param>
    public static GpuDevice StandIn(long? memory = null)
    {
        var context = Create(builder => builder.CPU(new CPUDevice(4, 4, 1)));
        return new(context, context.CreateCPUAccelerator(0), "stand-in", "CPU (ILGPU)", memory);
    }

    /// <summary>The same with a library for its matrix products, or with graphs, and such that kernels can be timed.</summary>
    internal static GpuDevice StandIn(IBlas? blas, ILaunchGraphs? graphs = null)
    {
        var context = Create(builder => builder.CPU(new CPUDevice(4, 4, 1)), profiling: true);
        return new(context, context.CreateCPUAccelerator(0), "stand-in", "CPU (ILGPU), with tools", tools: (_, _) => (blas, graphs));
    }

    /// <summary>The same with groups and warps as large as CUDA's, and products as by its tensor cores. Slower still.</summary>
    internal static GpuDevice Tf32StandIn()
    {
        var context = Create(builder => builder.CPU(new CPUDevice(32, 8, 1)));
        return new(context, context.CreateCPUAccelerator(0), "stand-in+tf32", "CPU (ILGPU), TF32") { Tf32Products = true };
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

    /// <summary>A context with all usable devices of a kind, at least one.</summary>
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
            context = Create(builder => _ = kind == DeviceId.Cuda ? builder.Cuda() : builder.OpenCL(), profiling);
        }
        catch (Exception error) when (error is AcceleratorException or NotSupportedException or DllNotFoundException)
        {
            throw new DeviceException($"{library} was found but failed to load ({error.Message}); reinstall the driver of the GPU, or use the CPU", error);
        }
        // Without any device ILGPU offers this processor.
        if (context.Devices[0].AcceleratorType == AcceleratorType.CPU)
        {
            context.Dispose();
            throw new DeviceException(kind == DeviceId.Cuda ? $"{library} was found, but it reports no GPU; check nvidia-smi, or use the CPU" :
                $"{library} was found, but it reports no device with OpenCL C 2.0 and generic address spaces; install the driver of the GPU, or use the CPU");
        }
        return context;
    }

    private static nint Load(string library) => NativeLibrary.TryLoad(library, out nint handle) ? handle : 0;
}
