using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Marl.Native;

// Elementwise functions used only in this package; others are in src/Tensor/Pointwise.

/// <summary>x where x &gt; 0, slope x elsewhere.</summary>
internal readonly struct LeakyRelu(float slope) : IUnary
{
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, x, x * T.Of(slope));
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, T.One, T.Of(slope));
}

/// <summary>x where x &gt; 0, alpha (e^x - 1) elsewhere.</summary>
internal readonly struct Elu(float alpha) : IUnary
{
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, x, T.Of(alpha) * (T.Exp(x) - T.One));
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, T.One, y + T.Of(alpha));
}

/// <summary>log(1 + e^(beta x)) / beta, and x itself where beta x &gt; 20.</summary>
internal readonly struct Softplus(float beta) : IUnary
{
    [MethodImpl(AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T>
    {
        // log(1 + u) without loss of accuracy for small u (Goldberg 1991, theorem 4).
        T z = x * T.Of(beta), u = T.Exp(z), w = T.One + u;
        T log1p = T.IfEqual(w, T.One, u, T.Log(w) * (u / (w - T.One)));
        return T.IfGreater(z, T.Of(20f), x, log1p / T.Of(beta));
    }

    [MethodImpl(AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T>
    {
        T z = x * T.Of(beta);
        return T.IfGreater(z, T.Of(20f), T.One, T.Sigmoid(z));
    }
}

/// <summary>The Huber loss of an error x: x^2 / 2 where |x| &lt;= delta, delta (|x| - delta / 2) elsewhere.</summary>
internal readonly struct Huber(float delta) : IUnary
{
    [MethodImpl(AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T>
    {
        T a = T.Abs(x), d = T.Of(delta), half = T.Of(0.5f);
        return T.IfGreater(a, d, d * (a - half * d), half * x * x);
    }

    [MethodImpl(AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T>
    {
        T d = T.Of(delta);
        return T.IfGreater(x, d, d, T.IfGreater(-d, x, -d, x));
    }
}

/// <summary>-e^x x: a term of the entropy for a log-probability x.</summary>
internal readonly struct NegativePLogP : IUnary
{
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => -(T.Exp(x) * x);
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => y - T.Exp(x);
}

/// <summary>a where the mask b is nonzero, value elsewhere.</summary>
internal readonly struct MaskedFill(float value) : IBinary
{
    [MethodImpl(AggressiveInlining)] public T F<T>(T a, T b) where T : struct, ILane<T> => T.IfEqual(b, T.Zero, T.Of(value), a);
    [MethodImpl(AggressiveInlining)] public T DA<T>(T a, T b, T y) where T : struct, ILane<T> => T.IfEqual(b, T.Zero, T.Zero, T.One);
    [MethodImpl(AggressiveInlining)] public T DB<T>(T a, T b, T y) where T : struct, ILane<T> => T.Zero;
}

/// <summary>
/// x^exponent, as in PyTorch: NaN where x &lt; 0 and the exponent is not an integer, 1 where the exponent is 0. Integer powers are products, so that they are
/// defined for negative x.
/// </summary>
internal readonly struct Pow(float exponent) : IUnary
{
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => Raise(x, exponent);

    [MethodImpl(AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => exponent == 0f ? T.Zero : T.Of(exponent) * Raise(x, exponent - 1f);

    [MethodImpl(AggressiveInlining)]
    private static T Raise<T>(T x, float exponent) where T : struct, ILane<T>
    {
        float size = exponent < 0f ? -exponent : exponent;
        if (size != (int)size)
        {
            return default(Power).F(x, T.Of(exponent));
        }
        // Exponentiation by squaring: multiply x, x^2, x^4, .. where the bit is set.
        T y = T.One;
        for (int rest = (int)size; rest > 0; rest >>= 1, x *= x)
        {
            y = (rest & 1) != 0 ? y * x : y;
        }
        return exponent < 0f ? T.One / y : y;
    }
}

/// <summary>a^b = e^(b log a) for a >= 0, and 1 where b is 0; NaN where a &lt; 0.</summary>
internal readonly struct Power : IBinary
{
    [MethodImpl(AggressiveInlining)]
    public T F<T>(T a, T b) where T : struct, ILane<T> => T.IfEqual(b, T.Zero, T.One, T.Exp(b * T.Log(a)));

    [MethodImpl(AggressiveInlining)]
    public T DA<T>(T a, T b, T y) where T : struct, ILane<T> => T.IfEqual(b, T.Zero, T.Zero, b * F(a, b - T.One));

    [MethodImpl(AggressiveInlining)]
    public T DB<T>(T a, T b, T y) where T : struct, ILane<T> => T.IfEqual(y, T.Zero, T.Zero, y * T.Log(a));
}
