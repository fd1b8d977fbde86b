using ILGPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Marl.Native.Gpu;

/// <summary>What went wrong on a GPU, in words: three things that need three remedies.</summary>
internal static class GpuFailure
{
    /// <summary>The driver said no.</summary>
    /// <param name="name">of the device.</param>
    /// <param name="error">of ILGPU.</param>
    /// <param name="doing">what was asked of it: "kernel K", "8 MiB of its 80 MiB", "reading".</param>
    public static DeviceException Of(string name, Exception error, string doing)
    {
        var (code, said) = error switch
        {
            CudaException cuda => (cuda.Error, $"{cuda.Error}: {cuda.Message}"),
            CLException openCL => (openCL.Error.ToString(), openCL.Error.ToString()),
            InternalCompilerException { InnerException: { } inner } => (nameof(InternalCompilerException), inner.Message),
            _ => (error.GetType().Name, error.Message),
        };
        return new DeviceException($"{Words(name, code, doing)} ({said})", error);
    }

    /// <summary>cuBLAS said no.</summary>
    /// <param name="name">of the device.</param>
    /// <param name="status">not 0.</param>
    /// <param name="function">what was asked of it.</param>
    public static DeviceException Of(string name, int status, string function)
    {
        string code = status switch
        {
            1 => "CUBLAS_STATUS_NOT_INITIALIZED",
            3 => "CUBLAS_STATUS_ALLOC_FAILED",
            7 => "CUBLAS_STATUS_INVALID_VALUE",
            8 => "CUBLAS_STATUS_ARCH_MISMATCH",
            11 => "CUBLAS_STATUS_MAPPING_ERROR",
            13 => "CUBLAS_STATUS_EXECUTION_FAILED",
            14 => "CUBLAS_STATUS_INTERNAL_ERROR",
            15 => "CUBLAS_STATUS_NOT_SUPPORTED",
            16 => "CUBLAS_STATUS_LICENSE_ERROR",
            _ => $"CUBLAS_STATUS {status}",
        };
        return new DeviceException($"{Words(name, code, function)} ({code})");
    }

    /// <summary>A code of either driver or of cuBLAS, or the name of an exception, as a failure and its remedy.</summary>
    internal static string Words(string name, string code, string doing) => code switch
    {
        "CUDA_ERROR_OUT_OF_MEMORY" or "CL_MEM_OBJECT_ALLOCATION_FAILURE" or "CL_OUT_OF_HOST_MEMORY" or "CL_INVALID_BUFFER_SIZE" or "CUBLAS_STATUS_ALLOC_FAILED"
            or nameof(OutOfMemoryException)
            => $"{name} has no memory left for {doing}: a smaller batch or network needs less, or another process holds it",
        nameof(InternalCompilerException) or nameof(NotSupportedException) or "CUDA_ERROR_INVALID_PTX" or "CUDA_ERROR_INVALID_IMAGE" or "CUDA_ERROR_INVALID_SOURCE"
            or "CUDA_ERROR_NO_BINARY_FOR_GPU" or "CUDA_ERROR_NOT_SUPPORTED" or "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES" or "CL_COMPILER_NOT_AVAILABLE"
            or "CL_BUILD_PROGRAM_FAILURE" or "CL_COMPILE_PROGRAM_FAILURE" or "CL_LINK_PROGRAM_FAILURE" or "CL_INVALID_PROGRAM" or "CL_INVALID_BINARY"
            or "CL_INVALID_KERNEL" or "CL_INVALID_KERNEL_DEFINITION" or "CL_INVALID_WORK_GROUP_SIZE"
            or "CUBLAS_STATUS_NOT_INITIALIZED" or "CUBLAS_STATUS_INVALID_VALUE" or "CUBLAS_STATUS_ARCH_MISMATCH" or "CUBLAS_STATUS_NOT_SUPPORTED"
            or "CUBLAS_STATUS_LICENSE_ERROR"
            => $"{name} refuses {doing}: a newer driver may take it, another device or the CPU will",
        _ => $"{name} is lost, by {doing}: nothing more can be computed on it before the process is started again",
    };
}
