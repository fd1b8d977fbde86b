namespace Marl.Native;

/// <summary>
/// A tensor on a <see cref="Tape"/>: a 16-byte handle to a recorded node. <see cref="Value"/> is a plain <see cref="Tensor"/>, so that no gradient flows
/// through it: targets are functions Tensor -> Tensor, losses take (Var prediction, Tensor target).
/// </summary>
/// <example>
/// <code>
/// var tape = new Tape();
/// using (tape.Step())
/// {
///     Var x = tape.Variable(Tensor.Of([1, 2, 3]));
///     Var y = (2f * x).Square().Sum();             // 4 x^2, summed
///     tape.Backward(y);
///     float[] gradient = x.Gradient.ToArray();     // 8 x = [8, 16, 24]
/// }
/// </code>
/// </example>
public readonly struct Var
{
    private readonly Tape? tape;

    internal Var(Tape tape, int index, int stamp) => (this.tape, Index, Stamp) = (tape, index, stamp);

    /// <summary>The tape that recorded this value.</summary>
    /// <exception cref="InvalidOperationException">This is a default value, which no tape recorded.</exception>
    public Tape Tape => tape ?? throw new InvalidOperationException("this Var is a default value, which no tape recorded");

    internal int Index { get; }

    internal int Stamp { get; }

    /// <summary>The value, without its history.</summary>
    /// <exception cref="InvalidOperationException">The step or scope that recorded it has ended.</exception>
    public Tensor Value => Tape.Node(this).Value;

    /// <summary>The lengths of the axes.</summary>
    public Shape Shape => Value.Shape;

    /// <summary>The gradient that the last <see cref="Tape.Backward(Var)"/> computed; none if the root does not depend on this value.</summary>
    public Tensor Gradient => Tape.Node(this).Gradient;

    /// <summary>The tangent that the last <see cref="Tape.PushForward"/> computed; none if it is 0.</summary>
    public Tensor Tangent => Tape.Node(this).Tangent;

    /// <summary>a + b, elementwise, with broadcasting.</summary>
    public static Var operator +(Var a, Var b) => a.Zip(b, default(Add));

    /// <summary>a - b, elementwise, with broadcasting.</summary>
    public static Var operator -(Var a, Var b) => a.Zip(b, default(Subtract));

    /// <summary>a b, elementwise, with broadcasting.</summary>
    public static Var operator *(Var a, Var b) => a.Zip(b, default(Multiply));

    /// <summary>a / b, elementwise, with broadcasting.</summary>
    public static Var operator /(Var a, Var b) => a.Zip(b, default(Divide));

    /// <summary>a + b</summary>
    public static Var operator +(Var a, float b) => a.Map(new Affine(1f, b));

    /// <summary>a + b</summary>
    public static Var operator +(float a, Var b) => b + a;

    /// <summary>a - b</summary>
    public static Var operator -(Var a, float b) => a.Map(new Affine(1f, -b));

    /// <summary>a - b for a constant tensor b.</summary>
    public static Var operator -(Var a, Tensor b) => a - a.Tape.Constant(b);

    /// <summary>a - b for a constant tensor a.</summary>
    public static Var operator -(Tensor a, Var b) => b.Tape.Constant(a) - b;

    /// <summary>a + b for a constant tensor b.</summary>
    public static Var operator +(Var a, Tensor b) => a + a.Tape.Constant(b);

    /// <summary>a b for a constant tensor b.</summary>
    public static Var operator *(Var a, Tensor b) => a * a.Tape.Constant(b);

    /// <summary>a - b</summary>
    public static Var operator -(float a, Var b) => b.Map(new Affine(-1f, a));

    /// <summary>a b</summary>
    public static Var operator *(Var a, float b) => a.Map(new Affine(b, 0f));

    /// <summary>a b</summary>
    public static Var operator *(float a, Var b) => b * a;

    /// <summary>a / b</summary>
    public static Var operator /(Var a, float b) => a.Map(new Affine(1f / b, 0f));

    /// <summary>a / b</summary>
    public static Var operator /(float a, Var b) => b.Tape.Constant(a) / b;

    /// <summary>a / b for a constant tensor b.</summary>
    public static Var operator /(Var a, Tensor b) => a / a.Tape.Constant(b);

    /// <summary>-a</summary>
    public static Var operator -(Var a) => a * -1f;

    /// <inheritdoc/>
    public override string ToString() => $"Var{Shape}";
}
