using System.Runtime.InteropServices;
using ILGPU.Runtime;

namespace Marl.Native.Gpu;

/// <summary>NVIDIA's cuBLAS, where it is installed. On one stream it gives the same bits from run to run: nothing is added up in an order left to chance.</summary>
internal sealed unsafe class CuBlas : IBlas
{
    /// <summary>Newest first.</summary>
    private static readonly int[] Versions = [13, 12, 11];

    // Of cublas_api.h.
    internal const int AsStored = 0, Transposed = 1, DefaultMath = 0;
    private const int Tf32Math = 3;

    private readonly string name;
    private readonly Accelerator accelerator;
    private readonly nint library, handle;
    private readonly delegate* unmanaged<nint, int> destroy;
    private readonly delegate* unmanaged<nint, int, int, int, int, int, float*, nint, int, nint, int, float*, nint, int, int> sgemm;
    private readonly delegate* unmanaged<nint, int, int, int, int, int, float*, nint, int, long, nint, int, long, float*, nint, int, long, int, int> sgemmBatched;

    /// <summary>Products on a stream of a device.</summary>
    /// <param name="name">of the device, for people.</param>
    /// <param name="accelerator">the device.</param>
    /// <param name="stream">CUDA's.</param>
    /// <param name="tf32">whether factors may be rounded to TF32.</param>
    /// <exception cref="DeviceException">the library is missing, or refuses the device.</exception>
    public CuBlas(string name, Accelerator accelerator, nint stream, bool tf32)
    {
        (this.name, this.accelerator, library) = (name, accelerator, Load(out _));
        if (library == 0)
        {
            throw new DeviceException($"{name} cannot multiply by cuBLAS, for none of {string.Join(", ", Versions.Select(Name))} is found: it comes with NVIDIA's CUDA " +
                $"toolkit, and {(OperatingSystem.IsWindows() ? "PATH" : "LD_LIBRARY_PATH")} says where it is; without +cublas the device can be used");
        }
        destroy = (delegate* unmanaged<nint, int>)Export("cublasDestroy_v2");
        sgemm = (delegate* unmanaged<nint, int, int, int, int, int, float*, nint, int, nint, int, float*, nint, int, int>)Export("cublasSgemm_v2");
        sgemmBatched = (delegate* unmanaged<nint, int, int, int, int, int, float*, nint, int, long, nint, int, long, float*, nint, int, long, int, int>)
            Export("cublasSgemmStridedBatched");
        accelerator.Bind();
        nint created;
        Check(((delegate* unmanaged<nint*, int>)Export("cublasCreate_v2"))(&created), "cublasCreate");
        handle = created;
        Check(((delegate* unmanaged<nint, nint, int>)Export("cublasSetStream_v2"))(handle, stream), "cublasSetStream");
        Check(((delegate* unmanaged<nint, int, int>)Export("cublasSetMathMode"))(handle, tf32 ? Tf32Math : DefaultMath), "cublasSetMathMode");
    }

    /// <summary>The library that would be used; none if there is none.</summary>
    public static string? Find()
    {
        nint library = Load(out string? file);
        if (library != 0)
        {
            NativeLibrary.Free(library);
        }
        return file;
    }

    /// <inheritdoc/>
    public void Multiply(in Sgemm p)
    {
        accelerator.Bind();
        float alpha = 1f, beta = p.Beta;
        int a = p.TransposeA ? Transposed : AsStored, b = p.TransposeB ? Transposed : AsStored;
        Check(p.Batch == 1 ? sgemm(handle, a, b, p.M, p.N, p.K, &alpha, p.A, p.LdA, p.B, p.LdB, &beta, p.C, p.LdC)
            : sgemmBatched(handle, a, b, p.M, p.N, p.K, &alpha, p.A, p.LdA, p.StrideA, p.B, p.LdB, p.StrideB, &beta, p.C, p.LdC, p.StrideC, p.Batch), "cublasSgemm");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // What it says of a device that is lost changes nothing any more. The library stays: it has threads and memory of its own until the process ends.
        accelerator.Bind();
        _ = destroy(handle);
    }

    private static string Name(int version) => OperatingSystem.IsWindows() ? $"cublas64_{version}.dll" : $"libcublas.so.{version}";

    private static nint Load(out string? file)
    {
        foreach (int version in Versions)
        {
            file = Name(version);
            if (NativeLibrary.TryLoad(file, out nint library))
            {
                return library;
            }
        }
        file = null;
        return 0;
    }

    private nint Export(string function) => NativeLibrary.TryGetExport(library, function, out nint address) ? address
        : throw new DeviceException($"{name} cannot multiply by cuBLAS: the library that is installed has no {function}");

    private void Check(int status, string function)
    {
        if (status != 0)
        {
            throw GpuFailure.Of(name, status, function);
        }
    }
}
