using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>
/// How a recorded op y = f(x0, x1, ..) is differentiated. Both directions are required: an op without a derivative returns
/// <see cref="Tensor"/>, not <see cref="Var"/>. The fields of the implementing struct are the op's constants (16 bytes at most).
/// </summary>
public interface IOp
{
    /// <summary>Reverse mode: adds (dy/dx_i)^T dy to every dx_i that is wanted.</summary>
    void Backward(GradContext p);

    /// <summary>Forward mode: adds sum_i (dy/dx_i) dx_i to dy, over every dx_i that is not none.</summary>
    void Tangent(GradContext p);
}

/// <summary>A recorded op as its derivative sees it: values, and the derivatives that flow through it.</summary>
public readonly ref struct GradContext
{
    private readonly Tape tape;
    private readonly int node;
    private readonly bool forward;

    internal GradContext(Tape tape, int node, bool forward) => (this.tape, this.node, this.forward) = (tape, node, forward);

    /// <summary>The primitives.</summary>
    public Device Device => tape.Device;

    /// <summary>The result.</summary>
    public Tensor Y => tape.Nodes[node].Value;

    /// <summary>Backward: the gradient of the result. Forward: its tangent, to be added to.</summary>
    public Tensor DY => Derivative(node);

    /// <summary>Input i.</summary>
    public Tensor X(int i) => tape.Nodes[Input(i)].Value;

    /// <summary>Backward: the gradient of input i, to be added to; none if nobody wants it. Forward: its tangent; none if it is 0.</summary>
    public Tensor DX(int i)
    {
        if (!forward)
        {
            tape.EnsureGrad(Input(i));
        }
        return Derivative(Input(i));
    }

    /// <summary>Backward, for an op that writes the whole gradient of input i: as <see cref="DX(int)"/>, but where <paramref name="accumulate"/> is
    /// false the gradient holds nothing yet and is to be overwritten.</summary>
    public Tensor DX(int i, out bool accumulate)
    {
        accumulate = tape.ReachWhole(Input(i));
        return Derivative(Input(i));
    }

    /// <summary>Number of inputs.</summary>
    public int Inputs => tape.Nodes[node].InputCount;

    /// <summary>What the op saved for its derivative.</summary>
    public Tensor Saved(int i) => tape.Saved[tape.Nodes[node].FirstSaved + i];

    /// <summary>Working memory of this call, not cleared.</summary>
    public Tensor Scratch(Shape shape) => tape.Scratch(shape);

    /// <summary>Working memory of this call, zeros.</summary>
    public Tensor Zeros(Shape shape)
    {
        var zeros = tape.Scratch(shape);
        Device.Fill(zeros, 0f);
        return zeros;
    }

    private int Input(int i) => tape.Inputs[tape.Nodes[node].FirstInput + i];

    private Tensor Derivative(int index) => forward ? tape.Nodes[index].Tangent : tape.Nodes[index].Gradient;
}

/// <summary>The constants of any op, and a call through which the tape reaches it without knowing its type.</summary>
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
            throw new InvalidOperationException($"{typeof(TOp).Name}: an op's constants take at most {sizeof(Constants)} bytes");
        }
        Constants constants = default;
        Unsafe.WriteUnaligned(ref Unsafe.As<Constants, byte>(ref constants), op);
        return new OpVTable(constants, &CallBackward<TOp>, &CallTangent<TOp>);
    }

    public void Backward(GradContext p) => backward(constants, p);

    public void Tangent(GradContext p) => tangent(constants, p);

    private static void CallBackward<TOp>(in Constants c, GradContext p) where TOp : unmanaged, IOp => c.As<TOp>().Backward(p);

    private static void CallTangent<TOp>(in Constants c, GradContext p) where TOp : unmanaged, IOp => c.As<TOp>().Tangent(p);

    private struct Constants
    {
        private ulong first, second;

        public readonly TOp As<TOp>() where TOp : unmanaged
            => Unsafe.ReadUnaligned<TOp>(ref Unsafe.As<ulong, byte>(ref Unsafe.AsRef(in first)));
    }
}
