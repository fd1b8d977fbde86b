using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// y = [x_0, x_1, ..] W^T + b, a <see cref="Linear"/> layer of concatenated inputs, with its parameter names and initialization, but computed for each input
/// separately: with W = [W_0, W_1, ..], y = x_0 W_0^T + b + x_1 W_1^T + ... Terms that several y have in common are computed once; a one-hot input is given
/// by its index, which selects a column of W.
/// </summary>
internal sealed class JoinedLinear
{
    private readonly ParameterSlice weight, bias;
    private readonly int[] starts;

    /// <summary>Creates the layer and adds its parameters to a layout.</summary>
    /// <param name="layout">The layout of the parameters.</param>
    /// <param name="inputs">The lengths of the last axes of x_0, x_1, ..</param>
    /// <param name="outputs">The length of the last axis of y.</param>
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

    /// <summary>Computes x_0 W_0^T + b [.., outputs].</summary>
    /// <exception cref="ArgumentException">The shape of x_0 does not match.</exception>
    public Var First(Weights w, Var x) => x.Linear(Columns(w, 0), w[bias]);

    /// <summary>Computes x_i W_i^T [.., outputs].</summary>
    /// <exception cref="ArgumentException">The shape of x_i does not match.</exception>
    public Var Part(Weights w, int input, Var x)
    {
        var zeros = w.Tape.Scratch(bias.Shape);
        w.Tape.Device.Fill(zeros, 0f);
        return x.Linear(Columns(w, input), w.Tape.Constant(zeros));
    }

    /// <summary>Computes x_i W_i^T [.., outputs] of a one-hot x_i: the column index[..] of W_i.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is out of range.</exception>
    public Var Part(Weights w, int input, Tensor index) => Columns(w, input).Permute(1, 0).GatherRows(index);

    /// <summary>Returns W_i [outputs, inputs of i].</summary>
    private Var Columns(Weights w, int input) => w[weight].Slice(1, starts[input], starts[input + 1] - starts[input]);
}
