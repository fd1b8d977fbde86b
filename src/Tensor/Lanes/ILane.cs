using System.Numerics;

namespace Marl.Native;

/// <summary>
/// One or several numbers side by side, on which a pointwise op is written once: <see cref="F1"/> (one float: tails, GPU
/// threads), <see cref="V16"/> (sixteen floats: SIMD), and in the tests a double, the exact reference. Every
/// float lane computes every function by the same sequence of correctly rounded operations, so all widths give the same bits.
/// </summary>
public interface ILane<T> : IAdditionOperators<T, T, T>, ISubtractionOperators<T, T, T>, IMultiplyOperators<T, T, T>,
    IDivisionOperators<T, T, T>, IUnaryNegationOperators<T, T> where T : struct, ILane<T>
{
    /// <summary>The constant in every lane.</summary>
    static abstract T Of(float value);

    /// <summary>0</summary>
    static virtual T Zero => T.Of(0f);

    /// <summary>1</summary>
    static virtual T One => T.Of(1f);

    /// <summary>a b + c, rounded once.</summary>
    static abstract T Fma(T a, T b, T c);

    /// <summary>a &gt; b ? x : y, lane by lane; a comparison with NaN is false.</summary>
    static abstract T IfGreater(T a, T b, T x, T y);

    /// <summary>a == b ? x : y, lane by lane.</summary>
    static abstract T IfEqual(T a, T b, T x, T y);

    /// <summary>|x|</summary>
    static abstract T Abs(T x);

    /// <summary>The square root, correctly rounded.</summary>
    static abstract T Sqrt(T x);

    /// <summary>e^x</summary>
    static abstract T Exp(T x);

    /// <summary>The natural logarithm.</summary>
    static abstract T Log(T x);

    /// <summary>The hyperbolic tangent.</summary>
    static abstract T Tanh(T x);

    /// <summary>1 / (1 + e^-x)</summary>
    static abstract T Sigmoid(T x);
}

/// <summary>What float lanes have besides arithmetic: a width, a way to memory, and access to the exponent, in which they write
/// their own transcendental functions.</summary>
internal interface IFloatLane<T> : ILane<T> where T : struct, IFloatLane<T>
{
    /// <summary>How many floats.</summary>
    static abstract int Width { get; }

    /// <summary>Width consecutive numbers at <paramref name="index"/> of <paramref name="source"/>.</summary>
    static abstract T Load(ref float source, nint index);

    /// <summary>Stores them.</summary>
    void Store(ref float destination, nint index);

    /// <summary>a &lt; b ? a : b, so b where one is NaN: one instruction.</summary>
    static abstract T Min(T a, T b);

    /// <summary>a &gt; b ? a : b, so b where one is NaN: one instruction.</summary>
    static abstract T Max(T a, T b);

    /// <summary>2^n for an integral n in -126 .. 127, given as n + 1.5 2^23: n stands in the lowest bits of that sum.</summary>
    static abstract T PowerOfTwo(T shifted);

    /// <summary>Splits a positive normal x = m 2^n with m in [sqrt(1/2), sqrt(2)).</summary>
    static abstract T Split(T x, out T n);
}
