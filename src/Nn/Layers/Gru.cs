namespace Marl.Native.Nn;

/// <summary>
/// A gated recurrent unit over a sequence (Cho et al. 2014), with the formulas, names and gate order r, z, n of PyTorch's nn.GRUCell: <c>weight_ih</c> [3H,
/// in], <c>weight_hh</c> [3H, H], <c>bias_ih</c> [3H], <c>bias_hh</c> [3H]; with N groups each has a leading axis [N]. All are initialized by
/// <see cref="Initializers.UniformFanIn"/> of H.
/// </summary>
/// <example>
/// <code>
/// var layout = new ParameterLayout();
/// var gru = new Gru(layout, inputs: 4, hidden: 32);
/// var parameters = new Parameters(layout).Initialize(new Rng(1));
/// var tape = new Tape();
/// using (tape.Step())
/// {
///     Tensor x = Tensor.Zeros(10, 16, 4), h0 = Tensor.Zeros(16, 32);   // 10 steps, a batch of 16
///     Var states = gru.Forward(tape.Bind(parameters), tape.Constant(x), tape.Constant(h0));   // [10, 16, 32]
/// }
/// </code>
/// </example>
public sealed class Gru
{
    private readonly ParameterSlice weightIh, weightHh, biasIh, biasHh;

    /// <summary>Creates a unit and adds its weights to a layout.</summary>
    /// <param name="layout">The layout.</param>
    /// <param name="inputs">The length of the last axis of x.</param>
    /// <param name="hidden">H, the size of the state.</param>
    /// <param name="groups">The number N of groups of rows with their own weights; 0: one set of weights for all rows.</param>
    public Gru(ParameterLayout layout, int inputs, int hidden, int groups = 0)
    {
        (Inputs, Hidden) = (inputs, hidden);
        var uniform = Initializers.UniformFanIn(hidden);
        weightIh = layout.AddGroups("weight_ih", groups, [3 * hidden, inputs], uniform);
        weightHh = layout.AddGroups("weight_hh", groups, [3 * hidden, hidden], uniform);
        biasIh = layout.AddGroups("bias_ih", groups, [3 * hidden], uniform);
        biasHh = layout.AddGroups("bias_hh", groups, [3 * hidden], uniform);
    }

    /// <summary>The length of the last axis of x.</summary>
    public int Inputs { get; }

    /// <summary>H, the size of the state.</summary>
    public int Hidden { get; }

    /// <summary>Computes the state after every step; the last one is y[T - 1].</summary>
    /// <param name="w">The weights.</param>
    /// <param name="x">[T, B, in] or [T, B, N, in] the inputs; with groups the latter.</param>
    /// <param name="h0">[B, H] or [B, N, H] the initial state.</param>
    /// <param name="continueMask">[T, B] or [T, B, N] 0 where a sequence begins and 1 elsewhere; none: 1 everywhere.</param>
    /// <returns>y [T, .., H].</returns>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    public Var Forward(Weights w, Var x, Var h0, Tensor continueMask = default)
        => x.Gru(h0, w[weightIh], w[weightHh], w[biasIh], w[biasHh], continueMask);
}
