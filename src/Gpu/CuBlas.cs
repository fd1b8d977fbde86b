using System.Runtime.InteropServices;
using ILGPU.Runtime;

namespace Marl.Native.Gpu;

/// <summary>NVIDIA's cuBLAS, if installed. On one stream its results are reproducible from run to run.</summary>
internal sealed unsafe class CuBlas : IBlas
{
    /// <summary>The supported major versions, newest first.</summary>
    private static readonly int[] Versions = [13, 12, 11];

    // Constants of cublas_api.h.
    internal const int NoTranspose = 0, Transpose = 1, DefaultMath = 0;
    private const int Tf32Math = 3;

    private readonly string name;
    private readonly Accelerator accelerator;
    private readonly nint library, handle;
    private readonly delegate* unmanaged<nint, int> destroy;
    private readonly delegate* unmanaged<nint, int, int, int, int, int, float*, nint, int, nint, int, float*, nint, int, int> sgemm;
    private readonly delegate* unmanaged<nint, int, int, int, int, int, float*, nint, int, long, nint, int, long, float*, nint, int, long, int, int>
        sgemmBatched;

    /// <summary>Creates a handle for a stream of a device.</summary>
    /// <param name="name">The display name of the device.</param>
    /// <param name="accelerator">The device.</param>
    /// <param name="stream">The CUDA stream.</param>
    /// <param name="tf32">Whether factors may be rounded to TF32.</param>
    /// <exception cref="DeviceException">The library is missing or rejects the device.</exception>
    public CuBlas(string name, Accelerator accelerator, nint stream, bool tf32)
    {
        (this.name, this.accelerator, library) = (name, accelerator, Load(out _));
        if (library == 0)
        {
            throw new DeviceException($"{name} does not support +cublas: none of {string.Join(", ", Versions.Select(Name))} was found. Install NVIDIA's CUDA " +
                $"toolkit and add it to {(OperatingSystem.IsWindows() ? "PATH" : "LD_LIBRARY_PATH")}, or open the device without +cublas");
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

    /// <summary>Returns the file name of the library that would be used, or null.</summary>
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
        int a = p.TransposeA ? Transpose : NoTranspose, b = p.TransposeB ? Transpose : NoTranspose;
        Check(p.Batch == 1 ? sgemm(handle, a, b, p.M, p.N, p.K, &alpha, p.A, p.LdA, p.B, p.LdB, &beta, p.C, p.LdC)
            : sgemmBatched(handle, a, b, p.M, p.N, p.K, &alpha, p.A, p.LdA, p.StrideA, p.B, p.LdB, p.StrideB, &beta, p.C, p.LdC, p.StrideC, p.Batch),
            "cublasSgemm");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The status of a lost device is of no use. The library stays loaded: it has its own threads and memory until the process ends.
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
        : throw new DeviceException($"{name} does not support +cublas: the installed library has no {function}");

    private void Check(int status, string function)
    {
        if (status != 0)
        {
            throw GpuFailure.Of(name, status, function);
        }
    }
}
