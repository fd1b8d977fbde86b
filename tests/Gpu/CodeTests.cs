using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using Marl.Native.Gpu;
using Marl.Native.Nn;

namespace Marl.Native.Tests.Gpu;

/// <summary>The code of every kernel with every op of the engine, generated without a GPU.</summary>
public sealed partial class CodeTests : IDisposable
{
    private readonly Context context = GpuDevices.Create(_ => { });

    public void Dispose() => context.Dispose();

    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void Cuda(int architecture)
    {
        using var backend = new PTXBackend(context, new CudaArchitecture(architecture / 10, architecture % 10), CudaInstructionSet.ISA_80, null!);
        foreach (var (name, code) in Compile(backend, kernel => ((PTXCompiledKernel)kernel).PTXAssembly, static _ => true))
        {
            Assert.DoesNotMatch(Call(), code);
            Assert.False(code.Contains(".local", StringComparison.Ordinal), $"{name} keeps numbers in local memory");
            Assert.False(code.Contains("approx", StringComparison.Ordinal), $"{name} has an approximation of the hardware");
        }
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void OpenCL(bool doubles)
    {
        using var backend = new CLBackend(context, new CLCapabilityContext(false, doubles, true, true, true), CLDeviceVendor.Other, new CLCVersion(2, 0));
        foreach (var (name, code) in Compile(backend, kernel => ((CLCompiledKernel)kernel).Source, kernel => doubles || kernel != typeof(ClipScaleKernel<DoubleSum>)))
        {
            Assert.Contains("kernel void", code, StringComparison.Ordinal);
            Assert.False(LocalArray().IsMatch(code), $"{name} keeps an array of its own");
        }
    }

    private static IEnumerable<(string Name, string Code)> Compile(Backend backend, Func<CompiledKernel, string> code, Func<Type, bool> wanted)
    {
        var enter = typeof(Marl.Native.Gpu.Thread).GetMethod(nameof(Marl.Native.Gpu.Thread.Enter))!;
        var kernels = Kernels().Where(wanted).ToArray();
        Assert.True(kernels.Length > 70, $"{kernels.Length} kernels");
        foreach (var kernel in kernels)
        {
            string name = kernel.ToString();
            CompiledKernel compiled;
            try
            {
                compiled = backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(enter.MakeGenericMethod(kernel)), default);
            }
            catch (InternalCompilerException error)
            {
                throw new InvalidOperationException($"{name} does not compile", error);
            }
            yield return (name, code(compiled));
        }
    }

    /// <summary>All kernels; a generic one for everything that it can be given.</summary>
    private static IEnumerable<Type> Kernels()
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
            foreach (var op in all.Where(type => type.IsValueType && !type.IsGenericTypeDefinition && wanted.IsAssignableFrom(type)))
            {
                yield return kernel.MakeGenericType(op);
            }
        }
    }

    [GeneratedRegex(@"^\s*call", RegexOptions.Multiline)]
    private static partial Regex Call();

    [GeneratedRegex(@"^\s*\w+ var\d+\[", RegexOptions.Multiline)]
    private static partial Regex LocalArray();
}
