using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>
/// exp, log, tanh and sigmoid in lane arithmetic, so that one float, sixteen floats and a GPU thread give the same bits; library functions differ between
/// widths and machines. The errors are a few ulp; the tests measure them.
/// </summary>
internal static class LaneMath
{
    /// <summary>
    /// e^x = 2^n (1 + q), see <see cref="Reduce"/>. The result is 0 below -86.98, where 2^(n - 1) would be denormal, because denormals slow processors down by
    /// a factor of about a hundred; it is infinity above 88.72, and NaN for NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x) where T : struct, IFloatLane<T>
    {
        T smallest = T.Of(-86.98f);
        T q = Reduce(Clamp(x, smallest, T.Of(89f)), out T n);
        // 2^n in two factors: n reaches 128, which does not fit in the exponent of a float.
        T p = q + T.One;
        return T.IfGreater(smallest, x, T.Zero, (p + p) * T.PowerOfTwo(n - T.One));
    }

    /// <summary>
    /// log x = n ln 2 + log m with m in [sqrt(1/2), sqrt(2)), where log m is a polynomial of degree 9 in m - 1 (Cephes). The result is -infinity at 0, and NaN
    /// below 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Log<T>(T x) where T : struct, IFloatLane<T>
    {
        // Scale denormals into the normal range.
        T small = T.Of(1.17549435e-38f);
        T scaled = T.IfGreater(small, x, x * T.Of(16777216f), x);
        T m = T.Split(scaled, out T n);
        n = T.IfGreater(small, x, n - T.Of(24f), n);
        T f = m - T.One, z = f * f;
        T p = T.Of(7.0376836292e-2f);
        p = T.Fma(p, f, T.Of(-1.1514610310e-1f));
        p = T.Fma(p, f, T.Of(1.1676998740e-1f));
        p = T.Fma(p, f, T.Of(-1.2420140846e-1f));
        p = T.Fma(p, f, T.Of(1.4249322787e-1f));
        p = T.Fma(p, f, T.Of(-1.6668057665e-1f));
        p = T.Fma(p, f, T.Of(2.0000714765e-1f));
        p = T.Fma(p, f, T.Of(-2.4999993993e-1f));
        p = T.Fma(p, f, T.Of(3.3333331174e-1f));
        T y = T.Fma(n, T.Of(-2.12194440e-4f), p * f * z);
        y = T.Fma(z, T.Of(-0.5f), y);
        y = T.Fma(n, T.Of(0.693359375f), f + y);
        T infinity = T.Of(float.PositiveInfinity);
        y = T.IfEqual(x, infinity, infinity, y);
        y = T.IfEqual(x, T.Zero, -infinity, y);
        return T.IfGreater(T.Zero, x, T.Of(float.NaN), T.IfEqual(x, x, y, x));
    }

    /// <summary>
    /// tanh x = (e^2x - 1) / (e^2x + 1) with e^2x = 2^n (1 + q). The numerator 2^n q + (2^n - 1) has no cancellation near 0, where n = 0 and it is q.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Tanh<T>(T x) where T : struct, IFloatLane<T>
    {
        // tanh(10) rounds to 1.
        T bound = T.Of(20f);
        T q = Reduce(Clamp(x + x, -bound, bound), out T n);
        T s = T.PowerOfTwo(n);
        return T.Fma(s, q, s - T.One) / T.Fma(s, q, s + T.One);
    }

    /// <summary>1 / (1 + e^-x). Below -87 the result stays at 1.6e-38, which is not denormal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sigmoid<T>(T x) where T : struct, IFloatLane<T>
    {
        T bound = T.Of(87f);
        T q = Reduce(Clamp(-x, -bound, bound), out T n);
        T s = T.PowerOfTwo(n);
        return T.One / (T.Fma(s, q, s) + T.One);
    }

    /// <summary>
    /// Range reduction: q of e^x = 2^n (1 + q). n = round(x / ln 2), r = x - n ln 2 with ln 2 in two parts (Cody and Waite), |r| &lt;= ln(2)/2, and q = e^r - 1
    /// = r + r^2 P(r) with a polynomial of degree 5. Adding 1.5 2^23 rounds to an integer, ties to even; <paramref name="n"/> includes that constant, as
    /// <see cref="IFloatLane{T}.PowerOfTwo"/> expects.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Reduce<T>(T x, out T n) where T : struct, IFloatLane<T>
    {
        T shift = T.Of(LaneBits.Shift);
        n = T.Fma(x, T.Of(1.44269504f), shift);
        T whole = n - shift;
        T r = T.Fma(whole, T.Of(-0.693359375f), x);
        r = T.Fma(whole, T.Of(2.12194440e-4f), r);
        // Estrin's scheme: latency of dependent operations dominates, not their number.
        T r2 = r * r;
        T p01 = T.Fma(T.Of(1.6666665459e-1f), r, T.Of(5.0000001201e-1f));
        T p23 = T.Fma(T.Of(8.3334519073e-3f), r, T.Of(4.1665795894e-2f));
        T p45 = T.Fma(T.Of(1.9875691500e-4f), r, T.Of(1.3981999507e-3f));
        return T.Fma(T.Fma(T.Fma(p45, r2, p23), r2, p01), r2, r);
    }

    /// <summary>min(max(x, low), high); NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Clamp<T>(T x, T low, T high) where T : struct, IFloatLane<T> => T.Max(low, T.Min(high, x));
}
