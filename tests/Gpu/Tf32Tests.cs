using Marl.Native.Gpu;

namespace Marl.Native.Tests.Gpu;

/// <summary>
/// Products on tensor cores, beside products whose factors are rounded to TF32 and that are otherwise the CPU's. They run on a CUDA device that has them, the
/// driver of the tests among them, and on ILGPU's CPU accelerator with groups and warps as on CUDA.
/// </summary>
public sealed class Tf32Tests(Devices devices, Tf32Tests.Reference reference) : IClassFixture<Devices>, IClassFixture<Tf32Tests.Reference>
{
    /// <summary>Of the largest result: sums have another order.</summary>
    private const int Ulp = 128;

    public static TheoryData<string> Present => [.. Devices.WithTensorCores];

    /// <summary>Without the CPU accelerator, which takes minutes for all products, unless everything runs.</summary>
    public static TheoryData<string> Selected => [.. Devices.WithTensorCores.Where(device => Devices.All || device != Devices.EmulatedTf32)];

    public static TheoryData<string, string> Algorithms
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string device in Devices.WithTensorCores.Where(device => device != Devices.EmulatedTf32))
            {
                data.Add(device, "qmix");
                data.Add(device, "mappo");
            }
            return data;
        }
    }

    /// <summary>Squares that are not full, transposed factors, a long inner dimension, which is split, and copies.</summary>
    [Theory]
    [MemberData(nameof(Present))]
    public void Products(string id)
    {
        foreach (var (m, k, n, transposed) in new[] { (20, 11, 17, false), (65, 16, 33, true), (3, 2003, 5, false) })
        {
            if (k > 1000 && id == Devices.EmulatedTf32 && !Devices.All)
            {
                continue;
            }
            float[] rounded = Run(reference.Device), gpu = Run(devices[id]);
            Agreement.Assert(id, rounded, gpu, $"{m}x{k}x{n}", Ulp, sameOrder: false);
            Assert.NotEqual(Run(Device.Cpu), gpu);

            float[] Run(Device device)
            {
                var rng = new Rng(7);
                Tensor a = On(device, transposed ? Noise.Of(ref rng, k, m) : Noise.Of(ref rng, m, k)), b = On(device, transposed ? Noise.Of(ref rng, n, k) : Noise.Of(ref rng, k, n));
                Tensor c = On(device, Noise.Of(ref rng, m, n)), bias = On(device, Noise.Of(ref rng, n));
                device.Gemm(transposed ? Matrix.Of(a).T : Matrix.Of(a), transposed ? Matrix.Of(b).T : Matrix.Of(b), Matrix.Of(c), bias: bias);
                return c.ToArray();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Selected))]
    public void Primitives(string id)
    {
        foreach (var (rounded, gpu) in new KernelFingerprint(reference.Device).Results().Zip(new KernelFingerprint(devices[id]).Results()))
        {
            Agreement.Assert(id, rounded.Numbers, gpu.Numbers, rounded.Name, Ulp, sameOrder: false);
        }
    }

    /// <summary>All ops with products, with gradients and tangents.</summary>
    [Theory]
    [MemberData(nameof(Selected))]
    public void OpsWithProducts(string id)
    {
        int ops = 0;
        foreach (var line in OpTable.Lines)
        {
            int before = reference.Blas.Products;
            OpRun rounded = new(line, 17, reference.Device);
            float[] value = rounded.Value();
            if (reference.Blas.Products > before)
            {
                OpRun gpu = new(line, 17, devices[id]);
                Agreement.Assert(id, value, gpu.Value(), $"value of {gpu}", Ulp, sameOrder: false);
                Agreement.Assert(id, rounded.Gradient(), gpu.Gradient(), $"gradient of {gpu}", Ulp, sameOrder: false);
                Agreement.Assert(id, rounded.Tangent(), gpu.Tangent(), $"tangent of {gpu}", Ulp, sameOrder: false);
                ops++;
            }
        }
        Assert.True(ops >= 3, $"{ops} ops with products");
    }

    /// <summary>
    /// Whole runs. A difference of one ulp may round a factor to the next TF32 number, which is 8,192 ulp away, so weights are not as close as results of one
    /// op; but far closer to the weights of rounded factors than those are to the CPU's.
    /// </summary>
    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Training(string id, string algorithm)
    {
        float[] gpu = TrainingTests.Train(algorithm, devices[id]), rounded = TrainingTests.Train(algorithm, reference.Device), cpu = TrainingTests.Train(algorithm, Device.Cpu);
        double effect = Distance(cpu, rounded), error = Distance(rounded, gpu);
        Assert.True(effect > 0 && error < effect / 10, $"{algorithm} on {id}: {error} from rounded factors, which are {effect} from the CPU");
        Noise.AssertSameBits(gpu, TrainingTests.Train(algorithm, devices[id]), "a second time");

        static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Sum());
    }

    [Fact]
    public void TenBitsOfFraction()
    {
        float unit = MathF.ScaleB(1f, -10);
        Assert.Equal(1f, Tf32.Round(1f + 0.49f * unit));
        Assert.Equal(1f + unit, Tf32.Round(1f + 0.5f * unit));
        Assert.Equal(-1f - unit, Tf32.Round(-1f - 0.5f * unit));
        Assert.Equal(float.PositiveInfinity, Tf32.Round(float.PositiveInfinity));
        Assert.True(float.IsNaN(Tf32.Round(float.NaN)));
    }

    private static Tensor On(Device device, Tensor x)
    {
        var there = device.Zeros(x.Shape);
        x.CopyTo(there);
        return there;
    }

    /// <summary>The emulated device, which has the bits of the CPU, with products of rounded factors.</summary>
    public sealed class Reference : IDisposable
    {
        public Reference() => Device = GpuDevices.OpenEmulated(Blas);

        internal PlainBlas Blas { get; } = new(Tf32.Round);

        internal GpuDevice Device { get; }

        public void Dispose() => Device.Dispose();
    }
}
