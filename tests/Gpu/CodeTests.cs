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
using Marl.Native.Rl;

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
        foreach (var (name, code) in Compile(backend, kernel => ((PTXCompiledKernel)kernel).PTXAssembly, Kernels()))
        {
            Assert.DoesNotMatch(Call(), code);
            Assert.False(code.Contains(".local", StringComparison.Ordinal), $"{name} keeps numbers in local memory");
            Assert.False(code.Contains("approx", StringComparison.Ordinal), $"{name} has an approximation of the hardware");
            // ILGPU converts a condition to the bits of the integer 1.
            Assert.False(code.Contains("0f00000001", StringComparison.Ordinal) || code.Contains("0d0000000000000001", StringComparison.Ordinal),
                $"{name} converts a condition to a floating-point number");
        }
    }

    /// <summary>The product on tensor cores multiplies with them, and in no other way; both factors are rounded once, when they come to shared memory.</summary>
    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void TensorCores(int architecture)
    {
        using var backend = new PTXBackend(context, new CudaArchitecture(architecture / 10, architecture % 10), CudaInstructionSet.ISA_80, null!);
        var (_, code) = Compile(backend, kernel => ((PTXCompiledKernel)kernel).PTXAssembly, [typeof(Tf32GemmKernel)]).Single();
        var products = Mma().Matches(code);
        Assert.True(products.Count >= 4 && products.Count % 4 == 0, $"{products.Count} products");
        Assert.Equal(2, code.Split("cvt.rna.tf32.f32").Length - 1);
        Assert.DoesNotContain("fma.rn.f32", code, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void OpenCL(bool doubles)
    {
        using var backend = new CLBackend(context, new CLCapabilityContext(false, doubles, true, true, true), CLDeviceVendor.Other, new CLCVersion(2, 0));
        var kernels = Kernels().Where(kernel => !typeof(ICudaKernel).IsAssignableFrom(kernel) && (doubles || kernel != typeof(ClipScaleKernel<DoubleSum>) && !IsLoop(kernel)));
        foreach (var (name, code) in Compile(backend, kernel => ((CLCompiledKernel)kernel).Source, kernels))
        {
            Assert.Contains("kernel void", code, StringComparison.Ordinal);
            Assert.False(LocalArray().IsMatch(code), $"{name} keeps an array of its own");
        }
    }

    /// <summary>Whether it is a loop, whose memory may have doubles.</summary>
    private static bool IsLoop(Type kernel) => kernel.IsGenericType && kernel.GetGenericTypeDefinition() == typeof(LoopKernel<>);

    private static IEnumerable<(string Name, string Code)> Compile(Backend backend, Func<CompiledKernel, string> code, IEnumerable<Type> kernels)
    {
        var enter = typeof(Marl.Native.Gpu.Thread).GetMethod(nameof(Marl.Native.Gpu.Thread.Enter))!;
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

    /// <summary>A Release build has the Release assembly: ILGPU compiles its IL.</summary>
    [Fact]
    public void TheBackEndIsBuiltLikeTheTests()
    {
        string? Of(Type type) => type.Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()?.Configuration;
        Assert.NotNull(Of(typeof(CodeTests)));
        Assert.Equal(Of(typeof(CodeTests)), Of(typeof(GpuDevice)));
    }

    [Fact]
    public void ThereAreKernels() => Assert.True(Kernels().Count() > 70, $"{Kernels().Count()} kernels");

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
            foreach (var op in (wanted == typeof(ILoopBody) ? Loops() : all).Where(type => type.IsValueType && !type.IsGenericTypeDefinition && wanted.IsAssignableFrom(type)))
            {
                yield return kernel.MakeGenericType(op);
            }
        }
    }

    /// <summary>All bodies of loops; a generic one for the rules of every environment.</summary>
    private static IEnumerable<Type> Loops()
    {
        Type[] all = typeof(Worlds).Assembly.GetTypes();
        Type[] rules = [.. all.Where(type => type.IsValueType && typeof(IBatchEnvironment).IsAssignableFrom(type))];
        return all.Where(type => type.IsValueType && typeof(ILoopBody).IsAssignableFrom(type))
            .SelectMany(body => body.IsGenericTypeDefinition ? rules.Select(type => body.MakeGenericType(type)) : [body]);
    }

    /// <summary>Four sums, four numbers of a, two of b, and the sums before.</summary>
    [GeneratedRegex(@"mma\.sync\.aligned\.m16n8k8\.row\.col\.f32\.tf32\.tf32\.f32\s+\{(%f\d+(, )?){4}\}, \{(%r\d+(, )?){4}\}, \{(%r\d+(, )?){2}\}, \{(%f\d+(, )?){4}\};")]
    private static partial Regex Mma();

    [GeneratedRegex(@"^\s*call", RegexOptions.Multiline)]
    private static partial Regex Call();

    [GeneratedRegex(@"^\s*\w+ var\d+\[", RegexOptions.Multiline)]
    private static partial Regex LocalArray();
}
