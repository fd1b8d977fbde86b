using Marl.Native.Gpu;

namespace Marl.Native.Tests.Gpu;

/// <summary>Sums so long, and so few, that a device makes them in parts: as the CPU's up to rounding, the same from run to run, in memory that is there from
/// the second time on.</summary>
public sealed class LongSumTests(Devices devices) : IClassFixture<Devices>
{
    /// <summary>Of the largest result. The CPU's own chain of some thousand terms is off by as much.</summary>
    private const int Ulp = 128;

    public static TheoryData<string, int, int, int, int> Products
    {
        get
        {
            var data = new TheoryData<string, int, int, int, int>();
            foreach (string device in Devices.Present)
            {
                // Slices that are alike and that are not; squares that are not full; copies.
                data.Add(device, 5, 1024, 3, 1);
                data.Add(device, 6, 2003, 5, 1);
                data.Add(device, 7, 1500, 9, 3);
                if (Devices.All)
                {
                    data.Add(device, 18, 2003, 17, 1);
                }
            }
            return data;
        }
    }

    public static TheoryData<string, int, int> Rows
    {
        get
        {
            var data = new TheoryData<string, int, int>();
            foreach (string device in Devices.Present)
            {
                data.Add(device, 1, 1024);
                data.Add(device, 1, 5003);
                data.Add(device, 3, 2500);
            }
            return data;
        }
    }

    public static TheoryData<string> Present => [.. Devices.Present];

    public static TheoryData<string, int, int, int> Columns
    {
        get
        {
            var data = new TheoryData<string, int, int, int>();
            foreach (string device in Devices.Present)
            {
                data.Add(device, 1, 1024, 3);
                data.Add(device, 1, 5003, 7);
                data.Add(device, 2, 1500, 5);
            }
            return data;
        }
    }

    /// <summary>A gradient of weights: dW += dY^T X, per copy; and the same with a bias in the place of what was there.</summary>
    [Theory]
    [MemberData(nameof(Products))]
    public void ProductsOfALongInnerDimension(string id, int m, int k, int n, int copies)
    {
        var device = devices[id];
        foreach (bool accumulate in new[] { true, false })
        {
            float[] cpu = Run(Device.Cpu), gpu = Run(device);
            AssertClose(id, cpu, gpu, $"{copies} of {m}x{k}x{n}");
            Noise.AssertSameBits(gpu, Run(device), "a second time");
            int room = device.ScratchCapacity;
            Noise.AssertSameBits(gpu, Run(device), "a third time");
            Assert.True(room >= 2 * m * n && room == device.ScratchCapacity, $"room for {room}, then for {device.ScratchCapacity}");

            float[] Run(Device device)
            {
                var rng = new Rng(5);
                Tensor dy = On(device, Noise.Of(ref rng, k, copies, m)), x = On(device, Noise.Of(ref rng, k, copies, n));
                Tensor dw = On(device, Noise.Of(ref rng, copies, m, n)), bias = On(device, Noise.Of(ref rng, copies, n));
                device.Gemm(Matrix.Interleaved(dy).T, Matrix.Interleaved(x), Matrix.Batched(dw), accumulate, accumulate ? default : bias);
                return dw.ToArray();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Columns))]
    public void FewLongColumns(string id, int outer, int length, int inner)
    {
        var device = devices[id];
        foreach (bool accumulate in new[] { true, false })
        {
            float[] gpu = Run(default(Sum), device);
            AssertClose(id, Run(default(Sum), Device.Cpu), gpu, $"sums of {outer}x{length}x{inner}");
            Noise.AssertSameBits(gpu, Run(default(Sum), device), "a second time");
            Noise.AssertSameBits(Run(default(Max), Device.Cpu), Run(default(Max), device), $"maxima of {outer}x{length}x{inner}");
            Assert.True(device.ScratchCapacity >= 2 * outer * inner);

            float[] Run<TOp>(TOp op, Device device) where TOp : unmanaged, IReduction
            {
                var rng = new Rng(6);
                Tensor x = On(device, Noise.Of(ref rng, outer, length, inner)), y = On(device, Noise.Of(ref rng, outer, inner));
                device.Reduce(op, x, 1, y, accumulate);
                return y.ToArray();
            }
        }
    }

