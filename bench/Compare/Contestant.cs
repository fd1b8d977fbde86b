using System.Diagnostics;

namespace Marl.Native.Bench.Compare;

/// <summary>Whose code a contestant runs.</summary>
internal enum Side
{
    Ours,
    Library,
    Peer,

    /// <summary>Nobody's: what one core can do at that moment, as the time of 10^9 operations.</summary>
    Peak,
}

/// <summary>One way of doing a case, with one number of threads.</summary>
/// <param name="Side">whose.</param>
/// <param name="Variant">which way.</param>
/// <param name="Threads">with how many threads.</param>
/// <param name="Sample">runs it for about so many seconds; returns the seconds of each call.</param>
internal sealed record Contestant(Side Side, string Variant, int Threads, Func<double, double[]> Sample)
{
    /// <summary>"fused, 2 threads"</summary>
    public override string ToString()
        => string.Join(", ", ((string[])[Variant, Threads == 1 ? "1 thread" : $"{Threads} threads"]).Where(word => word != ""));
}

/// <summary>What came of a contestant: the median over rounds, each of which is the median of its calls.</summary>
internal sealed record Outcome(Contestant Contestant, double Seconds);

/// <summary>Takes turns: in every round everyone runs once, so that what else the machine does falls on all alike.</summary>
internal static class Rounds
{
    private const int FewestRounds = 3;

    /// <summary>How long workers of the other side may go on spinning before they sleep.</summary>
    private const int PauseMilliseconds = 40;

    /// <param name="contestants">who takes part.</param>
    /// <param name="rounds">how often, at most.</param>
    /// <param name="seconds">how long each goes on in a round.</param>
    /// <param name="budget">seconds after which no round is begun, once there were three.</param>
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

    /// <summary>Seconds per call, a sample after the other until the time is up; calls too short for the clock are timed many at
    /// once.</summary>
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

    /// <summary>Calls until it does not get faster any more, for some seconds at least: the runtime compiles what is called often again, in
    /// the background.</summary>
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

    /// <summary>Managed bytes of one call: the least of several, because the runtime itself allocates while it recompiles.</summary>
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
