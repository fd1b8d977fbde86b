using System.Globalization;
using System.Reflection;
using ILGPU;
using ILGPU.Runtime;
using Marl.Native.Bench.Compare;
using Marl.Native.Gpu;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Gpu;

/// <summary><c>bench gpu-count [device]</c>: what an update launches, counted and not timed: launches, bytes, registers, shared memory and instructions of each
/// kernel, and the least time that they take on an H200. It runs on any device, also on the driver of the tests (eng/gpu-count.sh).</summary>
internal static class GpuCount
{
    /// <summary>An H200: float32 operations, thread instructions and bytes of memory traffic per second. The bytes are those of a measured copy.</summary>
    private const double Flops = 67e12, Instructions = Flops / 2, Bytes = 4.3e12;

    public static int Run(string[] args)
    {
        bool quick = args.Contains("--quick"), inOrder = args.Contains("--in-order");
        string id = args.FirstOrDefault(word => !word.StartsWith('-')) ?? "cuda:0";
        using var device = id == "emulated" ? GpuDevices.OpenEmulated() : GpuDevices.Open(id);
        var ptx = new PtxStatistics();
        foreach (var (name, size) in quick ? [("tiny", new(2, 3, 2, 4, 5, 3, 8, 4, 4))] : QmixSize.Published.Take(1))
        {
            using var update = new GpuUpdate(device, size);
            var launches = Record(device, update.Run);
            foreach (var kernel in args.Contains("--ptx") ? launches.Select(launch => launch.Kernels[0].GetType()).Distinct() : [])
            {
                Console.WriteLine(ptx.Ptx(kernel));
            }
            foreach (var launch in inOrder ? launches : [])
            {
                Console.WriteLine(FormattableString.Invariant($"{launch.Name} {launch.Of.Groups} x {launch.Of.Threads}, {launch.Bytes} bytes"));
            }
            PrintKernels($"QMIX update ({name})", launches, ptx);
        }
        PrintAlgorithms(device);
        return 0;
    }

    /// <summary>Lists the launches of an action that was executed before.</summary>
    private static List<Launch> Record(GpuDevice device, Action action)
    {
        action();
        device.Synchronize();
        List<Launch> launches = [];
        long before = DriverInstructions.Count();
        device.Launched = launch =>
        {
            // A synchronization would submit what a graph has captured.
            device.Synchronize();
            long after = DriverInstructions.Count();
            launches.Add(new(launch, after - before));
            before = after;
        };
        try
        {
            action();
        }
        finally
        {
            device.Launched = null;
        }
        return launches;
    }

