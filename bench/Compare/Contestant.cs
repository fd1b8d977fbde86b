using System.Diagnostics;

namespace Marl.Native.Bench.Compare;

/// <summary>The code that a contestant runs.</summary>
internal enum Side
{
    Ours,
    Library,
    Peer,

    /// <summary>The current peak of one core, as the time of 10^9 operations.</summary>
    Peak,
}

/// <summary>An implementation of a case with a number of threads.</summary>
/// <param name="Side">The code that is run.</param>
/// <param name="Variant">The name of the implementation.</param>
/// <param name="Threads">The number of threads.</param>
/// <param name="Sample">Runs it for about the given number of seconds; returns the seconds of each call.</param>
internal sealed record Contestant(Side Side, string Variant, int Threads, Func<double, double[]> Sample)
{
    /// <summary>"fused, 2 threads"</summary>
    public override string ToString()
        => string.Join(", ", ((string[])[Variant, Threads == 1 ? "1 thread" : $"{Threads} threads"]).Where(word => word != ""));
}

/// <summary>The result of a contestant: the median over rounds of the median over calls.</summary>
internal sealed record Outcome(Contestant Contestant, double Seconds);

/// <summary>Measures contestants in alternation: every round runs each once, so that disturbances affect all of them.</summary>
internal static class Rounds
{
    private const int FewestRounds = 3;

    /// <summary>The time that threads of the other side may spin before they sleep.</summary>
    private const int PauseMilliseconds = 40;

    /// <param name="contestants">The contestants.</param>
    /// <param name="rounds">The maximum number of rounds.</param>
    /// <param name="seconds">Seconds per contestant and round.</param>
    /// <param name="budget">Seconds after which no further round is begun, after three rounds.</param>
    public static Outcome[] Run(IReadOnlyList<Contestant> contestants, int rounds, double seconds, double budget)
    {
        var medians = contestants.Select(_ => new List<double>()).ToArray();
        long begin = Stopwatch.GetTimestamp();
        for (int round = 0; round < rounds && (round < FewestRounds || Since(begin) < budget); round++)
        {
            for (int i = 0; i < contestants.Count; i++)
            {
                if (i == 0 || contestants[i].Side != contestants[i - 1].Side || contestants[i].Threads != contestants[i - 1].Threads)
                {
                    Thread.Sleep(PauseMilliseconds);
                }
                medians[i].Add(Median(contestants[i].Sample(seconds)));
            }
        }
        return [.. contestants.Zip(medians, (contestant, values) => new Outcome(contestant, Median(values)))];
    }

    /// <summary>Measures seconds per call until the time is up. Calls that are too short for the clock are timed in groups.</summary>
    public static double[] Sample(Action run, double seconds)
    {
        int calls = CallsPerSample(run);
        List<double> samples = [];
        long begin = Stopwatch.GetTimestamp();
        do
        {
            samples.Add(Time(run, calls) / calls);
        }
        while (Since(begin) < seconds);
        return [.. samples];
    }

    /// <summary>Warms up: calls until the time per call no longer decreases, for some seconds at least, because the runtime recompiles hot methods in the
    /// background.</summary>
    public static void Warm(Action run, double atLeast)
    {
        const double AtMost = 5.0, Stretch = 0.25;
        long begin = Stopwatch.GetTimestamp();
        double best = double.PositiveInfinity, before;
        do
        {
            before = best;
            best = Math.Min(best, Sample(run, Stretch).Min());
        }
        while (Since(begin) < atLeast || best < 0.97 * before && Since(begin) < AtMost);
    }

    /// <summary>Returns the managed bytes that a call allocates: the minimum of several calls, because the runtime allocates while it recompiles.</summary>
    public static long AllocatedBytes(Action run)
    {
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 5; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            run();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }
        return least;
    }

    public static double Median(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static int CallsPerSample(Action run)
    {
        int calls = 1;
        while (Time(run, calls) < 2e-4)
        {
            calls *= 2;
        }
        return calls;
    }

    private static double Time(Action run, int calls)
    {
        long start = Stopwatch.GetTimestamp();
        for (int call = 0; call < calls; call++)
        {
            run();
        }
        return Since(start);
    }

    private static double Since(long start) => Stopwatch.GetElapsedTime(start).TotalSeconds;
}
