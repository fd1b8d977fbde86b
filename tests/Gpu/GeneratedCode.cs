using System.Collections.Concurrent;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using Marl.Native.Gpu;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Gpu;

/// <summary>The code of a kernel in PTX or OpenCL C.</summary>
internal sealed record KernelCode(Type Kernel, string Text)
{
    /// <summary>Whether it is several launches of one kernel.</summary>
    public bool IsJoined => Joins(Kernel);

    /// <summary>Whether a kernel is several launches of one kernel.</summary>
    public static bool Joins(Type kernel) => kernel.IsGenericType && kernel.GetGenericTypeDefinition() == typeof(JoinedKernel<>);

    public override string ToString() => Kernel.ToString();
}

/// <summary>The code that ILGPU generates of every kernel with every op of the engine. It needs no GPU.</summary>
internal static class GeneratedCode
{
    private static readonly Context Context = GpuDevices.Create(_ => { });
    private static readonly ConcurrentDictionary<string, IReadOnlyList<KernelCode>> Generated = new();

    /// <summary>All kernels; a generic one for everything that it can be given.</summary>
    public static IReadOnlyList<Type> Kernels { get; } = [.. FindKernels()];

    /// <summary>PTX for an architecture, such as 90 for sm_90.</summary>
    public static IReadOnlyList<KernelCode> Cuda(int architecture) => Generated.GetOrAdd($"sm_{architecture}", _ =>
    {
        using var backend = new PTXBackend(Context, new CudaArchitecture(architecture / 10, architecture % 10), CudaInstructionSet.ISA_80, null!);
        return [.. Kernels.Select(kernel => new KernelCode(kernel, ((PTXCompiledKernel)Compile(backend, kernel)).PTXAssembly))];
    });

    /// <summary>OpenCL C for a device with or without doubles.</summary>
    public static IReadOnlyList<KernelCode> OpenCL(bool doubles) => Generated.GetOrAdd($"OpenCL, doubles: {doubles}", _ =>
    {
        using var backend = CreateOpenCL(doubles);
        var kernels = Kernels.Where(kernel => !typeof(ICudaKernel).IsAssignableFrom(kernel) && (doubles || kernel != typeof(ClipScaleKernel<DoubleSum>) && !IsLoop(kernel))
            // Launches are not joined there.
            && !KernelCode.Joins(kernel));
        return [.. kernels.Select(kernel => new KernelCode(kernel, ((CLCompiledKernel)Compile(backend, kernel)).Source))];
    });

    /// <summary>OpenCL C of one kernel.</summary>
    public static KernelCode OpenCLOf(Type kernel)
    {
        using var backend = CreateOpenCL(doubles: true);
        return new(kernel, ((CLCompiledKernel)Compile(backend, kernel)).Source);
    }

    private static CLBackend CreateOpenCL(bool doubles)
        => new(Context, new CLCapabilityContext(false, doubles, true, true, true), CLDeviceVendor.Other, new CLCVersion(2, 0));

    private static CompiledKernel Compile(Backend backend, Type kernel)
    {
        var enter = typeof(KernelEntry).GetMethod(nameof(KernelEntry.Run))!;
        try
        {
            return backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(enter.MakeGenericMethod(kernel)), default);
        }
        catch (InternalCompilerException error)
        {
            throw new InvalidOperationException($"{kernel} does not compile", error);
        }
    }

    private static IEnumerable<Type> FindKernels()
    {
        Type[] all = [.. new[] { typeof(Device), typeof(Tape), typeof(Adam), typeof(GpuDevice) }.SelectMany(type => type.Assembly.GetTypes())];
        foreach (var kernel in all.Where(type => type.IsValueType && typeof(IKernel).IsAssignableFrom(type)))
        {
            if (!kernel.IsGenericTypeDefinition)
            {
                yield return kernel;
                continue;
            }
            var wanted = kernel.GetGenericArguments().Single().GetGenericParameterConstraints().Single(type => type.IsInterface);
            foreach (var op in (wanted == typeof(ILoopBody) ? Loops() : all).Where(type => type.IsValueType && !type.IsGenericTypeDefinition && wanted.IsAssignableFrom(type)))
            {
                yield return kernel.MakeGenericType(op);
            }
        }
    }

    /// <summary>Whether it is a loop, whose memory may have doubles.</summary>
    private static bool IsLoop(Type kernel) => kernel.IsGenericType && kernel.GetGenericTypeDefinition() == typeof(LoopKernel<>);

    /// <summary>All bodies of loops; a generic one for the rules of every environment.</summary>
    private static IEnumerable<Type> Loops()
    {
        Type[] all = typeof(Worlds).Assembly.GetTypes();
        Type[] rules = [.. all.Where(type => type.IsValueType && typeof(IBatchEnvironment).IsAssignableFrom(type))];
        return all.Where(type => type.IsValueType && typeof(ILoopBody).IsAssignableFrom(type))
            .SelectMany(body => body.IsGenericTypeDefinition ? rules.Select(type => body.MakeGenericType(type)) : [body]);
    }
}
