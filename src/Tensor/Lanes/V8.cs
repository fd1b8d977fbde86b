using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Marl.Native;

/// <summary>Eight floats: half of a <see cref="V16"/>, and the register of processors without AVX-512.</summary>
internal readonly struct V8(Vector256<float> value) : IFloatLane<V8>, ITileLane<V8>
{
    /// <summary>The number of floats.</summary>
    public static int Width => 8;

    /// <summary>The vector.</summary>
    public Vector256<float> Value => value;

    // The operators below read the field: a property counts twice against the inlining budget of the JIT compiler, which a loop with
    // several transcendental functions nearly exhausts.
    private readonly Vector256<float> value = value;

    /// <summary>Loads eight consecutive elements at <paramref name="index"/> of <paramref name="source"/>.</summary>
    [MethodImpl(AggressiveInlining)] public static V8 Load(ref float source, nint index) => new(Vector256.LoadUnsafe(ref source, (nuint)index));

    /// <summary>Stores eight consecutive elements at <paramref name="index"/> of <paramref name="destination"/>.</summary>
    [MethodImpl(AggressiveInlining)] public void Store(ref float destination, nint index) => value.StoreUnsafe(ref destination, (nuint)index);

    /// <summary>
    /// Loads the first <paramref name="count"/> elements (none if negative, all from eight on); the others are <paramref name="fill"/>. Memory after them is
    /// not read.
    /// </summary>
    [MethodImpl(AggressiveInlining)]
    internal static unsafe V8 LoadFirst(int count, float* source, float fill)
    {
        Vector256<float> others = Vector256.Create(fill);
        if (Avx.IsSupported)
        {
            Vector256<float> mask = Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();
            return new(Vector256.ConditionalSelect(mask, Avx.MaskLoad(source, mask), others));
        }
        new Span<float>(source, Math.Clamp(count, 0, Width)).CopyTo(new Span<float>(&others, Width));
        return new(others);
    }

    /// <summary>Stores the first <paramref name="count"/> elements (none if negative, all from eight on). Memory after them is not written.</summary>
    [MethodImpl(AggressiveInlining)]
    internal unsafe void StoreFirst(int count, float* destination)
    {
        Vector256<float> lanes = value;
        if (Avx.IsSupported)
        {
            Avx.MaskStore(destination, Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle(), lanes);
            return;
        }
        new Span<float>(&lanes, Math.Clamp(count, 0, Width)).CopyTo(new Span<float>(destination, Width));
    }

    /// <summary>Elements 4 .. 7, moved to 0 .. 3; the elements above are undefined.</summary>
    internal V8 Upper => new(value.GetUpper().ToVector256Unsafe());

    /// <summary>One element.</summary>
    internal F1 this[int lane] => new(value[lane]);

    public static V8 Zero => Of(0f);
    public static V8 One => Of(1f);
    [MethodImpl(AggressiveInlining)] public static V8 Of(float value) => new(Vector256.Create(value));
    [MethodImpl(AggressiveInlining)] public static V8 operator +(V8 a, V8 b) => new(a.value + b.value);
    [MethodImpl(AggressiveInlining)] public static V8 operator -(V8 a, V8 b) => new(a.value - b.value);
    [MethodImpl(AggressiveInlining)] public static V8 operator *(V8 a, V8 b) => new(a.value * b.value);
    [MethodImpl(AggressiveInlining)] public static V8 operator /(V8 a, V8 b) => new(a.value / b.value);
    [MethodImpl(AggressiveInlining)] public static V8 operator -(V8 a) => new(-a.value);
    [MethodImpl(AggressiveInlining)] public static V8 Fma(V8 a, V8 b, V8 c) => new(Vector256.FusedMultiplyAdd(a.value, b.value, c.value));

    [MethodImpl(AggressiveInlining)]
    public static V8 IfGreater(V8 a, V8 b, V8 x, V8 y)
        => new(Vector256.ConditionalSelect(Vector256.GreaterThan(a.value, b.value), x.value, y.value));

    [MethodImpl(AggressiveInlining)]
    public static V8 IfEqual(V8 a, V8 b, V8 x, V8 y)
        => new(Vector256.ConditionalSelect(Vector256.Equals(a.value, b.value), x.value, y.value));

    [MethodImpl(AggressiveInlining)] public static V8 Abs(V8 x) => new(Vector256.Abs(x.value));
    [MethodImpl(AggressiveInlining)] public static V8 Sqrt(V8 x) => new(Vector256.Sqrt(x.value));
    [MethodImpl(AggressiveInlining)] public static V8 Exp(V8 x) => LaneMath.Exp(x);
    [MethodImpl(AggressiveInlining)] public static V8 Log(V8 x) => LaneMath.Log(x);
    [MethodImpl(AggressiveInlining)] public static V8 Tanh(V8 x) => LaneMath.Tanh(x);
    [MethodImpl(AggressiveInlining)] public static V8 Sigmoid(V8 x) => LaneMath.Sigmoid(x);

    /// <summary>Twelve sums use 12 of the 16 registers of AVX2.</summary>
    static int ITileLane<V8>.TileRows => 12;

    [MethodImpl(AggressiveInlining)] static V8 IFloatLane<V8>.Min(V8 a, V8 b) => new(Vector256.MinNative(a.value, b.value));
    [MethodImpl(AggressiveInlining)] static V8 IFloatLane<V8>.Max(V8 a, V8 b) => new(Vector256.MaxNative(a.value, b.value));

    [MethodImpl(AggressiveInlining)]
    static V8 IFloatLane<V8>.PowerOfTwo(V8 shifted)
        => new(((shifted.value.AsInt32() << 23) + Vector256.Create(LaneBits.One)).AsSingle());

    [MethodImpl(AggressiveInlining)]
    static V8 IFloatLane<V8>.Split(V8 x, out V8 n)
    {
        Vector256<int> bits = x.value.AsInt32() - Vector256.Create(LaneBits.SqrtHalf);
        n = new(Vector256.ConvertToSingle(bits >> 23));
        return new(((bits & Vector256.Create(LaneBits.Mantissa)) + Vector256.Create(LaneBits.SqrtHalf)).AsSingle());
    }
}
