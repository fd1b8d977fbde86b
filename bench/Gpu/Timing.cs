using System.Diagnostics;

namespace Marl.Native.Bench.Gpu;

/// <summary>Measures asynchronous calls.</summary>
internal static class Timing
{
    private const int Samples = 5, MostCalls = 1000;
    private const double SampleSeconds = 0.1;

    /// <summary>Returns the seconds per call: the median of samples of about a tenth of a second, each from the first call to the last result.</summary>
    public static double Seconds(Action call, Action wait)
    {
        Sample(3);
        int calls = Math.Clamp((int)(SampleSeconds / Sample(1)), 1, MostCalls);
        double[] samples = [.. Enumerable.Range(0, Samples).Select(_ => Sample(calls) / calls).Order()];
        return samples[Samples / 2];

        double Sample(int calls)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < calls; i++)
            {
                call();
            }
            wait();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }
}
