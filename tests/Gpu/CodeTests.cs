using System.Reflection;
using System.Text.RegularExpressions;
using Marl.Native.Gpu;

namespace Marl.Native.Tests.Gpu;

/// <summary>What the code of every kernel must have, and what it must not have.</summary>
public sealed partial class CodeTests
{
    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void Cuda(int architecture)
    {
        foreach (var kernel in GeneratedCode.Cuda(architecture))
        {
            Assert.DoesNotMatch(Call(), kernel.Text);
            Assert.False(kernel.Text.Contains(".local", StringComparison.Ordinal), $"{kernel} keeps numbers in local memory");
            Assert.False(kernel.Text.Contains("approx", StringComparison.Ordinal), $"{kernel} has an approximation of the hardware");
        }
    }

    /// <summary>The product on tensor cores multiplies with them, and in no other way; both factors are rounded once, when they come to shared memory.</summary>
    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void TensorCores(int architecture)
    {
        string code = GeneratedCode.Cuda(architecture).Single(kernel => kernel.Kernel == typeof(Tf32GemmKernel)).Text;
        var products = Mma().Matches(code);
        Assert.True(products.Count >= 4 && products.Count % 4 == 0, $"{products.Count} products");
        Assert.Equal(2, code.Split("cvt.rna.tf32.f32").Length - 1);
        Assert.DoesNotContain("fma.rn.f32", code, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void OpenCL(bool doubles)
    {
        foreach (var kernel in GeneratedCode.OpenCL(doubles))
        {
            Assert.Contains("kernel void", kernel.Text, StringComparison.Ordinal);
            Assert.False(LocalArray().IsMatch(kernel.Text), $"{kernel} keeps an array of its own");
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
    public void ThereAreKernels() => Assert.True(GeneratedCode.Kernels.Count > 70, $"{GeneratedCode.Kernels.Count} kernels");

    /// <summary>Four sums, four numbers of a, two of b, and the sums before.</summary>
    [GeneratedRegex(@"mma\.sync\.aligned\.m16n8k8\.row\.col\.f32\.tf32\.tf32\.f32\s+\{(%f\d+(, )?){4}\}, \{(%r\d+(, )?){4}\}, \{(%r\d+(, )?){2}\}, \{(%f\d+(, )?){4}\};")]
    private static partial Regex Mma();

    [GeneratedRegex(@"^\s*call", RegexOptions.Multiline)]
    private static partial Regex Call();

    [GeneratedRegex(@"^\s*\w+ var\d+\[", RegexOptions.Multiline)]
    private static partial Regex LocalArray();
}
