using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Marl.Native;

/// <summary>scale x + shift.</summary>
public readonly struct Affine(float scale, float shift) : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.Fma(x, T.Of(scale), T.Of(shift));
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => T.Of(scale);
}

/// <summary>
/// <code>
/// |. The derivative at 0 is 0.
/// </code>
/// </summary>
public readonly struct Abs : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.Abs(x);

    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, T.One, T.IfGreater(T.Zero, x, -T.One, T.Zero));
}

/// <summary>x^2.</summary>
public readonly struct Square : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => x * x;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => x + x;
}

/// <summary>The square root.</summary>
public readonly struct Sqrt : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.Sqrt(x);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => T.Of(0.5f) / y;
}

/// <summary>1 / x.</summary>
public readonly struct Reciprocal : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.One / x;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => -(y * y);
}

/// <summary>e^x.</summary>
public readonly struct Exp : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.Exp(x);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => y;
}

/// <summary>The natural logarithm.</summary>
public readonly struct Log : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.Log(x);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => T.One / x;
}

/// <summary>max(x, 0). The derivative at 0 is 0.</summary>
public readonly struct Relu : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(T.Zero, x, T.Zero, x);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, T.One, T.Zero);
}

/// <summary>The hyperbolic tangent.</summary>
public readonly struct Tanh : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.Tanh(x);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => T.One - y * y;
}

/// <summary>1 / (1 + e^-x).</summary>
public readonly struct Sigmoid : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.Sigmoid(x);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => y * (T.One - y);
}

/// <summary>min(max(x, low), high). The derivative is 1 inside the interval and on its bounds.</summary>
public readonly struct Clamp(float low, float high) : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(x, T.Of(high), T.Of(high), T.IfGreater(T.Of(low), x, T.Of(low), x));

    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Of(high), T.Zero, T.IfGreater(T.Of(low), x, T.Zero, T.One));
}

/// <summary>1 where x &lt; 0, else 0. The derivative is 0.</summary>
public readonly struct IsNegative : IUnary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(T.Zero, x, T.One, T.Zero);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T D<T>(T x, T y) where T : struct, ILane<T> => T.Zero;
}
