namespace Marl.Native.Tests.Gpu;

/// <summary>
/// A kernel "k" of a few PTX instructions, on the driver of the tests. It has registers of every kind (%p, %rs, %r, %rd, %f, %fd, sixteen each), 256 bytes of
/// shared memory s, aligned to 16, the address of its memory in %rd1, and that of the thread's word of it in %rd2.
/// </summary>
internal static unsafe class Snippet
{
    public const int WarpSize = 32;

    /// <summary>The kernel as a module.</summary>
    public static string Module(string code) => $$"""
        .version 8.0
        .target sm_80
        .address_size 64
        .visible .entry k(.param .b64 a)
        {
            .shared .align 16 .b8 s[256];
            .reg .pred %p<16>;
            .reg .b16 %rs<16>;
            .reg .b32 %r<16>;
            .reg .b64 %rd<16>;
            .reg .f32 %f<16>;
            .reg .f64 %fd<16>;
            ld.param.b64 %rd1, [a];
            mul.wide.u32 %rd2, %tid.x, 4;
            add.s64 %rd2, %rd1, %rd2;
            {{code}}
            ret;
        }
        """;

    /// <summary>Launches the kernel on memory and copies the memory back if it succeeds. Returns the status and its words.</summary>
    /// <param name="code">The instructions.</param>
    /// <param name="memory">The contents of the memory.</param>
    /// <param name="threads">The number of threads in a group.</param>
    /// <param name="groups">The number of groups.</param>
    /// <param name="unwritten">The size of further memory that nothing has written, in bytes.</param>
    public static (int Status, string Text) Run(string code, Span<byte> memory, uint threads = 1, uint groups = 1, int unwritten = 0)
    {
        Assert.Equal(0, CudaDriver.cuCtxCreate_v2(out nint context, 0, 0));
        try
        {
            Assert.Equal(0, CudaDriver.cuMemAlloc_v2(out ulong address, (nuint)(memory.Length + unwritten)));
            fixed (byte* host = memory)
            {
                Assert.Equal(0, CudaDriver.cuMemcpyAsync(address, (ulong)host, (nuint)memory.Length, 0));
                int status = CudaDriver.cuModuleLoadData(out nint module, Module(code));
                if (status == 0)
                {
                    Assert.Equal(0, CudaDriver.cuModuleGetFunction(out nint function, module, "k"));
                    Assert.Equal(0, Launch(function, address, threads, groups));
                    status = CudaDriver.cuCtxSynchronize();
                }
                if (status == 0)
                {
                    Assert.Equal(0, CudaDriver.cuMemcpyAsync((ulong)host, address, (nuint)memory.Length, 0));
                }
                return (status, CudaDriver.Describe(status));
            }
        }
        finally
        {
            CudaDriver.cuCtxDestroy_v2(context);
        }
    }

    /// <summary>Launches a function with one address as its argument.</summary>
    public static int Launch(nint function, ulong address, uint threads = 1, uint groups = 1, nint stream = 0, uint shared = 0, int argumentBytes = sizeof(ulong))
    {
        ulong* arguments = stackalloc ulong[4];
        arguments[0] = address;
        nuint size = (nuint)argumentBytes;
        // CU_LAUNCH_PARAM_BUFFER_POINTER, CU_LAUNCH_PARAM_BUFFER_SIZE, CU_LAUNCH_PARAM_END.
        nint* extra = stackalloc nint[] { 1, (nint)arguments, 2, (nint)(&size), 0 };
        return CudaDriver.cuLaunchKernel(function, groups, 1, 1, threads, 1, 1, shared, stream, 0, extra);
    }
}
