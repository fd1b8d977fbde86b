using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>
/// exp, log, tanh and sigmoid in lane arithmetic, so that one float, sixteen floats and a GPU thread give the same bits. Library
/// functions do not: they differ between widths and machines. Measured errors stand in the tests (a few ulp).
/// </summary>
internal static class LaneMath
{
    /// <summary>
    /// e^x = 2^n e^r, n = round(x / ln 2), |r| &lt;= ln(2)/2, with ln 2 in two parts (Cody and Waite) and e^r by a polynomial of
    /// degree 6. 0 below -87.33, where the result would be denormal: on processors those are a hundred times slower, and a masked
    /// or hopeless logit is the usual argument there. Infinity above 88.72. NaN stays NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x) where T : struct, IFloatLane<T>
    {
        T smallest = T.Of(-87.33654f);
        T bounded = T.IfGreater(x, T.Of(89f), T.Of(89f), x);
        bounded = T.IfGreater(smallest, bounded, smallest, bounded);
        T n = Round(bounded * T.Of(1.44269504f));
        T r = T.Fma(n, T.Of(-0.693359375f), bounded);
        r = T.Fma(n, T.Of(2.12194440e-4f), r);
        T p = T.Of(1.9875691500e-4f);
        p = T.Fma(p, r, T.Of(1.3981999507e-3f));
        p = T.Fma(p, r, T.Of(8.3334519073e-3f));
        p = T.Fma(p, r, T.Of(4.1665795894e-2f));
        p = T.Fma(p, r, T.Of(1.6666665459e-1f));
        p = T.Fma(p, r, T.Of(5.0000001201e-1f));
        p = T.Fma(p * r, r, r) + T.One;
        // 2^n in two factors: n reaches 128, which the exponent of a float cannot hold.
        T half = Round(n * T.Of(0.5f));
        return T.IfGreater(smallest, x, T.Zero, p * T.PowerOfTwo(half) * T.PowerOfTwo(n - half));
    }

    /// <summary>
    /// log x = n ln 2 + log m with m in [sqrt(1/2), sqrt(2)), log m by a polynomial of degree 9 in m - 1 (Cephes). -infinity at
    /// 0, NaN below.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Log<T>(T x) where T : struct, IFloatLane<T>
    {
        // Denormals are scaled into the normal range first.
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

    /// <summary>tanh x: x + x^3 P(x^2) for |x| &lt; 0.625 (Cephes), 1 - 2 / (e^2|x| + 1) with the sign of x beyond.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Tanh<T>(T x) where T : struct, IFloatLane<T>
    {
        T a = T.Abs(x), z = x * x;
        T p = T.Of(-5.70498872745e-3f);
        p = T.Fma(p, z, T.Of(2.06390887954e-2f));
        p = T.Fma(p, z, T.Of(-5.37397155531e-2f));
        p = T.Fma(p, z, T.Of(1.33314422036e-1f));
        p = T.Fma(p, z, T.Of(-3.33332819422e-1f));
        T near = T.Fma(p * z, x, x);
        T far = T.One - T.Of(2f) / (Exp(a + a) + T.One);
        return T.IfGreater(T.Of(0.625f), a, near, T.IfGreater(T.Zero, x, -far, far));
    }

    /// <summary>1 / (1 + e^-x)</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sigmoid<T>(T x) where T : struct, IFloatLane<T> => T.One / (T.One + Exp(-x));

    /// <summary>The nearest integer, ties to even, of |x| &lt; 2^22: adding 1.5 2^23 leaves no fraction bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Round<T>(T x) where T : struct, IFloatLane<T> => x + T.Of(12582912f) - T.Of(12582912f);
}
