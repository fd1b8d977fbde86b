using System.Numerics;

namespace Marl.Native;

/// <summary>
/// One or several values that are processed together; elementwise functions are written once for all of them. Implementations are <see cref="F1"/> (one float:
/// loop tails, GPU threads), <see cref="V16"/> (sixteen floats: SIMD) and, in the tests, a double as the exact reference. Every float lane computes every
/// function by the same sequence of correctly rounded operations, so that all widths give the same bits.
/// </summary>
public interface ILane<T> : IAdditionOperators<T, T, T>, ISubtractionOperators<T, T, T>, IMultiplyOperators<T, T, T>,
    IDivisionOperators<T, T, T>, IUnaryNegationOperators<T, T> where T : struct, ILane<T>
{
    /// <summary>A constant in every element.</summary>
    static abstract T Of(float value);

    /// <summary>0 in every element.</summary>
    static virtual T Zero => T.Of(0f);

    /// <summary>1 in every element.</summary>
    static virtual T One => T.Of(1f);

    /// <summary>a b + c, rounded once.</summary>
    static abstract T Fma(T a, T b, T c);

    /// <summary>a > b ? x : y, elementwise; a comparison with NaN is false.</summary>
    static abstract T IfGreater(T a, T b, T x, T y);

    /// <summary>a == b ? x : y, elementwise.</summary>
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

/// <summary>A lane of floats: its width, loads and stores, and access to the exponent bits, on which the transcendental functions are built.</summary>
internal interface IFloatLane<T> : ILane<T> where T : struct, IFloatLane<T>
{
    /// <summary>The number of floats.</summary>
    static abstract int Width { get; }

    /// <summary>Loads Width consecutive elements at <paramref name="index"/> of <paramref name="source"/>.</summary>
    static abstract T Load(ref float source, nint index);

    /// <summary>Stores Width consecutive elements at <paramref name="index"/> of <paramref name="destination"/>.</summary>
    void Store(ref float destination, nint index);

    /// <summary>a &lt; b ? a : b, thus b if either is NaN. One instruction.</summary>
    static abstract T Min(T a, T b);

    /// <summary>a > b ? a : b, thus b if either is NaN. One instruction.</summary>
    static abstract T Max(T a, T b);

    /// <summary>2^n for an integer n in -126 .. 127, given as n + 1.5 2^23, whose lowest bits are n.</summary>
    static abstract T PowerOfTwo(T shifted);

    /// <summary>Splits a positive normal x into m 2^n with m in [sqrt(1/2), sqrt(2)); returns m.</summary>
    static abstract T Split(T x, out T n);
}
