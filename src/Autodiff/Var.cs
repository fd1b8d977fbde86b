namespace Marl.Native;

/// <summary>
/// A number with a history: a handle of 16 bytes to a node of a <see cref="Tape"/>. Reading <see cref="Value"/> gives a plain
/// <see cref="Tensor"/> and so stops the gradient: targets are functions Tensor -> Tensor, losses take (Var prediction, Tensor target).
/// </summary>
public readonly struct Var
{
    private readonly Tape? tape;

    internal Var(Tape tape, int index, int stamp) => (this.tape, Index, Stamp) = (tape, index, stamp);

    /// <summary>What recorded it.</summary>
    /// <exception cref="InvalidOperationException">this is a default value, which nothing recorded.</exception>
    public Tape Tape => tape ?? throw new InvalidOperationException("this Var is empty");

    internal int Index { get; }

    internal int Stamp { get; }

    /// <summary>The numbers, without history.</summary>
    /// <exception cref="InvalidOperationException">the step or the scope that it was recorded in has ended.</exception>
    public Tensor Value => Tape.Node(this).Value;

    /// <summary>The lengths of the axes.</summary>
    public Shape Shape => Value.Shape;

    /// <summary>The gradient that the last <see cref="Tape.Backward(Var)"/> left here; none if it did not reach here.</summary>
    public Tensor Gradient => Tape.Node(this).Gradient;

    /// <summary>The tangent that the last <see cref="Tape.PushForward"/> left here; none where it is 0 throughout.</summary>
    public Tensor Tangent => Tape.Node(this).Tangent;

    /// <summary>a + b, broadcasting.</summary>
    public static Var operator +(Var a, Var b) => a.Zip(b, default(Add));

    /// <summary>a - b, broadcasting.</summary>
    public static Var operator -(Var a, Var b) => a.Zip(b, default(Subtract));

    /// <summary>a b element by element, broadcasting.</summary>
    public static Var operator *(Var a, Var b) => a.Zip(b, default(Multiply));

    /// <summary>a / b element by element, broadcasting.</summary>
    public static Var operator /(Var a, Var b) => a.Zip(b, default(Divide));

    /// <summary>a + b</summary>
    public static Var operator +(Var a, float b) => a.Map(new Affine(1f, b));

    /// <summary>a + b</summary>
    public static Var operator +(float a, Var b) => b + a;

    /// <summary>a - b</summary>
    public static Var operator -(Var a, float b) => a.Map(new Affine(1f, -b));

    /// <summary>a - b with a constant tensor.</summary>
    public static Var operator -(Var a, Tensor b) => a - a.Tape.Constant(b);

    /// <summary>a - b with a constant tensor.</summary>
    public static Var operator -(Tensor a, Var b) => b.Tape.Constant(a) - b;

    /// <summary>a + b with a constant tensor.</summary>
    public static Var operator +(Var a, Tensor b) => a + a.Tape.Constant(b);

    /// <summary>a b with a constant tensor.</summary>
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

    /// <summary>a / b with a constant tensor.</summary>
    public static Var operator /(Var a, Tensor b) => a / a.Tape.Constant(b);

    /// <summary>-a</summary>
    public static Var operator -(Var a) => a * -1f;

    /// <inheritdoc/>
    public override string ToString() => $"Var{Shape}";
}
