using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Marl.Native.Bench;

/// <summary>
/// The most floating-point operations per second that one core does here: fused multiply-adds on registers, in as many independent
/// chains as the latency of two per cycle needs, of the widest vectors that this process may use. A multiply-add counts as two.
/// Where a process may not use that instruction, which came with AVX2, the two are done one after the other.
/// </summary>
public static class FmaPeak
{
    private const int Chains = 12;

    /// <summary>The best of several runs, in operations per second.</summary>
    public static double Measure()
    {
        const int Rounds = 2_000_000;
        double best = 0;
        for (int run = 0; run < 12; run++)
        {
            long start = Stopwatch.GetTimestamp();
            int lanes = Run(Rounds);
            best = Math.Max(best, 2.0 * lanes * Chains * Rounds / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    /// <summary>Twelve chains; returns the number of floats in a vector.</summary>
    private static int Run(int rounds) => SimdLevel.Bits switch
    {
        512 => Run512(rounds),
        256 => Run256(rounds),
        128 => Run128(rounds),
        _ => RunScalar(rounds),
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Run512(int rounds)
    {
        Vector512<float> a = Vector512.Create(0.999f), b = Vector512.Create(0.001f);
        Vector512<float> c0 = a, c1 = a, c2 = a, c3 = a, c4 = a, c5 = a, c6 = a, c7 = a, c8 = a, c9 = a, c10 = a, c11 = a;
        for (; rounds > 0; rounds--)
        {
            c0 = Vector512.FusedMultiplyAdd(c0, a, b);
            c1 = Vector512.FusedMultiplyAdd(c1, a, b);
            c2 = Vector512.FusedMultiplyAdd(c2, a, b);
            c3 = Vector512.FusedMultiplyAdd(c3, a, b);
            c4 = Vector512.FusedMultiplyAdd(c4, a, b);
            c5 = Vector512.FusedMultiplyAdd(c5, a, b);
            c6 = Vector512.FusedMultiplyAdd(c6, a, b);
            c7 = Vector512.FusedMultiplyAdd(c7, a, b);
            c8 = Vector512.FusedMultiplyAdd(c8, a, b);
            c9 = Vector512.FusedMultiplyAdd(c9, a, b);
            c10 = Vector512.FusedMultiplyAdd(c10, a, b);
            c11 = Vector512.FusedMultiplyAdd(c11, a, b);
        }
        Keep(Vector512.Sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11));
        return Vector512<float>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Run256(int rounds)
    {
        Vector256<float> a = Vector256.Create(0.999f), b = Vector256.Create(0.001f);
        Vector256<float> c0 = a, c1 = a, c2 = a, c3 = a, c4 = a, c5 = a, c6 = a, c7 = a, c8 = a, c9 = a, c10 = a, c11 = a;
        for (; rounds > 0; rounds--)
        {
            c0 = Vector256.FusedMultiplyAdd(c0, a, b);
            c1 = Vector256.FusedMultiplyAdd(c1, a, b);
            c2 = Vector256.FusedMultiplyAdd(c2, a, b);
            c3 = Vector256.FusedMultiplyAdd(c3, a, b);
            c4 = Vector256.FusedMultiplyAdd(c4, a, b);
            c5 = Vector256.FusedMultiplyAdd(c5, a, b);
            c6 = Vector256.FusedMultiplyAdd(c6, a, b);
            c7 = Vector256.FusedMultiplyAdd(c7, a, b);
            c8 = Vector256.FusedMultiplyAdd(c8, a, b);
            c9 = Vector256.FusedMultiplyAdd(c9, a, b);
            c10 = Vector256.FusedMultiplyAdd(c10, a, b);
            c11 = Vector256.FusedMultiplyAdd(c11, a, b);
        }
        Keep(Vector256.Sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11));
        return Vector256<float>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Run128(int rounds)
    {
        Vector128<float> a = Vector128.Create(0.999f), b = Vector128.Create(0.001f);
        Vector128<float> c0 = a, c1 = a, c2 = a, c3 = a, c4 = a, c5 = a, c6 = a, c7 = a, c8 = a, c9 = a, c10 = a, c11 = a;
        for (; rounds > 0; rounds--)
        {
            c0 = Vector128.MultiplyAddEstimate(c0, a, b);
            c1 = Vector128.MultiplyAddEstimate(c1, a, b);
            c2 = Vector128.MultiplyAddEstimate(c2, a, b);
            c3 = Vector128.MultiplyAddEstimate(c3, a, b);
            c4 = Vector128.MultiplyAddEstimate(c4, a, b);
            c5 = Vector128.MultiplyAddEstimate(c5, a, b);
            c6 = Vector128.MultiplyAddEstimate(c6, a, b);
            c7 = Vector128.MultiplyAddEstimate(c7, a, b);
            c8 = Vector128.MultiplyAddEstimate(c8, a, b);
            c9 = Vector128.MultiplyAddEstimate(c9, a, b);
            c10 = Vector128.MultiplyAddEstimate(c10, a, b);
            c11 = Vector128.MultiplyAddEstimate(c11, a, b);
        }
        Keep(Vector128.Sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11));
        return Vector128<float>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int RunScalar(int rounds)
    {
        float a = 0.999f, b = 0.001f;
        float c0 = a, c1 = a, c2 = a, c3 = a, c4 = a, c5 = a, c6 = a, c7 = a, c8 = a, c9 = a, c10 = a, c11 = a;
        for (; rounds > 0; rounds--)
        {
            c0 = float.MultiplyAddEstimate(c0, a, b);
            c1 = float.MultiplyAddEstimate(c1, a, b);
            c2 = float.MultiplyAddEstimate(c2, a, b);
            c3 = float.MultiplyAddEstimate(c3, a, b);
            c4 = float.MultiplyAddEstimate(c4, a, b);
            c5 = float.MultiplyAddEstimate(c5, a, b);
            c6 = float.MultiplyAddEstimate(c6, a, b);
            c7 = float.MultiplyAddEstimate(c7, a, b);
            c8 = float.MultiplyAddEstimate(c8, a, b);
            c9 = float.MultiplyAddEstimate(c9, a, b);
            c10 = float.MultiplyAddEstimate(c10, a, b);
            c11 = float.MultiplyAddEstimate(c11, a, b);
        }
        Keep(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11);
        return 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Keep(float sum)
    {
        if (float.IsNaN(sum))
        {
            throw new ArithmeticException("the chains converge to 1 and are never NaN");
        }
    }
}
