using System.Diagnostics;
using System.Globalization;

namespace Marl.Native.Bench.Compare;

/// <summary>
/// Measures the processor time that other processes, or other virtual machines on the same hardware, used during a measurement. Linux only.
/// </summary>
/// <param name="own">Returns the processor time of all contestants so far.</param>
internal sealed class Disturbance(Func<TimeSpan> own)
{
    private const string Source = "/proc/stat";
    private const double TicksPerSecond = 100;

    private readonly long begin = Stopwatch.GetTimestamp();
    private readonly double busyBefore = Busy(), ownBefore = own().TotalSeconds;

    /// <summary>Returns a remark if that time was large; otherwise an empty string.</summary>
    public string Remark()
    {
        const double Much = 0.05;
        double available = Stopwatch.GetElapsedTime(begin).TotalSeconds * Environment.ProcessorCount;
        double share = (Busy() - busyBefore - (own().TotalSeconds - ownBefore)) / available;
        return share > Much ? $"(others took {share:P0} of the processors meanwhile: these times are uncertain)" : "";
    }

    /// <summary>Returns the seconds since start in which the processors were not idle: all columns except idle and iowait.</summary>
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
