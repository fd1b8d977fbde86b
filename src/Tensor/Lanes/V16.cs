using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Marl.Native;

/// <summary>Sixteen floats: one 512-bit register, or several narrower ones into which the JIT compiler splits it.</summary>
internal readonly struct V16(Vector512<float> value) : IFloatLane<V16>, ITileLane<V16>
{
    /// <summary>The number of floats.</summary>
    public static int Width => 16;

    /// <summary>The vector.</summary>
    public Vector512<float> Value => value;

    // The operators below read the field: a property counts twice against the inlining budget of the JIT compiler, which a loop with
    // several transcendental functions nearly exhausts.
    private readonly Vector512<float> value = value;

    /// <summary>Loads sixteen consecutive elements at <paramref name="index"/> of <paramref name="source"/>.</summary>
    [MethodImpl(AggressiveInlining)] public static V16 Load(ref float source, nint index) => new(Vector512.LoadUnsafe(ref source, (nuint)index));

    /// <summary>Stores sixteen consecutive elements at <paramref name="index"/> of <paramref name="destination"/>.</summary>
    [MethodImpl(AggressiveInlining)] public void Store(ref float destination, nint index) => value.StoreUnsafe(ref destination, (nuint)index);

    /// <summary>
    /// Loads the first <paramref name="count"/> elements, fewer than sixteen; the others are <paramref name="fill"/>. Memory after them is not read.
    /// </summary>
    [MethodImpl(AggressiveInlining)]
    internal static unsafe V16 LoadFirst(int count, ref float source, nint index, float fill)
    {
        fixed (float* at = &Unsafe.Add(ref source, index))
        {
            if (Avx512F.IsSupported)
            {
                Vector512<float> mask = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
                return new(Avx512F.MaskLoad(at, mask, Vector512.Create(fill)));
            }
            return Join(V8.LoadFirst(count, at, fill), V8.LoadFirst(count - V8.Width, at + V8.Width, fill));
        }
    }

    /// <summary>Stores the first <paramref name="count"/> elements. Memory after them is not written.</summary>
    [MethodImpl(AggressiveInlining)]
    internal unsafe void StoreFirst(int count, ref float destination, nint index)
    {
        fixed (float* at = &Unsafe.Add(ref destination, index))
        {
            if (Avx512F.IsSupported)
            {
                Vector512<float> mask = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
                Avx512F.MaskStore(at, mask, value);
                return;
            }
            Lower.StoreFirst(count, at);
            Upper.StoreFirst(count - V8.Width, at + V8.Width);
        }
    }

    /// <summary>Elements 0 .. 7.</summary>
    internal V8 Lower => new(value.GetLower());

    /// <summary>Elements 8 .. 15.</summary>
    internal V8 Upper => new(value.GetUpper());

    [MethodImpl(AggressiveInlining)] private static V16 Join(V8 lower, V8 upper) => new(Vector512.Create(lower.Value, upper.Value));

    /// <summary>The index of the first element in which a and b are equal; 16 or more if there is none.</summary>
    [MethodImpl(AggressiveInlining)]
    internal static int FirstEqual(V16 a, V16 b)
        => BitOperations.TrailingZeroCount(Vector512.ExtractMostSignificantBits(Vector512.Equals(a.value, b.value)));

    public static V16 Zero => Of(0f);
    public static V16 One => Of(1f);
    [MethodImpl(AggressiveInlining)] public static V16 Of(float value) => new(Vector512.Create(value));
    [MethodImpl(AggressiveInlining)] public static V16 operator +(V16 a, V16 b) => new(a.value + b.value);
    [MethodImpl(AggressiveInlining)] public static V16 operator -(V16 a, V16 b) => new(a.value - b.value);
    [MethodImpl(AggressiveInlining)] public static V16 operator *(V16 a, V16 b) => new(a.value * b.value);
    [MethodImpl(AggressiveInlining)] public static V16 operator /(V16 a, V16 b) => new(a.value / b.value);
    [MethodImpl(AggressiveInlining)] public static V16 operator -(V16 a) => new(-a.value);
    [MethodImpl(AggressiveInlining)] public static V16 Fma(V16 a, V16 b, V16 c) => new(Vector512.FusedMultiplyAdd(a.value, b.value, c.value));

    [MethodImpl(AggressiveInlining)]
    public static V16 IfGreater(V16 a, V16 b, V16 x, V16 y)
        => new(Vector512.ConditionalSelect(Vector512.GreaterThan(a.value, b.value), x.value, y.value));

    [MethodImpl(AggressiveInlining)]
    public static V16 IfEqual(V16 a, V16 b, V16 x, V16 y)
        => new(Vector512.ConditionalSelect(Vector512.Equals(a.value, b.value), x.value, y.value));

    [MethodImpl(AggressiveInlining)] public static V16 Abs(V16 x) => new(Vector512.Abs(x.value));
    [MethodImpl(AggressiveInlining)] public static V16 Sqrt(V16 x) => new(Vector512.Sqrt(x.value));

    [MethodImpl(AggressiveInlining)]
    public static V16 Exp(V16 x)
        => Vector512.IsHardwareAccelerated ? LaneMath.Exp(x) : Join(LaneMath.Exp(x.Lower), LaneMath.Exp(x.Upper));

    [MethodImpl(AggressiveInlining)]
    public static V16 Log(V16 x)
        => Vector512.IsHardwareAccelerated ? LaneMath.Log(x) : Join(LaneMath.Log(x.Lower), LaneMath.Log(x.Upper));

    [MethodImpl(AggressiveInlining)]
    public static V16 Tanh(V16 x)
        => Vector512.IsHardwareAccelerated ? LaneMath.Tanh(x) : Join(LaneMath.Tanh(x.Lower), LaneMath.Tanh(x.Upper));

    [MethodImpl(AggressiveInlining)]
    public static V16 Sigmoid(V16 x)
        => Vector512.IsHardwareAccelerated ? LaneMath.Sigmoid(x) : Join(LaneMath.Sigmoid(x.Lower), LaneMath.Sigmoid(x.Upper));

    /// <summary>Twenty-four sums use 24 of the 32 registers of AVX-512.</summary>
    static int ITileLane<V16>.TileRows => 24;

    [MethodImpl(AggressiveInlining)] static V16 IFloatLane<V16>.Min(V16 a, V16 b) => new(Vector512.MinNative(a.value, b.value));
    [MethodImpl(AggressiveInlining)] static V16 IFloatLane<V16>.Max(V16 a, V16 b) => new(Vector512.MaxNative(a.value, b.value));

    [MethodImpl(AggressiveInlining)]
    static V16 IFloatLane<V16>.PowerOfTwo(V16 shifted)
        => new(((shifted.value.AsInt32() << 23) + Vector512.Create(LaneBits.One)).AsSingle());

    [MethodImpl(AggressiveInlining)]
    static V16 IFloatLane<V16>.Split(V16 x, out V16 n)
    {
        Vector512<int> bits = x.value.AsInt32() - Vector512.Create(LaneBits.SqrtHalf);
        n = new(Vector512.ConvertToSingle(bits >> 23));
        return new(((bits & Vector512.Create(LaneBits.Mantissa)) + Vector512.Create(LaneBits.SqrtHalf)).AsSingle());
    }
}
