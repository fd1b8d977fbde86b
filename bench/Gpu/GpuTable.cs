using System.Globalization;
using System.Text.Json.Nodes;
using Marl.Native.Bench.Compare;
using Marl.Native.Gpu;

namespace Marl.Native.Bench.Gpu;

/// <summary><c>bench gpu</c>: Markdown tables of the update time on each device of this machine, the time per kernel, and the distance from the device's
/// limits.</summary>
internal static class GpuTable
{
    /// <summary>The CPU instead of a GPU, to test the tables.</summary>
    private const string Emulated = "emulated";

    /// <summary><c>bench gpu [--quick] [--updates] [device ..]</c>: the named devices, by default all; --quick: tiny sizes, to test the tables; --updates: only
    /// the table of updates. <c>bench gpu sizes</c>: the sizes for bench/peers/gpu.py.</summary>
    public static int Run(string[] args)
    {
        bool quick = args.Contains("--quick");
        string[] ids = [.. args.Where(word => !word.StartsWith("--", StringComparison.Ordinal))];
        var sizes = Sizes(quick);
        if (ids is ["sizes"])
        {
            Console.WriteLine(new JsonObject(sizes.Select(one => KeyValuePair.Create<string, JsonNode?>(one.Name, one.Size.ToJson()))).ToJsonString());
            return 0;
        }
        if (ids.Length == 0)
        {
            ids = [.. GpuDevices.List().Where(device => device.Problem is null).Select(device => device.Id)];
        }
        Console.WriteLine($"| QMIX update | {string.Join(" | ", sizes.Select(one => one.Name))} |");
        Console.WriteLine($"|---|{string.Concat(sizes.Select(_ => "---:|"))}");
        // The CPU takes seconds for the sizes that are meant for GPUs.
        Row(Device.Cpu, sizes, largest: 128);
        foreach (string id in ids)
        {
            try
            {
                using var device = Open(id, profiling: false);
                Row(device, sizes, largest: int.MaxValue);
            }
            catch (DeviceException error)
            {
                // TF32 needs sm_80, cuBLAS its library.
                Console.WriteLine($"| {id}: {error.Message} |{string.Concat(sizes.Select(_ => " |"))}");
            }
        }
        if (args.Contains("--updates"))
        {
            return 0;
        }
        foreach (string id in ids)
        {
            using var device = Open(id, profiling: false);
            Console.WriteLine();
            GpuLimits.Print(device, quick);
        }
        foreach (string id in ids)
        {
            using var device = Open(id, profiling: true);
            foreach (var (name, size) in sizes.Take(2))
            {
                Console.WriteLine();
                PrintShares(device, name, size);
            }
        }
        return 0;
    }

    /// <summary>Sizes (a), (b) and (c) of the comparison with PyTorch on the CPU, and (a) and (b) with 1024 episodes.</summary>
    private static (string Name, QmixSize Size)[] Sizes(bool quick)
        => quick ? [("tiny", new(Batch: 2, Steps: 3, Agents: 2, Observation: 4, State: 5, Actions: 3, Hidden: 8, Embed: 4, Hyper: 4))]
        : [.. QmixSize.Published, .. QmixSize.Published.Take(2).Select(one => ($"{one.Name}, 1024 episodes", one.Size with { Batch = 1024 }))];

    private static GpuDevice Open(string id, bool profiling) => id == Emulated ? GpuDevices.OpenEmulated(blas: null) : GpuDevices.Open(id, profiling);

    private static void Row(Device device, (string Name, QmixSize Size)[] sizes, int largest)
        => Console.WriteLine($"| {device.Name} | {string.Join(" | ", sizes.Select(one => one.Size.Batch <= largest ? Milliseconds(device, one.Size) : ""))} |");

    private static string Milliseconds(Device device, QmixSize size)
    {
        using var update = new GpuUpdate(device, size);
        return $"{(Timing.Seconds(update.Run, update.Wait) * 1e3).ToString("G3", CultureInfo.InvariantCulture)} ms";
    }

    private static void PrintShares(GpuDevice device, string name, QmixSize size)
    {
        const int Updates = 10, Most = 15;
        using var update = new GpuUpdate(device, size);
        update.Run();
        update.Wait();
        var times = device.Profile(() =>
        {
            for (int i = 0; i < Updates; i++)
            {
                update.Run();
            }
        });
        double all = times.Sum(time => time.Seconds);
        Console.WriteLine($"| {device.Name}, update ({name}) | launches | us | share |");
        Console.WriteLine("|---|---:|---:|---:|");
        foreach (var time in times.Take(Most))
        {
            Line(time.Kernel, time.Launches, time.Seconds);
        }
        Line("all", times.Sum(time => time.Launches), all);

        void Line(string kernel, int launches, double seconds) => Console.WriteLine(FormattableString.Invariant(
            $"| {kernel} | {(double)launches / Updates:0.#} | {seconds / Updates * 1e6:0.#} | {seconds / all:P1} |"));
    }
}
