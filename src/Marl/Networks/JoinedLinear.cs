using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// y = [x_0, x_1, ..] W^T + b, a <see cref="Linear"/> of inputs joined along the last axis, with its names and its initial values, but computed input by
/// input: with W = [W_0, W_1, ..] it is x_0 W_0^T + b + x_1 W_1^T + .., so what many ys have in common is computed once, and of a one-hot input the index is
/// enough, for it picks a column of W.
/// </summary>
internal sealed class JoinedLinear
{
    private readonly ParameterSlice weight, bias;
    private readonly int[] starts;

    /// <summary>Adds its weights to a layout.</summary>
    /// <param name="layout">where to, under the layout's prefix.</param>
    /// <param name="inputs">lengths of the last axes of x_0, x_1, ..</param>
    /// <param name="outputs">length of the last axis of y.</param>
    public JoinedLinear(ParameterLayout layout, ReadOnlySpan<int> inputs, int outputs)
    {
        starts = new int[inputs.Length + 1];
        for (int i = 0; i < inputs.Length; i++)
        {
            starts[i + 1] = starts[i] + inputs[i];
        }
        var uniform = Initializers.UniformFanIn(starts[^1]);
        weight = layout.Add("weight", new Shape(outputs, starts[^1]), uniform);
        bias = layout.Add("bias", new Shape(outputs), uniform);
    }

    /// <summary>x_0 W_0^T + b [.., outputs] from x_0.</summary>
    /// <exception cref="ArgumentException">x_0 does not fit; names both shapes.</exception>
    public Var First(Weights w, Var x) => x.Linear(Columns(w, 0), w[bias]);

    /// <summary>x_i W_i^T [.., outputs] from x_i.</summary>
    /// <exception cref="ArgumentException">x_i does not fit; names both shapes.</exception>
    public Var Part(Weights w, int input, Var x)
    {
        var none = w.Tape.Scratch(bias.Shape);
        w.Tape.Device.Fill(none, 0f);
        return x.Linear(Columns(w, input), w.Tape.Constant(none));
    }

    /// <summary>The same of a one-hot x_i: column index[..] of W_i, [.., outputs].</summary>
    /// <exception cref="ArgumentOutOfRangeException">an index outside of x_i.</exception>
    public Var Part(Weights w, int input, Tensor index) => Columns(w, input).Permute(1, 0).GatherRows(index);

    /// <summary>W_i [outputs, inputs of i]</summary>
    private Var Columns(Weights w, int input) => w[weight].Slice(1, starts[input], starts[input + 1] - starts[input]);
}
