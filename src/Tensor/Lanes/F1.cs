using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Marl.Native;

/// <summary>A lane of one float: the tail of a SIMD loop, or one thread of a GPU.</summary>
public readonly struct F1(float value) : IFloatLane<F1>
{
    /// <summary>The value.</summary>
    public float Value { get; } = value;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 Of(float value) => new(value);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 operator +(F1 a, F1 b) => new(a.Value + b.Value);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 operator -(F1 a, F1 b) => new(a.Value - b.Value);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 operator *(F1 a, F1 b) => new(a.Value * b.Value);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 operator /(F1 a, F1 b) => new(a.Value / b.Value);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 operator -(F1 a) => new(-a.Value);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 Fma(F1 a, F1 b, F1 c) => new(MathF.FusedMultiplyAdd(a.Value, b.Value, c.Value));
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 IfGreater(F1 a, F1 b, F1 x, F1 y) => a.Value > b.Value ? x : y;
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 IfEqual(F1 a, F1 b, F1 x, F1 y) => a.Value == b.Value ? x : y;
    /// <inheritdoc/>
    public static F1 One => new(1f);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 Abs(F1 x) => new(MathF.Abs(x.Value));
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 Sqrt(F1 x) => new(MathF.Sqrt(x.Value));
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 Exp(F1 x) => LaneMath.Exp(x);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 Log(F1 x) => LaneMath.Log(x);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 Tanh(F1 x) => LaneMath.Tanh(x);
    /// <inheritdoc/>
    [MethodImpl(AggressiveInlining)] public static F1 Sigmoid(F1 x) => LaneMath.Sigmoid(x);

    static int IFloatLane<F1>.Width => 1;
    [MethodImpl(AggressiveInlining)] static F1 IFloatLane<F1>.Load(ref float source, nint index) => new(Unsafe.Add(ref source, index));
    [MethodImpl(AggressiveInlining)] void IFloatLane<F1>.Store(ref float destination, nint index) => Unsafe.Add(ref destination, index) = Value;

    [MethodImpl(AggressiveInlining)] static F1 IFloatLane<F1>.Min(F1 a, F1 b) => a.Value < b.Value ? a : b;
    [MethodImpl(AggressiveInlining)] static F1 IFloatLane<F1>.Max(F1 a, F1 b) => a.Value > b.Value ? a : b;

    [MethodImpl(AggressiveInlining)]
    static F1 IFloatLane<F1>.PowerOfTwo(F1 shifted)
        => new(BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(shifted.Value) << 23) + LaneBits.One));

    [MethodImpl(AggressiveInlining)]
    static F1 IFloatLane<F1>.Split(F1 x, out F1 n)
    {
        // Subtracting the bits of sqrt(1/2) makes the exponent field roll over exactly where m reaches sqrt(2).
        int bits = BitConverter.SingleToInt32Bits(x.Value) - LaneBits.SqrtHalf;
        n = new(bits >> 23);
        return new(BitConverter.Int32BitsToSingle((bits & LaneBits.Mantissa) + LaneBits.SqrtHalf));
    }
}

/// <summary>The bit layout of a float.</summary>
internal static class LaneBits
{
    public const int Mantissa = 0x007F_FFFF;
    public const int SqrtHalf = 0x3F35_04F3;
    public const int One = 0x3F80_0000;

    /// <summary>1.5 2^23: at this magnitude the last bit of a float has the value 1.</summary>
    public const float Shift = 12582912f;
}
