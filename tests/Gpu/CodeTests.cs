using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using ILGPU;
using Marl.Native.Gpu;
using Marl.Native.Nn;

namespace Marl.Native.Tests.Gpu;

/// <summary>What the code of every kernel must have, and what it must not have.</summary>
public sealed partial class CodeTests
{
    /// <summary>32-bit registers of a thread: two groups of 256 threads then fit the 65,536 of a multiprocessor. Joined launches are not counted: the text loads
    /// the arguments of all eight at the beginning, and the driver's compiler where they are used.</summary>
    private const int MostRegisters = 128;

    /// <summary>The kernels that read or write vectors of two or four elements.</summary>
    private static readonly string[] WithVectors = ["GemmKernel`1", "GruBackwardKernel", "GruForwardKernel", "JoinedKernel`1"];

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
            Assert.True(registers > 2 && (kernel.IsJoined || registers <= MostRegisters), $"{kernel} has {registers} live registers");
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

    /// <summary>ILGPU compiles the IL of the assemblies: a Release build has Release assemblies wherever it has any.</summary>
    [Fact]
    public void TheBackEndIsBuiltLikeTheTests()
    {
        string? Of(Type type) => type.Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()?.Configuration;
        string configuration = Of(typeof(CodeTests))!;
        Assert.All([typeof(GpuDevice), typeof(Device), typeof(Tape), typeof(Adam)], type => Assert.Equal(configuration, Of(type)));
        string bin = $"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", top = AppContext.BaseDirectory;
        // The outputs of the other projects, where this one is in a repository.
        if (top.Contains($"{bin}{configuration}", StringComparison.Ordinal) && Path.GetDirectoryName(top[..top.IndexOf(bin, StringComparison.Ordinal)]) is { } root)
        {
            string[] built = [.. new[] { "src/Gpu", "src/Cli", "bench" }.Select(project => Path.Combine(root, project, "bin", configuration, "net10.0", "Marl.Native.Gpu.dll")).Where(File.Exists)];
            Assert.NotEmpty(built);
            Assert.All(built, file => Assert.Equal(configuration, ConfigurationOf(file)));
        }
    }

    /// <summary>What AssemblyConfigurationAttribute says, without loading the assembly.</summary>
    private static string ConfigurationOf(string file)
    {
        using var portable = new PEReader(File.OpenRead(file));
        var metadata = portable.GetMetadataReader();
        var values =
            from handle in metadata.GetAssemblyDefinition().GetCustomAttributes()
            let attribute = metadata.GetCustomAttribute(handle)
            where attribute.Constructor.Kind == HandleKind.MemberReference
            let type = metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent
            where type.Kind == HandleKind.TypeReference
                && metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)type).Name) == nameof(AssemblyConfigurationAttribute)
            select metadata.GetBlobReader(attribute.Value);
        var value = values.Single();
        // A prolog of two bytes, then the string.
        value.ReadUInt16();
        return value.ReadSerializedString()!;
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
