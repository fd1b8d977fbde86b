using System.Reflection;
using ILGPU.Runtime.Cuda;
using Marl.Native.Gpu;
using CuBlas = Marl.Native.Gpu.CuBlas;

namespace Marl.Native.Tests.Gpu;

/// <summary>Products by a library: what is asked of it, in its own terms. The library is one of the tests' own that keeps to what BLAS and cuBLAS publish, on the memory of
/// the emulated device.</summary>
public sealed class BlasTests(BlasTests.Stand stand) : IClassFixture<BlasTests.Stand>
{
    private readonly PlainBlas blas = stand.Blas;
    private readonly GpuDevice device = stand.Device;

    /// <summary>Every way in which a matrix can lie in a tensor, times every way in which it can be asked for.</summary>
    public static TheoryData<string, string, string> Layouts
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (string a in new[] { "plain", "transposed", "sliced" })
            {
                foreach (string b in new[] { "plain", "transposed", "sliced transposed" })
                {
                    foreach (string c in new[] { "plain", "sliced" })
                    {
                        data.Add(a, b, c);
                    }
                }
            }
            foreach (string a in new[] { "batched", "batched transposed", "interleaved", "interleaved transposed", "interleaved sliced", "plain", "transposed" })
            {
                foreach (string b in new[] { "batched", "batched transposed", "interleaved", "interleaved transposed", "plain", "sliced" })
                {
                    foreach (string c in new[] { "batched", "interleaved", "interleaved sliced" })
                    {
                        data.Add(a, b, c);
                    }
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void GivesTheCpusBits(string a, string b, string c)
    {
        int copies = c is "plain" or "sliced" ? 1 : 3;
        foreach (var (m, k, n) in new[] { (5, 7, 6), (1, 4, 3), (4, 1, 1), (33, 18, 2) })
        {
            foreach (string what in new[] { "product", "accumulated", "bias", "biases" })
            {
                int before = blas.Products;
                float[] gpu = Run(device);
                Assert.Equal(before + 1, blas.Products);
                Noise.AssertSameBits(Run(Device.Cpu), gpu, $"{what}, {m}x{k}x{n}");

                // All of c, also what lies between its rows.
                float[] Run(Device on)
                {
                    var rng = new Rng(12);
                    Matrix left = Make(on, ref rng, a, m, k, copies), right = Make(on, ref rng, b, k, n, copies), result = Make(on, ref rng, c, m, n, copies);
                    var bias = what switch
                    {
                        "bias" => On(on, Noise.Of(ref rng, n)),
                        "biases" => On(on, Noise.Of(ref rng, copies, n)),
                        _ => default,
                    };
                    if (what != "accumulated")
                    {
                        // Where nothing is added to c, nobody reads it.
                        on.Fill(result.Data, float.NaN);
                    }
                    on.Gemm(left, right, result, what == "accumulated", bias);
                    return result.Data.ToArray();
                }
            }
        }
    }

    /// <summary>A result that is stored transposed, beside the device's own kernel.</summary>
    [Theory]
    [InlineData("transposed", 1), InlineData("sliced transposed", 1), InlineData("batched transposed", 3), InlineData("interleaved transposed", 3)]
    public void AResultMayBeStoredTransposed(string c, int copies)
    {
        using var plain = GpuDevices.OpenEmulated();
        int before = blas.Products;
        foreach (bool biased in new[] { false, true })
        {
            Noise.AssertSameBits(Run(plain), Run(device), $"{c} {biased}");

            float[] Run(Device on)
            {
                var rng = new Rng(13);
                Matrix left = Make(on, ref rng, "plain", 5, 7, copies), right = Make(on, ref rng, "transposed", 7, 6, copies), result = Make(on, ref rng, c, 5, 6, copies);
                var bias = On(on, Noise.Of(ref rng, copies, 6));
                on.Gemm(left, right, result, accumulate: !biased, biased ? bias : default);
                return result.Data.ToArray();
            }
        }
        Assert.Equal(before + 2, blas.Products);
    }

    [Fact]
    public void PrimitivesAreTheCpus()
    {
        int before = blas.Products;
        foreach (var (cpu, gpu) in new KernelFingerprint(Device.Cpu).Results().Zip(new KernelFingerprint(device).Results()))
        {
            Noise.AssertSameBits(cpu.Numbers, gpu.Numbers, cpu.Name);
        }
        Assert.Equal(before + 4, blas.Products);
    }

    /// <summary>The products of all ops with weights, with gradients and tangents.</summary>
    [Fact]
    public void OpsAreTheCpus()
    {
        int ops = 0;
        foreach (var line in OpTable.Lines)
        {
            int before = blas.Products;
            OpRun cpu = new(line, 5), gpu = new(line, 5, device);
            float[] value = gpu.Value();
            if (blas.Products > before)
            {
                ops++;
                Noise.AssertSameBits(cpu.Value(), value, $"value of {cpu}");
                Noise.AssertSameBits(cpu.Gradient(), gpu.Gradient(), $"gradient of {cpu}");
                Noise.AssertSameBits(cpu.Tangent(), gpu.Tangent(), $"tangent of {cpu}");
            }
        }
        Assert.True(ops >= 3, $"{ops} ops with products");
    }

    /// <summary>A sum of no terms is none of the library's: the kernel makes it.</summary>
    [Fact]
    public void WhatTheLibraryHasNoWordsForIsTheKernels()
    {
        Tensor a = device.Zeros(new Shape(3, 0)), b = device.Zeros(new Shape(0, 2)), c = device.Zeros(new Shape(3, 2));
        var bias = On(device, Tensor.Of([1f, 2f]));
        int before = blas.Products;
        device.Gemm(Matrix.Of(a), Matrix.Of(b), Matrix.Of(c), accumulate: false, bias);
        Assert.Equal([1f, 2f, 1f, 2f, 1f, 2f], c.ToArray());
        Assert.Equal(before, blas.Products);
    }

    [Theory]
    [InlineData("cuda", "cuda:0"), InlineData("cuda:12", "cuda:12"), InlineData("opencl", "opencl:0"), InlineData("opencl:1", "opencl:1")]
    [InlineData("cuda+tf32", "cuda:0+tf32"), InlineData("cuda:1+cublas", "cuda:1+cublas")]
    [InlineData("cuda+tf32+cublas", "cuda:0+tf32+cublas"), InlineData("cuda:3+cublas+tf32", "cuda:3+tf32+cublas"), InlineData("cuda+nographs+tf32", "cuda:0+tf32+nographs")]
    public void AnIdIsAKindANumberAndWords(string id, string full) => Assert.Equal(full, DeviceId.Parse(id).ToString());

    [Theory]
    [InlineData(""), InlineData("cuda:"), InlineData("cuda:x"), InlineData("cuda:-1"), InlineData("cuda:1:2"), InlineData("cudax"), InlineData("opencl+tf32")]
    [InlineData("opencl:0+cublas"), InlineData("cuda+"), InlineData("cuda+fast"), InlineData("cuda+tf32+tf32"), InlineData("cuda+TF32"), InlineData("cuda tf32")]
    [InlineData("cuda+tf32:1")]
    public void AnythingElseIsNoneAndIsToldWhatIs(string id)
    {
        string message = Assert.Throws<ArgumentException>(() => DeviceId.Parse(id)).Message;
        Assert.StartsWith($"'{id}' is not a device: expected cuda, cuda:i, opencl or opencl:i", message, StringComparison.Ordinal);
        Assert.EndsWith("+tf32, +cublas, +nographs", message, StringComparison.Ordinal);
    }

    /// <summary>Where it is not installed, which is about everywhere that tests run.</summary>
    [Fact]
    public void ALibraryThatIsMissingIsNamedWithARemedy()
    {
        if (CuBlas.Find() is null)
        {
            string message = Assert.Throws<DeviceException>(() => new CuBlas("G", null!, 0, tf32: false)).Message;
            Assert.StartsWith("G does not support +cublas: none of ", message, StringComparison.Ordinal);
            Assert.Contains(OperatingSystem.IsWindows() ? "cublas64_13.dll, cublas64_12.dll, cublas64_11.dll" : "libcublas.so.13, libcublas.so.12, libcublas.so.11", message,
                StringComparison.Ordinal);
            Assert.EndsWith("open the device without +cublas", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(3, "G is out of memory for f: ", "CUBLAS_STATUS_ALLOC_FAILED"), InlineData(8, "G rejected f: ", "CUBLAS_STATUS_ARCH_MISMATCH")]
    [InlineData(13, "G was lost during f: ", "CUBLAS_STATUS_EXECUTION_FAILED"), InlineData(99, "G was lost during f: ", "CUBLAS_STATUS 99")]
    public void AStatusOfTheLibraryIsSaidInWordsWithARemedy(int status, string words, string code)
    {
        string message = GpuFailure.Of("G", status, "f").Message;
        Assert.StartsWith(words, message, StringComparison.Ordinal);
        Assert.EndsWith($"({code})", message, StringComparison.Ordinal);
    }

    /// <summary>ILGPU.Algorithms has bindings of its own, from the same header.</summary>
    [Fact]
    public void TheLibrarysConstantsAreThoseOfIlgpu()
    {
        Assert.Equal((int)CuBlasOperation.NonTranspose, CuBlas.NoTranspose);
        Assert.Equal((int)CuBlasOperation.Transpose, CuBlas.Transpose);
        Assert.Equal((int)CuBlasMathMode.DefaultMath, CuBlas.DefaultMath);
        Assert.All(Enum.GetValues<CuBlasStatus>().Where(status => status != CuBlasStatus.CUBLAS_STATUS_SUCCESS),
            status => Assert.EndsWith($"({status})", GpuFailure.Of("G", (int)status, "f").Message, StringComparison.Ordinal));
    }

    /// <summary>Why its bindings do not serve here. If this fails, they may.</summary>
    [Fact]
    public void IlgpusBindingsLackWhatIsUsedHere()
    {
        var types = typeof(CuBlasOperation).Assembly.GetTypes().Where(type => type.Name.StartsWith("CuBlasAPI", StringComparison.Ordinal)).ToArray();
        string[] functions = [.. types.SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static)).Select(method => method.Name)];
        Assert.Contains(functions, name => name.Contains("Sgemm", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(functions, name => name.Contains("StridedBatched", StringComparison.OrdinalIgnoreCase));
        Assert.Contains(types, type => type.Name.EndsWith("V12", StringComparison.Ordinal));
        Assert.DoesNotContain(types, type => type.Name.EndsWith("V13", StringComparison.Ordinal));
        Assert.DoesNotContain(Enum.GetNames<CuBlasMathMode>(), name => name.Contains("TF32", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>A matrix of so many rows and columns, as multiplied, with others around it.</summary>
    private static Matrix Make(Device device, ref Rng rng, string layout, int rows, int columns, int copies)
    {
        bool transposed = layout.Contains("transposed", StringComparison.Ordinal), sliced = layout.Contains("sliced", StringComparison.Ordinal);
        var (r, c) = transposed ? (columns, rows) : (rows, columns);
        int wide = sliced ? c + 5 : c, high = sliced ? r + 2 : r;
        var matrix = layout.Split(' ')[0] switch
        {
            "batched" => Matrix.Batched(On(device, Noise.Of(ref rng, copies, high, wide))),
            "interleaved" => Matrix.Interleaved(On(device, Noise.Of(ref rng, high, copies, wide))),
            _ => Matrix.Of(On(device, Noise.Of(ref rng, high, wide))),
        };
        matrix = sliced ? matrix.SliceRows(1, r).SliceColumns(3, c) : matrix;
        return transposed ? matrix.T : matrix;
    }

    private static Tensor On(Device device, Tensor x)
    {
        var there = device.Zeros(x.Shape);
        x.CopyTo(there);
        return there;
    }

    /// <summary>An emulated device with the library.</summary>
    public sealed class Stand : IDisposable
    {
        public Stand() => Device = GpuDevices.OpenEmulated(Blas);

        internal PlainBlas Blas { get; } = new();

        internal GpuDevice Device { get; }

        public void Dispose() => Device.Dispose();
    }
}
