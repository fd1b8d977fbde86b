using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Marl.Native;

/// <summary>a + b.</summary>
public readonly struct Add : IBinary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T a, T b) where T : struct, ILane<T> => a + b;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T DA<T>(T a, T b, T y) where T : struct, ILane<T> => T.One;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T DB<T>(T a, T b, T y) where T : struct, ILane<T> => T.One;
}

/// <summary>a - b.</summary>
public readonly struct Subtract : IBinary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T a, T b) where T : struct, ILane<T> => a - b;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T DA<T>(T a, T b, T y) where T : struct, ILane<T> => T.One;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T DB<T>(T a, T b, T y) where T : struct, ILane<T> => -T.One;
}

/// <summary>a b.</summary>
public readonly struct Multiply : IBinary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T a, T b) where T : struct, ILane<T> => a * b;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T DA<T>(T a, T b, T y) where T : struct, ILane<T> => b;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T DB<T>(T a, T b, T y) where T : struct, ILane<T> => a;
}

/// <summary>a / b.</summary>
public readonly struct Divide : IBinary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T a, T b) where T : struct, ILane<T> => a / b;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T DA<T>(T a, T b, T y) where T : struct, ILane<T> => T.One / b;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T DB<T>(T a, T b, T y) where T : struct, ILane<T> => -(y / b);
}

/// <summary>min(a, b). Where a = b, each operand gets half of the gradient.</summary>
public readonly struct Minimum : IBinary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T a, T b) where T : struct, ILane<T> => T.IfGreater(a, b, b, a);

    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)]
    public T DA<T>(T a, T b, T y) where T : struct, ILane<T> => T.IfEqual(a, b, T.Of(0.5f), T.IfGreater(b, a, T.One, T.Zero));

    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)]
    public T DB<T>(T a, T b, T y) where T : struct, ILane<T> => T.IfEqual(a, b, T.Of(0.5f), T.IfGreater(a, b, T.One, T.Zero));
}

/// <summary>The reduction max(a, b).</summary>
public readonly struct Maximum : IBinary
{
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T F<T>(T a, T b) where T : struct, ILane<T> => T.IfGreater(b, a, b, a);

    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)]
    public T DA<T>(T a, T b, T y) where T : struct, ILane<T> => T.IfEqual(a, b, T.Of(0.5f), T.IfGreater(a, b, T.One, T.Zero));

    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)]
    public T DB<T>(T a, T b, T y) where T : struct, ILane<T> => T.IfEqual(a, b, T.Of(0.5f), T.IfGreater(b, a, T.One, T.Zero));
}

/// <summary>The reduction a + b.</summary>
public readonly struct Sum : IReduction
{
    /// <inheritdoc/>
    public float Identity => 0f;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T Fold<T>(T a, T b) where T : struct, ILane<T> => a + b;
}

/// <summary>Folds to the largest.</summary>
public readonly struct Max : IReduction
{
    /// <inheritdoc/>
    public float Identity => float.NegativeInfinity;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public T Fold<T>(T a, T b) where T : struct, ILane<T> => T.IfGreater(b, a, b, a);
}
