using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Marl.Native;

/// <summary>Sixteen floats: one 512-bit register, or two or four narrower ones, which the JIT splits it into.</summary>
public readonly struct V16(Vector512<float> value) : IFloatLane<V16>, ITileLane<V16>
{
    /// <summary>How many numbers.</summary>
    public static int Width => 16;

    /// <summary>The numbers.</summary>
    public Vector512<float> Value { get; } = value;

    /// <summary>Sixteen consecutive numbers at <paramref name="index"/> of <paramref name="source"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Load(ref float source, nint index) => new(Vector512.LoadUnsafe(ref source, (nuint)index));

    /// <summary>Stores them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref float destination, nint index) => Value.StoreUnsafe(ref destination, (nuint)index);

    /// <summary>The first <paramref name="count"/> (below sixteen) from memory, <paramref name="fill"/> in the other lanes; nothing beyond
    /// is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V16 LoadFirst(int count, ref float source, nint index, float fill)
    {
        V16 lanes = Of(fill);
        MemoryMarshal.CreateSpan(ref Unsafe.Add(ref source, index), count).CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<V16, float>(ref lanes), Width));
        return lanes;
    }

    /// <summary>Stores the first <paramref name="count"/> lanes; nothing beyond is touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void StoreFirst(int count, ref float destination, nint index)
    {
        V16 lanes = this;
        MemoryMarshal.CreateSpan(ref Unsafe.As<V16, float>(ref lanes), count).CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref destination, index), count));
    }

    /// <summary>Lanes 0 .. 7.</summary>
    internal V8 Lower => new(Value.GetLower());

    /// <summary>Lanes 8 .. 15.</summary>
    internal V8 Upper => new(Value.GetUpper());

    /// <inheritdoc cref="ILane{T}.Zero"/>
    public static V16 Zero => Of(0f);

    /// <inheritdoc cref="ILane{T}.One"/>
    public static V16 One => Of(1f);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Of(float value) => new(Vector512.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 operator +(V16 a, V16 b) => new(a.Value + b.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 operator -(V16 a, V16 b) => new(a.Value - b.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 operator *(V16 a, V16 b) => new(a.Value * b.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 operator /(V16 a, V16 b) => new(a.Value / b.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 operator -(V16 a) => new(-a.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Fma(V16 a, V16 b, V16 c) => new(Vector512.FusedMultiplyAdd(a.Value, b.Value, c.Value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 IfGreater(V16 a, V16 b, V16 x, V16 y)
        => new(Vector512.ConditionalSelect(Vector512.GreaterThan(a.Value, b.Value), x.Value, y.Value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 IfEqual(V16 a, V16 b, V16 x, V16 y)
        => new(Vector512.ConditionalSelect(Vector512.Equals(a.Value, b.Value), x.Value, y.Value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Abs(V16 x) => new(Vector512.Abs(x.Value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Sqrt(V16 x) => new(Vector512.Sqrt(x.Value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Exp(V16 x) => LaneMath.Exp(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Log(V16 x) => LaneMath.Log(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Tanh(V16 x) => LaneMath.Tanh(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Sigmoid(V16 x) => LaneMath.Sigmoid(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V16 IFloatLane<V16>.PowerOfTwo(V16 n)
        => new(((Vector512.ConvertToInt32Native(n.Value) + Vector512.Create(127)) << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V16 IFloatLane<V16>.Split(V16 x, out V16 n)
    {
        Vector512<int> bits = x.Value.AsInt32() - Vector512.Create(LaneBits.SqrtHalf);
        n = new(Vector512.ConvertToSingle(bits >> 23));
        return new(((bits & Vector512.Create(LaneBits.Mantissa)) + Vector512.Create(LaneBits.SqrtHalf)).AsSingle());
    }
}
