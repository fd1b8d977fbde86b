using System.Diagnostics;
using System.Globalization;

namespace Marl.Native.Bench.Compare;

/// <summary>
/// How much of the processors' time went elsewhere while something was measured: to other processes, or to other machines on the same
/// hardware. Only Linux tells.
/// </summary>
/// <param name="own">processor time of everyone who takes part, so far.</param>
internal sealed class Disturbance(Func<TimeSpan> own)
{
    private const string Source = "/proc/stat";
    private const double TicksPerSecond = 100;

    private readonly long begin = Stopwatch.GetTimestamp();
    private readonly double busyBefore = Busy(), ownBefore = own().TotalSeconds;

    /// <summary>A remark where it was much; else nothing.</summary>
    public string Remark()
    {
        const double Much = 0.05;
        double available = Stopwatch.GetElapsedTime(begin).TotalSeconds * Environment.ProcessorCount;
        double share = (Busy() - busyBefore - (own().TotalSeconds - ownBefore)) / available;
        return share > Much ? $"(others took {share:P0} of the processors meanwhile: these times are uncertain)" : "";
    }

    /// <summary>Seconds that the processors were not idle since the machine started: all but the columns idle and iowait.</summary>
    private static double Busy()
    {
        if (!File.Exists(Source))
        {
            return 0;
        }
        // cpu user nice system idle iowait irq softirq steal ..
        string[] words = File.ReadLines(Source).First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int[] columns = [1, 2, 3, 6, 7, 8];
        return columns.Where(c => c < words.Length).Sum(c => double.Parse(words[c], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }
}
