namespace Marl.Native.Tests.Gpu;

/// <summary>Pointwise ops and their derivatives on every device, number by number: ordinary ones, and those that are none.</summary>
public sealed class PointwiseTests(Devices devices) : IClassFixture<Devices>
{
    /// <summary>A driver may round a product and a sum as one, or divide less exactly.</summary>
    private const int Ulp = 32;

    private static readonly float[] Special =
        [0f, -0f, 1f, -1f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue, 1.2e-38f, 88.8f, -87.5f, 89f, 20f];

    public static TheoryData<string> Present => [.. Devices.Present];

    [Theory]
    [MemberData(nameof(Present))]
    public void Unary(string id)
    {
        foreach (var op in PointwiseOps.Unary)
        {
            float[] x = [.. Special, .. Between(op.Low, op.High, 500)];
            var (cpu, gpu) = (Run(Device.Cpu), Run(devices[id]));
            AssertAlike(id, cpu.Y, gpu.Y, x, op.Name);
            AssertAlike(id, cpu.D, gpu.D, x, $"the derivative of {op.Name}");

            (float[] Y, float[] D) Run(Device device)
            {
                Tensor input = On(device, x), y = device.Zeros(input.Shape), one = device.Zeros(input.Shape), d = device.Zeros(input.Shape);
                device.Fill(one, 1f);
                op.Map(device, input, y);
                op.MapDerivative(device, input, y, one, d);
                return (y.ToArray(), d.ToArray());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Present))]
    public void Binary(string id)
    {
        foreach (var op in PointwiseOps.Binary)
        {
            float[] a = [.. Special.SelectMany(_ => Special), .. Between(op.Low, op.High, 300)];
            var second = op.MaskB ? Enumerable.Range(0, 300).Select(i => (float)(i % 2)) : Between(op.Low, op.High, 300).AsEnumerable().Reverse();
            float[] b = [.. Special.SelectMany(x => Enumerable.Repeat(x, Special.Length)), .. second];
            var (cpu, gpu) = (Run(Device.Cpu), Run(devices[id]));
            AssertAlike(id, cpu.Y, gpu.Y, a, op.Name);
            AssertAlike(id, cpu.DA, gpu.DA, a, $"the first derivative of {op.Name}");
            AssertAlike(id, cpu.DB, gpu.DB, a, $"the second derivative of {op.Name}");

            (float[] Y, float[] DA, float[] DB) Run(Device device)
            {
                Tensor x = On(device, a), z = On(device, b), y = device.Zeros(x.Shape), one = device.Zeros(x.Shape);
                Tensor da = device.Zeros(x.Shape), db = device.Zeros(x.Shape);
                device.Fill(one, 1f);
                op.Zip(device, x, z, y);
                op.ZipDerivative(device, second: false, x, z, y, one, da);
                op.ZipDerivative(device, second: true, x, z, y, one, db);
                return (y.ToArray(), da.ToArray(), db.ToArray());
            }
        }
    }

    private static float[] Between(float low, float high, int count) => [.. Enumerable.Range(0, count).Select(i => low + (high - low) * i / count)];

    private static Tensor On(Device device, float[] values)
    {
        var x = device.Zeros(new Shape(values.Length));
        x.CopyFrom(values);
        return x;
    }

    private static void AssertAlike(string id, float[] cpu, float[] gpu, float[] x, string what)
    {
        for (int i = 0; i < cpu.Length; i++)
        {
            float size = Math.Abs(cpu[i]), tolerance = Ulp * Math.Max(MathF.BitIncrement(size) - size, 1.2e-38f);
            bool alike = Noise.SameBits(cpu[i], gpu[i]) || !Devices.IsExact(id) && (cpu[i] == gpu[i] || Math.Abs(cpu[i] - gpu[i]) <= tolerance);
            Assert.True(alike, alike ? null : $"{what} on {id}: at {x[i]:R} it is {gpu[i]:R}, on the CPU {cpu[i]:R}");
        }
    }
}