    private static void PrintKernels(string title, List<Launch> launches, PtxStatistics ptx)
    {
        Console.WriteLine($"| {title} | launches | of | groups x threads | MB | MFLOP | M instructions | registers | shared bytes | bound, us | by |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|");
        double all = 0;
        foreach (var same in launches.GroupBy(launch => launch.Name).OrderByDescending(same => same.Sum(launch => launch.Bound.Seconds)))
        {
            var (registers, shared) = same.First().Kernels is [IKernel kernel, ..] ? ptx.Of(kernel.GetType()) : default;
            string grid = string.Join(", ", same.Select(launch => launch.Of.Groups).Distinct().Order().Take(3)) + $" x {same.Max(launch => launch.Of.Threads)}";
            double seconds = same.Sum(launch => launch.Bound.Seconds);
            all += seconds;
            Line(same.Key, same.Count(), same.Sum(launch => launch.Kernels.Count), grid, same.Sum(launch => launch.Bytes), same.Sum(launch => launch.Flops), same.Sum(launch => launch.Instructions),
                registers, shared, seconds, same.MaxBy(launch => launch.Bound.Seconds)!.Bound.By);
        }
        Line("all", launches.Count(launch => launch.Of.Kernel is IKernel), launches.Sum(launch => launch.Kernels.Count(one => one is IKernel)), "", launches.Sum(launch => launch.Bytes), launches.Sum(launch => launch.Flops),
            launches.Sum(launch => launch.Instructions), 0, 0, all, $"and {launches.Count(launch => launch.Of.Kernel is DeviceCopy)} copies");
        Console.WriteLine();

        static void Line(string name, int launches, int of, string grid, long bytes, double flops, long instructions, int registers, int shared, double seconds, string by)
            => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {launches} | {of} | {grid} | {bytes / 1e6:0.##} | {flops / 1e6:0.#} | " +
                $"{instructions / 1e6:0.##} | {(registers == 0 ? "" : registers)} | {(shared == 0 ? "" : shared)} | {seconds * 1e6:0.##} | {by} |"));
    }

    /// <summary>Launches, copies and uploads of an update of every algorithm in the two-step game.</summary>
    private static void PrintAlgorithms(GpuDevice device)
    {
        Console.WriteLine("| update (two-step) | launches | copies | uploads |");
        Console.WriteLine("|---|---:|---:|---:|");
        foreach (var algorithm in Catalog.Algorithms)
        {
            using var round = new GpuRound(algorithm.Name, device);
            round.Learn();
            round.Learn();
            var (before, copies) = (device.Transfers, 0);
            device.Launched = launch => copies += launch.Kernel is DeviceCopy ? 1 : 0;
            round.Learn();
            device.Launched = null;
            var counted = device.Transfers.Since(before);
            Console.WriteLine($"| {algorithm.Name} | {counted.Launches} | {copies} | {counted.Uploads} |");
        }
    }

    /// <summary>A launch and its instructions, of all threads.</summary>
    private sealed class Launch
    {
        public Launch(LaunchRecord of, long instructions)
        {
            (Of, Instructions) = (of, instructions);
            Kernels = [.. Joined(of)];
            Name = of.Kernel is DeviceCopy ? "copy" : KernelProfiler.Name(Kernels[0].GetType());
            Bytes = of.Kernel is DeviceCopy copy ? 8L * copy.Count : sizeof(float) * Kernels.SelectMany(Arrays).Distinct().Sum(array => array.Length);
            Flops = Kernels.Sum(kernel => kernel.GetType().GetField("Of")?.GetValue(kernel) is GemmArguments product && kernel is not SumSlicesKernel
                ? 2.0 * product.Batch * product.M * product.N * product.K : 0);
            (double, string)[] bounds = [(Bytes / GpuCount.Bytes, "memory"), (Flops / GpuCount.Flops, "products"),
                (instructions / GpuCount.Instructions, "instructions")];
            Bound = bounds.Max();
        }

        public LaunchRecord Of { get; }

        /// <summary>The kernels that are joined in this launch.</summary>
        public IReadOnlyList<object> Kernels { get; }

        public string Name { get; }
        public long Instructions { get; }

        /// <summary>The bytes of its array arguments, each once.</summary>
        public long Bytes { get; }

        /// <summary>The operations of a matrix product.</summary>
        public double Flops { get; }

        /// <summary>The least time, and what bounds it.</summary>
        public (double Seconds, string By) Bound { get; }

        private static IEnumerable<object> Joined(LaunchRecord launch)
        {
            var type = launch.Kernel.GetType();
            if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(JoinedKernel<>))
            {
                yield return launch.Kernel;
                yield break;
            }
            for (int place = 0, end = 0; end < launch.Groups; place++)
            {
                yield return type.GetField($"K{place}")!.GetValue(launch.Kernel)!;
                end = type.GetField($"End{place}") is { } field ? (int)field.GetValue(launch.Kernel)! : launch.Groups;
            }
        }

        private static IEnumerable<(nint Address, long Length)> Arrays(object arguments)
        {
            foreach (var field in arguments.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public))
            {
                switch (field.GetValue(arguments))
                {
                    case ArrayView<float> view:
                        yield return (view.IsValid ? view.LoadEffectiveAddressAsPtr() : 0, view.Length);
                        break;
                    case ArrayView<int> view:
                        yield return (view.IsValid ? view.LoadEffectiveAddressAsPtr() : 0, view.Length);
                        break;
                    case ValueType inner when field.FieldType.Assembly == typeof(GpuDevice).Assembly:
                        foreach (var array in Arrays(inner))
                        {
                            yield return array;
                        }
                        break;
                    default:
                        break;
                }
            }
        }
    }
}
