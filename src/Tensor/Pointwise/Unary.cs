using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>scale x + shift.</summary>
public readonly struct Affine(float scale, float shift) : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.Fma(x, T.Of(scale), T.Of(shift));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.Of(scale);
}

/// <summary>|x|; derivative 0 at 0.</summary>
public readonly struct Abs : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.Abs(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, T.One, T.IfGreater(T.Zero, x, -T.One, T.Zero));
}

/// <summary>x^2.</summary>
public readonly struct Square : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => x * x;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => x + x;
}

/// <summary>The square root.</summary>
public readonly struct Sqrt : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.Sqrt(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.Of(0.5f) / y;
}

/// <summary>1 / x.</summary>
public readonly struct Reciprocal : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.One / x;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => -(y * y);
}

/// <summary>e^x.</summary>
public readonly struct Exp : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.Exp(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => y;
}

/// <summary>The natural logarithm.</summary>
public readonly struct Log : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.Log(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.One / x;
}

/// <summary>max(x, 0); derivative 0 at 0.</summary>
public readonly struct Relu : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(T.Zero, x, T.Zero, x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, T.One, T.Zero);
}

/// <summary>x where x &gt; 0, slope x elsewhere.</summary>
public readonly struct LeakyRelu(float slope) : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, x, x * T.Of(slope));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, T.One, T.Of(slope));
}

/// <summary>x where x &gt; 0, alpha (e^x - 1) elsewhere.</summary>
public readonly struct Elu(float alpha) : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, x, T.Of(alpha) * (T.Exp(x) - T.One));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, T.One, y + T.Of(alpha));
}

/// <summary>The hyperbolic tangent.</summary>
public readonly struct Tanh : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.Tanh(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.One - y * y;
}

/// <summary>1 / (1 + e^-x).</summary>
public readonly struct Sigmoid : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.Sigmoid(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => y * (T.One - y);
}

/// <summary>min(max(x, low), high); derivative 1 inside and on the bounds.</summary>
public readonly struct Clamp(float low, float high) : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(x, T.Of(high), T.Of(high), T.IfGreater(T.Of(low), x, T.Of(low), x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Of(high), T.Zero, T.IfGreater(T.Of(low), x, T.Zero, T.One));
}

/// <summary>1 where x &lt; 0, else 0: a mask. Flat on both sides, so its derivative is 0.</summary>
public readonly struct IsNegative : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(T.Zero, x, T.One, T.Zero);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.Zero;
}

/// <summary>-e^x x: a summand of the entropy where x is a log-probability.</summary>
public readonly struct NegativePLogP : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => -(T.Exp(x) * x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => y - T.Exp(x);
}

/// <summary>log(1 + e^(beta x)) / beta, and x itself where beta x &gt; 20.</summary>
public readonly struct Softplus(float beta) : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T>
    {
        // log(1 + u) without the loss of a small u (Goldberg 1991, theorem 4).
        T z = x * T.Of(beta), u = T.Exp(z), w = T.One + u;
        T log1p = T.IfEqual(w, T.One, u, T.Log(w) * (u / (w - T.One)));
        return T.IfGreater(z, T.Of(20f), x, log1p / T.Of(beta));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T>
    {
        T z = x * T.Of(beta);
        return T.IfGreater(z, T.Of(20f), T.One, T.Sigmoid(z));
    }
}

/// <summary>Huber's loss of an error x: x^2 / 2 where |x| &lt;= delta, delta (|x| - delta / 2) elsewhere.</summary>
public readonly struct Huber(float delta) : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T>
    {
        T a = T.Abs(x), d = T.Of(delta), half = T.Of(0.5f);
        return T.IfGreater(a, d, d * (a - half * d), half * x * x);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T>
    {
        T d = T.Of(delta);
        return T.IfGreater(x, d, d, T.IfGreater(-d, x, -d, x));
    }
}
