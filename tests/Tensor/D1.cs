namespace Marl.Native.Tests;

/// <summary>One double: the exact reference that the tests hold every op's value and derivative against.</summary>
internal readonly struct D1(double value) : ILane<D1>
{
    /// <summary>The number.</summary>
    public double Value { get; } = value;

    public static D1 Of(float value) => new(value);
    public static D1 operator +(D1 a, D1 b) => new(a.Value + b.Value);
    public static D1 operator -(D1 a, D1 b) => new(a.Value - b.Value);
    public static D1 operator *(D1 a, D1 b) => new(a.Value * b.Value);
    public static D1 operator /(D1 a, D1 b) => new(a.Value / b.Value);
    public static D1 operator -(D1 a) => new(-a.Value);
    public static D1 Fma(D1 a, D1 b, D1 c) => new(a.Value * b.Value + c.Value);
    public static D1 IfGreater(D1 a, D1 b, D1 x, D1 y) => a.Value > b.Value ? x : y;
    public static D1 IfEqual(D1 a, D1 b, D1 x, D1 y) => a.Value == b.Value ? x : y;
    public static D1 Abs(D1 x) => new(Math.Abs(x.Value));
    public static D1 Sqrt(D1 x) => new(Math.Sqrt(x.Value));
    public static D1 Exp(D1 x) => new(Math.Exp(x.Value));
    public static D1 Log(D1 x) => new(Math.Log(x.Value));
    public static D1 Tanh(D1 x) => new(Math.Tanh(x.Value));
    public static D1 Sigmoid(D1 x) => new(1 / (1 + Math.Exp(-x.Value)));
}
