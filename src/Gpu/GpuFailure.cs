using ILGPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Marl.Native.Gpu;

/// <summary>Translates errors of drivers and libraries into messages with a remedy: out of memory, rejected, or lost.</summary>
internal static class GpuFailure
{
    /// <summary>Creates the exception for an error of ILGPU or a driver.</summary>
    /// <param name="name">The display name of the device.</param>
    /// <param name="error">The error.</param>
    /// <param name="operation">The failed operation: "kernel K", "8 MiB of its 80 MiB", "reading".</param>
    public static DeviceException Of(string name, Exception error, string operation)
    {
        var (code, message) = error switch
        {
            CudaException cuda => (cuda.Error, $"{cuda.Error}: {cuda.Message}"),
            CLException openCL => (openCL.Error.ToString(), openCL.Error.ToString()),
            InternalCompilerException { InnerException: { } inner } => (nameof(InternalCompilerException), inner.Message),
            _ => (error.GetType().Name, error.Message),
        };
        return new DeviceException($"{Describe(name, code, operation)} ({message})", error);
    }

    /// <summary>Creates the exception for an error of cuBLAS.</summary>
    /// <param name="name">The display name of the device.</param>
    /// <param name="status">The status, not 0.</param>
    /// <param name="function">The failed function.</param>
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
        return new DeviceException($"{Describe(name, code, function)} ({code})");
    }

    /// <summary>Describes an error code of a driver or of cuBLAS, or the name of an exception, and its remedy.</summary>
    internal static string Describe(string name, string code, string operation) => code switch
    {
        "CUDA_ERROR_OUT_OF_MEMORY" or "CL_MEM_OBJECT_ALLOCATION_FAILURE" or "CL_OUT_OF_HOST_MEMORY" or "CL_INVALID_BUFFER_SIZE" or "CUBLAS_STATUS_ALLOC_FAILED"
            or nameof(OutOfMemoryException)
            => $"{name} is out of memory for {operation}: use a smaller batch or network, or free memory of other processes",
        nameof(InternalCompilerException) or nameof(NotSupportedException) or "CUDA_ERROR_INVALID_PTX" or "CUDA_ERROR_INVALID_IMAGE"
            or "CUDA_ERROR_INVALID_SOURCE" or "CUDA_ERROR_NO_BINARY_FOR_GPU" or "CUDA_ERROR_NOT_SUPPORTED" or "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"
            or "CL_COMPILER_NOT_AVAILABLE" or "CL_BUILD_PROGRAM_FAILURE" or "CL_COMPILE_PROGRAM_FAILURE" or "CL_LINK_PROGRAM_FAILURE" or "CL_INVALID_PROGRAM" or "CL_INVALID_BINARY"
            or "CL_INVALID_KERNEL" or "CL_INVALID_KERNEL_DEFINITION" or "CL_INVALID_WORK_GROUP_SIZE"
            or "CUBLAS_STATUS_NOT_INITIALIZED" or "CUBLAS_STATUS_INVALID_VALUE" or "CUBLAS_STATUS_ARCH_MISMATCH" or "CUBLAS_STATUS_NOT_SUPPORTED"
            or "CUBLAS_STATUS_LICENSE_ERROR"
            => $"{name} rejected {operation}: update the driver, or use another device or the CPU",
        _ => $"{name} was lost during {operation}: restart the process to use it again",
    };
}
