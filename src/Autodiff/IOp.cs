using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>
/// The derivatives of a recorded operation y = f(x0, x1, ..). Both modes are required; an operation without a derivative returns a <see cref="Tensor"/> instead
/// of a <see cref="Var"/>. The fields of the implementing struct are constants of the operation, at most 16 bytes.
/// </summary>
public interface IOp
{
    /// <summary>Reverse mode: adds (dy/dx_i)^T dy to every dx_i that is not none.</summary>
    void Backward(GradContext context);

    /// <summary>Forward mode: adds sum_i (dy/dx_i) dx_i to dy, over every dx_i that is not none.</summary>
    void Tangent(GradContext context);
}

/// <summary>The values and derivatives of a recorded operation, as its <see cref="IOp"/> sees them.</summary>
public readonly ref struct GradContext
{
    private readonly Tape tape;
    private readonly int node;
    private readonly bool forward;

    internal GradContext(Tape tape, int node, bool forward) => (this.tape, this.node, this.forward) = (tape, node, forward);

    /// <summary>The device that computes.</summary>
    public Device Device => tape.Device;

    /// <summary>The result.</summary>
    public Tensor Y => tape.Nodes[node].Value;

    /// <summary>Reverse mode: the gradient of the result. Forward mode: its tangent, to be added to.</summary>
    public Tensor DY => Derivative(node);

    /// <summary>Input i.</summary>
    public Tensor X(int i) => tape.Nodes[Input(i)].Value;

    /// <summary>
    /// Reverse mode: the gradient of input i, to be added to; none if it is not required. Forward mode: the tangent of input i; none if it is 0.
    /// </summary>
    public Tensor DX(int i)
    {
        if (!forward)
        {
            tape.EnsureGrad(Input(i));
        }
        return Derivative(Input(i));
    }

    /// <summary>
    /// Reverse mode, for an operation that writes the whole gradient of input i: like <see cref="DX(int)"/>, but the gradient is uninitialized and must be
    /// overwritten where <paramref name="accumulate"/> is false.
    /// </summary>
    public Tensor DX(int i, out bool accumulate)
    {
        accumulate = tape.PrepareGrad(Input(i));
        return Derivative(Input(i));
    }

    /// <summary>The number of inputs.</summary>
    public int Inputs => tape.Nodes[node].InputCount;

    /// <summary>Tensor i of those that the operation saved.</summary>
    public Tensor Saved(int i) => tape.Saved[tape.Nodes[node].FirstSaved + i];

    /// <summary>Allocates uninitialized working memory for this call.</summary>
    public Tensor Scratch(Shape shape) => tape.Scratch(shape);

    /// <summary>Allocates working memory for this call, cleared.</summary>
    public Tensor Zeros(Shape shape)
    {
        var zeros = tape.Scratch(shape);
        Device.Fill(zeros, 0f);
        return zeros;
    }

    private int Input(int i) => tape.Inputs[tape.Nodes[node].FirstInput + i];

    private Tensor Derivative(int index) => forward ? tape.Nodes[index].Tangent : tape.Nodes[index].Gradient;
}

/// <summary>The constants of an operation and pointers to its derivatives, without its type.</summary>
internal unsafe readonly struct OpVTable
{
    private readonly Constants constants;
    private readonly delegate*<in Constants, GradContext, void> backward, tangent;

    private OpVTable(Constants constants, delegate*<in Constants, GradContext, void> backward, delegate*<in Constants, GradContext, void> tangent)
    {
        this.constants = constants;
        this.backward = backward;
        this.tangent = tangent;
    }

    public bool IsNone => backward is null;

    public static OpVTable Of<TOp>(TOp op) where TOp : unmanaged, IOp
    {
        if (sizeof(TOp) > sizeof(Constants))
        {
            throw new InvalidOperationException($"{typeof(TOp).Name}: the constants of an operation take at most {sizeof(Constants)} bytes");
        }
        Constants constants = default;
        Unsafe.WriteUnaligned(ref Unsafe.As<Constants, byte>(ref constants), op);
        return new OpVTable(constants, &CallBackward<TOp>, &CallTangent<TOp>);
    }

    public void Backward(GradContext context) => backward(constants, context);

    public void Tangent(GradContext context) => tangent(constants, context);

    private static void CallBackward<TOp>(in Constants c, GradContext context) where TOp : unmanaged, IOp => c.As<TOp>().Backward(context);

    private static void CallTangent<TOp>(in Constants c, GradContext context) where TOp : unmanaged, IOp => c.As<TOp>().Tangent(context);

    private struct Constants
    {
        private ulong first, second;

        public readonly TOp As<TOp>() where TOp : unmanaged
            => Unsafe.ReadUnaligned<TOp>(ref Unsafe.As<ulong, byte>(ref Unsafe.AsRef(in first)));
    }
}
