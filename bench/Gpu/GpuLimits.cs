using Marl.Native.Gpu;
using Marl.Native.Nn;

namespace Marl.Native.Bench.Gpu;

/// <summary>Compares single operations with the limits of the device: memory-bound operations with a copy, matrix products with the nominal rate.</summary>
internal static class GpuLimits
{
    private static readonly (int M, int K, int N)[] Products = [(1920, 120, 64), (9600, 64, 192), (10000, 128, 128), (4096, 1024, 1024), (64, 24000, 192)];

    public static void Print(GpuDevice gpu, bool quick)
    {
        Device device = gpu;
        int n = quick ? 1 << 10 : 1 << 26;
        Tensor x = device.Zeros(new Shape(n)), y = device.Zeros(new Shape(n)), z = device.Zeros(new Shape(n)), sums = device.Zeros(new Shape(n / 64));
        double copy = 2.0 * n * sizeof(float) / Timing.Seconds(() => device.Copy(x, y), () => Wait(y));
        string nominal = gpu.Nominal is { } most ? FormattableString.Invariant($"; by its own figures {most.Flops / 1e12:0.#} TFLOP/s and {most.Bytes / 1e9:0} GB/s") : "";
        Console.WriteLine($"| {device.Name}{nominal} | us | rate | of its limit |");
        Console.WriteLine("|---|---:|---:|---:|");
        Bytes("copy", 2, () => device.Copy(x, y));
        Bytes("relu", 2, () => device.Map(default(Relu), x, y));
        Bytes("tanh", 2, () => device.Map(default(Tanh), x, y));
        Bytes("add", 3, () => device.Zip(default(Add), x, y, z));
        Bytes("sums of rows of 64", 1 + 1.0 / 64, () => device.Reduce(default(Sum), x.Reshape(n / 64, 64), 1, sums));
        Bytes("sums of columns of 64", 1 + 1.0 / 64, () => device.Reduce(default(Sum), x.Reshape(64, n / 64), 0, sums));
        Bytes("RMSprop", 5, () => device.Update(new RmsProp.ScaledStep(1, -1e-3, new RmsProp()), x, y, default, z));
        foreach (var (m, k, columns) in quick ? [(16, 16, 16)] : Products)
        {
            Tensor a = device.Zeros(new Shape(m, k)), b = device.Zeros(new Shape(k, columns)), c = device.Zeros(new Shape(m, columns));
            double seconds = Timing.Seconds(() => device.Gemm(Matrix.Of(a), Matrix.Of(b), Matrix.Of(c)), () => Wait(c)), flops = 2.0 * m * k * columns / seconds;
            Line($"product {m} x {k} x {columns}", seconds, FormattableString.Invariant($"{flops / 1e12:0.##} TFLOP/s"), flops / gpu.Nominal?.Flops);
        }
        var little = device.Zeros(new Shape(64));
        Line("a launch, and its result here", Timing.Seconds(() =>
        {
            device.Map(default(Relu), little, little);
            Wait(little);
        }, static () => { }), "", null);
        Line("a launch among many", Timing.Seconds(() => device.Map(default(Relu), little, little), () => Wait(little)), "", null);

        // perElement: elements read or written per element of n.
        void Bytes(string name, double perElement, Action call)
        {
            double seconds = Timing.Seconds(call, () => Wait(y)), rate = perElement * n * sizeof(float) / seconds;
            Line(name, seconds, FormattableString.Invariant($"{rate / 1e9:0} GB/s"), rate / copy);
        }

        static void Line(string name, double seconds, string rate, double? share)
            => Console.WriteLine(FormattableString.Invariant($"| {name} | {seconds * 1e6:0.#} | {rate} | {share:P0} |"));
    }

    private static void Wait(Tensor x)
    {
        Span<float> one = stackalloc float[1];
        x.Device.Read(new Tensor(x.Storage, x.Offset, new Shape(1)), one);
    }
}
