using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using Marl.Native.Gpu;

namespace Marl.Native.Tests.Gpu;

/// <summary>What the code of every kernel must have, and what it must not have.</summary>
public sealed partial class CodeTests
{
    /// <summary>32-bit registers of a thread: two groups of 256 threads then fit the 65,536 of a multiprocessor. Joined launches select among the arguments of
    /// eight; a thread can have 255.</summary>
    private const int MostRegisters = 128, MostRegistersJoined = 255;

    /// <summary>The kernels that read or write vectors of two or four elements.</summary>
    private static readonly string[] WithVectors = [];

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
            // ILGPU converts a condition to the bits of the integer 1.
            Assert.False(kernel.Text.Contains("0f00000001", StringComparison.Ordinal) || kernel.Text.Contains("0d0000000000000001", StringComparison.Ordinal),
                $"{kernel} converts a condition to a floating-point number");
            int registers = FlowGraph.OfPtx(kernel.Text).LiveRegisters;
            Assert.True(registers > 2 && registers <= (kernel.IsJoined ? MostRegistersJoined : MostRegisters), $"{kernel} has {registers} live registers");
        }
        Assert.Equal(WithVectors, GeneratedCode.Cuda(architecture).Where(kernel => Vector().IsMatch(kernel.Text)).Select(kernel => kernel.Kernel.Name).Distinct().Order());
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
            Assert.True(FlowGraph.OfOpenCL(kernel.Text).LostCopies().FirstOrDefault() is not { } lost, $"{kernel} loses a copy: test the loop at its beginning");
        }
    }

    /// <summary>What ILGPU makes of a loop that is tested at its end is found; tested at its beginning, the same loop is right.</summary>
    [Fact]
    public void ALostCopyIsFound()
    {
        Assert.NotEmpty(FlowGraph.OfOpenCL(GeneratedCode.OpenCLOf(typeof(TestedAtItsEnd)).Text).LostCopies());
        Assert.Empty(FlowGraph.OfOpenCL(GeneratedCode.OpenCLOf(typeof(TestedAtItsBeginning)).Text).LostCopies());
    }

    [Fact]
    public void LiveRegistersAreCounted()
    {
        string code = Snippet.Module("ld.global.v2.f32 {%f1, %f2}, [%rd1];\nadd.f32 %f3, %f1, %f2;\nsetp.gt.f32 %p1, %f3, %f1;\n@%p1 mov.f32 %f2, %f3;\nst.global.f32 [%rd2], %f2;");
        // %rd1, %rd2, and two of 32 bits, of which %f2 is live where it may be left as it was.
        Assert.Equal(4 + 0, FlowGraph.OfPtx(Snippet.Module("st.global.b32 [%rd2], 1;\nst.global.b32 [%rd1], 1;")).LiveRegisters);
        Assert.Equal(2 + 3, FlowGraph.OfPtx(code).LiveRegisters);
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

    [GeneratedRegex(@"(ld|st)\.(global|shared)\.v[24]\.")]
    private static partial Regex Vector();

    [GeneratedRegex(@"^\s*call", RegexOptions.Multiline)]
    private static partial Regex Call();

    [GeneratedRegex(@"^\s*\w+ var\d+\[", RegexOptions.Multiline)]
    private static partial Regex LocalArray();

    /// <summary>The last sum below a limit: after the loop the value before its last step is used.</summary>
    private struct TestedAtItsEnd(ArrayView<float> x, float limit) : IKernel
    {
        public ArrayView<float> X = x;
        public float Limit = limit;

        public void Arrays(LaunchArrays arrays) => arrays.Write(ref X);

        public readonly void Run(LaunchGroup group)
        {
            float sum = 0f, before;
            int i = 0;
            do
            {
                before = sum;
                sum += X[i];
                i++;
            }
            while (sum < Limit);
            X[0] = before;
        }
    }

    private struct TestedAtItsBeginning(ArrayView<float> x, float limit) : IKernel
    {
        public ArrayView<float> X = x;
        public float Limit = limit;

        public void Arrays(LaunchArrays arrays) => arrays.Write(ref X);

        public readonly void Run(LaunchGroup group)
        {
            float sum = 0f, before = 0f;
            int i = 0;
            while (sum < Limit)
            {
                before = sum;
                sum += X[i];
                i++;
            }
            X[0] = before;
        }
    }
}
