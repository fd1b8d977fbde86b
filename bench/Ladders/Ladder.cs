using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Marl.Native.Bench.Ladders;

/// <summary>One way to compute a ladder's result.</summary>
/// <param name="Name">in a word.</param>
/// <param name="Idea">what it does that the rung below does not.</param>
/// <param name="Run">computes the result once.</param>
internal sealed record Rung(string Name, string Idea, Action Run);

/// <summary>How far a rung's result is from the naive one's.</summary>
/// <param name="Different">elements whose bits differ.</param>
/// <param name="Greatest">absolute difference.</param>
internal readonly record struct Deviation(int Different, double Greatest);

/// <summary>
/// The same computation in several ways, from the plain loop to the engine's own, each with one idea more than the one before. Every
/// element is one chain of fused multiply-adds in the order of k on every rung, so their results are equal to the last bit.
/// </summary>
/// <param name="title">what is computed, and how large.</param>
/// <param name="operations">of one run, a fused multiply-add being two.</param>
/// <param name="result">what every rung writes, or adds to.</param>
/// <param name="rungs">the naive one first.</param>
internal sealed class Ladder(string title, double operations, Tensor result, Rung[] rungs)
{
    private const int LeastRuns = 5;
    private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(0.4);

    public string Title => title;

    public double Operations => operations;

    public IReadOnlyList<Rung> Rungs => rungs;

    /// <summary>Runs a rung and the naive one, both from zeros.</summary>
    public Deviation Check(Rung rung)
    {
        ReadOnlySpan<float> expected = From0(rungs[0]), actual = From0(rung);
        ReadOnlySpan<int> expectedBits = MemoryMarshal.Cast<float, int>(expected), actualBits = MemoryMarshal.Cast<float, int>(actual);
        int different = 0;
        double greatest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            if (expectedBits[i] != actualBits[i])
            {
                different++;
                greatest = Math.Max(greatest, Math.Abs((double)expected[i] - actual[i]));
            }
        }
        return new(different, greatest);
    }

    /// <summary>The median time of a run in seconds.</summary>
    public static double Time(Rung rung)
    {
        List<double> times = [];
        long start = Stopwatch.GetTimestamp();
        while (times.Count < LeastRuns || Stopwatch.GetElapsedTime(start) < LeastTime)
        {
            long before = Stopwatch.GetTimestamp();
            rung.Run();
            times.Add(Stopwatch.GetElapsedTime(before).TotalSeconds);
        }
        times.Sort();
        return times[times.Count / 2];
    }

    private float[] From0(Rung rung)
    {
        result.Span.Clear();
        rung.Run();
        return result.ToArray();
    }
}
