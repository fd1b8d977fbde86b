using System.Runtime.InteropServices;

namespace Marl.Native.Tests.Gpu;

/// <summary>Functions of the CUDA driver API, as cuda.h declares them. Each returns a status, 0 for success.</summary>
internal static unsafe class CudaDriver
{
    public const string Name = "libcuda.so.1";

    [DllImport(Name)]
    public static extern int cuCtxCreate_v2(out nint context, uint flags, int device);

    [DllImport(Name)]
    public static extern int cuCtxDestroy_v2(nint context);

    [DllImport(Name)]
    public static extern int cuCtxSynchronize();

    [DllImport(Name)]
    public static extern int cuGetErrorString(int status, out nint text);

    [DllImport(Name)]
    public static extern int cuMemAlloc_v2(out ulong address, nuint size);

    [DllImport(Name)]
    public static extern int cuMemFree_v2(ulong address);

    [DllImport(Name)]
    public static extern int cuMemAllocHost_v2(out ulong address, nuint size);

    [DllImport(Name)]
    public static extern int cuMemFreeHost(ulong address);

    [DllImport(Name)]
    public static extern int cuMemcpyAsync(ulong to, ulong from, nuint size, nint stream);

    [DllImport(Name)]
    public static extern int cuMemsetD8Async(ulong address, byte value, nuint size, nint stream);

    [DllImport(Name)]
    public static extern int cuModuleLoadData(out nint module, string ptx);

    [DllImport(Name)]
    public static extern int cuModuleUnload(nint module);

    [DllImport(Name)]
    public static extern int cuModuleGetFunction(out nint function, nint module, string name);

    [DllImport(Name)]
    public static extern int cuLaunchKernel(nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint shared, nint stream,
        nint parameters, nint* extra);

    [DllImport(Name)]
    public static extern int cuStreamCreate(out nint stream, uint flags);

    [DllImport(Name)]
    public static extern int cuStreamDestroy_v2(nint stream);

    [DllImport(Name)]
    public static extern int cuStreamSynchronize(nint stream);

    [DllImport(Name)]
    public static extern int cuEventCreate(out nint @event, uint flags);

    [DllImport(Name)]
    public static extern int cuEventDestroy_v2(nint @event);

    [DllImport(Name)]
    public static extern int cuEventRecord(nint @event, nint stream);

    [DllImport(Name)]
    public static extern int cuEventElapsedTime(out float milliseconds, nint start, nint end);

    [DllImport(Name)]
    public static extern int cuStreamBeginCapture_v2(nint stream, int mode);

    [DllImport(Name)]
    public static extern int cuStreamEndCapture(nint stream, out nint graph);

    [DllImport(Name)]
    public static extern int cuGraphInstantiateWithFlags(out nint executable, nint graph, ulong flags);

    [DllImport(Name)]
    public static extern int cuGraphExecUpdate(nint executable, nint graph, out nint node, out int result);

    [DllImport(Name)]
    public static extern int cuGraphLaunch(nint executable, nint stream);

    [DllImport(Name)]
    public static extern int cuGraphDestroy(nint graph);

    [DllImport(Name)]
    public static extern int cuGraphExecDestroy(nint executable);

    /// <summary>The words for the last error of this thread.</summary>
    public static string Describe(int status)
    {
        cuGetErrorString(status, out nint text);
        return Marshal.PtrToStringAnsi(text)!;
    }
}
