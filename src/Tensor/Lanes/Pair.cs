using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>The operations of a lane that a register tile of a matrix product uses.</summary>
internal interface ITileLane<T> where T : struct, ITileLane<T>
{
    /// <summary>The number of floats.</summary>
    static abstract int Width { get; }

    /// <summary>The number of rows of the tallest tile whose sums fit in the registers.</summary>
    static abstract int TileRows { get; }

    /// <summary>A constant in every element.</summary>
    static abstract T Of(float value);

    /// <summary>a b + c, rounded once.</summary>
    static abstract T Fma(T a, T b, T c);

    /// <summary>Loads Width consecutive elements at <paramref name="index"/> of <paramref name="source"/>.</summary>
    static abstract T Load(ref float source, nint index);

    /// <summary>Stores Width consecutive elements at <paramref name="index"/> of <paramref name="destination"/>.</summary>
    void Store(ref float destination, nint index);
}

/// <summary>Two lanes as one of twice the width. Pairs can be nested.</summary>
internal readonly struct Pair<T>(T left, T right) : ITileLane<Pair<T>> where T : struct, ITileLane<T>
{
    private readonly T left = left, right = right;

    public static int Width => 2 * T.Width;

    public static int TileRows => T.TileRows / 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> Of(float value)
    {
        T both = T.Of(value);
        return new(both, both);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> Fma(Pair<T> a, Pair<T> b, Pair<T> c)
        => new(T.Fma(a.left, b.left, c.left), T.Fma(a.right, b.right, c.right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> Load(ref float source, nint index)
        => new(T.Load(ref source, index), T.Load(ref source, index + T.Width));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref float destination, nint index)
    {
        left.Store(ref destination, index);
        right.Store(ref destination, index + T.Width);
    }
}