    /// <summary>A loss over a whole batch is one.</summary>
    [Theory]
    [MemberData(nameof(Rows))]
    public void FewLongRows(string id, int rows, int length)
    {
        var device = devices[id];
        foreach (bool accumulate in new[] { true, false })
        {
            float[] gpu = Run(default(Sum), device);
            AssertClose(id, Run(default(Sum), Device.Cpu), gpu, $"sums of {rows}x{length}");
            Noise.AssertSameBits(gpu, Run(default(Sum), device), "a second time");
            Noise.AssertSameBits(Run(default(Max), Device.Cpu), Run(default(Max), device), $"maxima of {rows}x{length}");
            Assert.True(device.ScratchCapacity >= 2 * rows);

            float[] Run<TOp>(TOp op, Device device) where TOp : unmanaged, IReduction
            {
                var rng = new Rng(6);
                Tensor x = On(device, Noise.Of(ref rng, rows, length)), y = On(device, Noise.Of(ref rng, rows));
                device.Reduce(op, x, 1, y, accumulate);
                return y.ToArray();
            }
        }
    }

    /// <summary>The gradient of a network: of tensors that are not long to the bits of <see cref="Device.Reduce"/> over the squares, in one launch; of others in two.</summary>
    [Theory]
    [MemberData(nameof(Present))]
    public void SquaresOfAGradient(string id)
    {
        int[] small = [1, 64, 5, 0, 16_384, 1000], great = [7, 200_000, 64, 16_385, 3];
        var device = devices[id];
        foreach (int[] lengths in (int[][])[small, great])
        {
            float[] cpu = Run(Device.Cpu), gpu = Run(device);
            if (lengths == small)
            {
                Agreement.Assert(id, cpu, gpu, "short segments", sameOrder: false);
            }
            // Each by itself: the small ones are not lost in the great.
            for (int s = 0; s < lengths.Length; s++)
            {
                AssertClose(id, [cpu[s]], [gpu[s]], $"segment of {lengths[s]}");
            }
            Noise.AssertSameBits(gpu, Run(device), "a second time");

            float[] Run(Device device)
            {
                var rng = new Rng(8);
                Tensor x = On(device, Noise.Of(ref rng, lengths.Sum())), sums = On(device, Noise.Of(ref rng, lengths.Length));
                var segments = device.CreateSegments(lengths);
                var before = (device as GpuDevice)?.Transfers ?? default;
                device.SumSquares(x, segments, sums);
                if (device is GpuDevice gpu)
                {
                    var traffic = gpu.Transfers.Since(before);
                    Assert.Equal((lengths == small ? 1 : 2, 0, 0), (traffic.Launches, traffic.Uploads, traffic.Downloads));
                }
                return sums.ToArray();
            }
        }
        Assert.Throws<ArgumentException>(() => device.SumSquares(device.Zeros(new Shape(5)), device.CreateSegments([2, 2]), device.Zeros(new Shape(2))));
    }

    private static Tensor On(Device device, Tensor x)
    {
        var there = device.Zeros(x.Shape);
        x.CopyTo(there);
        return there;
    }

    private static void AssertClose(string id, float[] cpu, float[] gpu, string what)
    {
        float largest = cpu.Max(x => Math.Abs(x)), tolerance = Ulp * (MathF.BitIncrement(largest) - largest);
        float worst = cpu.Zip(gpu, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(cpu.Length == gpu.Length && worst <= tolerance, $"{what} on {id}: off by {worst}, where {tolerance} is allowed");
    }
}
