using System.Diagnostics;
using System.Globalization;
using Marl.Native.Bench.Compare;
using Marl.Native.Gpu;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Gpu;

/// <summary>bench gpu: what learning takes on each device of this machine, as a table in Markdown. Times are medians of calls that end when the result is
/// back in this process, so a call is what a training run waits for.</summary>
internal static class GpuTable
{
    private static readonly (int M, int K, int N)[] Products = [(1920, 120, 64), (9600, 64, 192), (10000, 128, 128), (4096, 1024, 1024), (64, 24000, 192)];

    /// <summary>bench gpu [--calls N] [device ..]; without any, all that can be used.</summary>
    public static int Run(string[] args)
    {
        int calls = 30;
        List<string> ids = [];
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--calls" && i + 1 < args.Length)
            {
                calls = int.Parse(args[++i], CultureInfo.InvariantCulture);
            }
            else
            {
                ids.Add(args[i]);
            }
        }
        if (ids.Count == 0)
        {
            ids = [.. GpuDevices.List().Where(device => device.Problem is null).Select(device => device.Id)];
        }
        Console.WriteLine("| device | " + string.Join(" | ", Cases(Device.Cpu).Select(one => one.Name)) + " |");
        Console.WriteLine("|---|" + string.Concat(Cases(Device.Cpu).Select(_ => "---|")));
        Row(Device.Cpu, calls);
        foreach (string id in ids)
        {
            using var device = GpuDevices.Open(id);
            Row(device, calls);
        }
        return 0;
    }

    private static void Row(Device device, int calls)
    {
        List<string> cells = [device.Name];
        foreach (var (_, prepare) in Cases(device))
        {
            var call = prepare();
            double[] milliseconds = new double[calls];
            for (int i = -3; i < calls; i++)
            {
                long start = Stopwatch.GetTimestamp();
                call();
                milliseconds[Math.Max(i, 0)] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }
            Array.Sort(milliseconds);
            cells.Add(milliseconds[calls / 2].ToString("G3", CultureInfo.InvariantCulture) + " ms");
        }
        Console.WriteLine($"| {string.Join(" | ", cells)} |");
    }

    private static IEnumerable<(string Name, Func<Action> Prepare)> Cases(Device device)
    {
        foreach (var (name, size) in QmixSize.Published)
        {
            yield return ($"QMIX update ({name})", () =>
            {
                var learner = size.Learner(new Workers(1), device: device);
                var episodes = size.Episodes(size.Batch);
                return () => learner.Update(episodes);
            });
        }
        foreach (var (m, k, n) in Products)
        {
            yield return ($"{m}x{k}x{n}", () =>
            {
                Tensor a = device.Zeros(new Shape(m, k)), b = device.Zeros(new Shape(k, n)), c = device.Zeros(new Shape(m, n));
                device.Fill(a, 0.5f);
                device.Fill(b, 0.25f);
                return () =>
                {
                    device.Gemm(Matrix.Of(a), Matrix.Of(b), Matrix.Of(c));
                    Wait(c);
                };
            });
        }
        yield return ("one launch", () =>
        {
            var x = device.Zeros(new Shape(64));
            return () =>
            {
                device.Map(default(Relu), x, x);
                Wait(x);
            };
        });
        yield return ("a thousand launches", () =>
        {
            var x = device.Zeros(new Shape(64));
            return () =>
            {
                for (int i = 0; i < 1000; i++)
                {
                    device.Map(default(Relu), x, x);
                }
                Wait(x);
            };
        });
    }

    private static void Wait(Tensor x)
    {
        Span<float> one = stackalloc float[1];
        x.Device.Read(new Tensor(x.Storage, x.Offset, new Shape(1)), one);
    }
}
