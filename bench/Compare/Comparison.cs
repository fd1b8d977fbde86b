using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Marl.Native.Bench.Compare;

/// <summary>
/// Measures the same computations here and in PyTorch, alternating, with 1 and 2 threads each; only our side if PyTorch is not installed.
/// </summary>
internal static class Comparison
{
    /// <summary>Below this fraction of the peak of one core, the peer uses a slow BLAS that its users would not have.</summary>
    private const double SlowBlas = 0.05;

    /// <summary>Runs the comparison.</summary>
    /// <returns>0; 1 if the two sides disagree; 2 if the arguments are invalid.</returns>
    public static int Run(ReadOnlySpan<string> words)
    {
        try
        {
            return Run(CompareOptions.Parse(words));
        }
        catch (ArgumentException e)
        {
            Console.Error.WriteLine($"compare: {e.Message}");
            return 2;
        }
    }

    private static int Run(CompareOptions options)
    {
        double peak = FmaPeak.Measure();
        Console.WriteLine($"{Processor()}, {Environment.ProcessorCount} threads, vectors of {Bits} bits; " +
            $"peak of one core {peak / 1e9:F0} GFLOP/s (fused multiply-adds, measured now; the shares below are of the peak at the time)");
        Console.WriteLine(RuntimeInformation.FrameworkDescription);
        var settings = options.Alone ? null : PeerSettings.Probe(options.Python);
        Console.WriteLine(settings is not null ? settings.ToString() : options.Alone ? "without PyTorch, as asked for"
            : $"without PyTorch: '{options.Python}' has none. To compare with it: {PeerSettings.Remedy}");
        if (settings is not null && settings.GemmRate < SlowBlas * peak)
        {
            Console.WriteLine($"PyTorch's Gemm reaches {settings.GemmRate / peak:P1} of the peak: this is no BLAS to compare with. " +
                $"Install one: {PeerSettings.Remedy}");
        }
        if (settings is not null && !Agreement.Holds(settings))
        {
            return 1;
        }
        if (options.CheckOnly)
        {
            return settings is null ? 2 : 0;
        }
        PeerProcess[] peers = settings is null ? [] : [new(settings, threads: 1), new(settings, threads: 2)];
        try
        {
            Compare(options, peers);
        }
        finally
        {
            Array.ForEach(peers, peer => peer.Dispose());
        }
        if (options.Wants("start of the process"))
        {
            Startup.Compare(options, settings);
        }
        if (options.Wants("training loop"))
        {
            TrainingLoop.Measure(options);
        }
        return 0;
    }

    private static int Bits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    private static IEnumerable<Case> Cases(CompareOptions options)
        => ((IEnumerable<Case>)
        [
            .. TrainingCases.All(), .. GruCases.All(), .. ActingCases.All(), .. GemmCases.All(), .. OptimizerCases.All(),
            .. PointwiseCases.All(),
        ]).Where(c => options.Wants(c.Name, c.Group) && !(options.Quick && c.Long));

    /// <summary>Measures all cases and prints one table per group.</summary>
    private static void Compare(CompareOptions options, PeerProcess[] peers)
    {
        foreach (var group in Cases(options).GroupBy(c => c.Group))
        {
            var table = new Report();
            Disturbance disturbance = new(() => peers.Aggregate(Environment.CpuUsage.TotalTime, (sum, peer) => sum + peer.ProcessorTime));
            foreach (var one in group)
            {
                Console.Error.WriteLine($".. {one.Name}");
                table.Add(one, Measure(one, options, peers, out long allocated), allocated);
            }
            Console.WriteLine();
            Console.WriteLine(options.Markdown ? $"### {group.Key}\n" : $"{group.Key}");
            table.Write(Console.Out, options);
            Console.Write(disturbance.Remark() is { Length: > 0 } remark ? $"{remark}\n" : "");
        }
    }

    private static Outcome[] Measure(Case one, CompareOptions options, PeerProcess[] peers, out long allocated)
    {
        List<Work> works = [];
        try
        {
            List<Contestant> contestants = [new(Side.Peak, "", 1, _ => [1e9 / FmaPeak.Measure()])];
            void Enter(Side side, int threads, Work work)
            {
                works.Add(work);
                Rounds.Warm(work.Run, options.Quick ? 0.4 : 1.0);
                contestants.Add(new(side, "", threads, seconds => Rounds.Sample(work.Run, seconds)));
            }
            foreach (int threads in one.Threads)
            {
                Enter(Side.Ours, threads, one.Ours(threads));
            }
            allocated = works.Max(work => Rounds.AllocatedBytes(work.Run));
            if (one.TensorPrimitives is not null)
            {
                Enter(Side.Library, 1, one.TensorPrimitives());
            }
            contestants.AddRange(peers.SelectMany(peer => one.Variants.Select(variant => peer.Prepare(one, variant))).OfType<Contestant>());
            return Rounds.Run(contestants, options.Rounds, options.Quick ? one.Seconds / 2 : one.Seconds, budget: options.Quick ? 5 : 40);
        }
        finally
        {
            works.ForEach(work => work.Dispose());
            Array.ForEach(peers, peer => peer.Drop());
        }
    }

    private static string Processor()
    {
        const string Source = "/proc/cpuinfo", Key = "model name";
        string? line = File.Exists(Source) ? File.ReadLines(Source).FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':') + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
