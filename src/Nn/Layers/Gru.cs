namespace Marl.Native.Nn;

/// <summary>
/// A gated recurrent unit over a whole sequence (Cho et al. 2014), with the formulas, the names and the gate order r, z, n of
/// PyTorch's nn.GRUCell: <c>weight_ih</c> [3H, in], <c>weight_hh</c> [3H, H], <c>bias_ih</c> [3H], <c>bias_hh</c> [3H]; with N
/// copies an axis [N] in front of each. All begin as <see cref="Initializers.UniformFanIn"/> of H.
/// </summary>
public sealed class Gru
{
    private readonly ParameterSlice weightIh, weightHh, biasIh, biasHh;

    /// <summary>Adds its weights to a layout.</summary>
    /// <param name="layout">where to, under the layout's prefix.</param>
    /// <param name="inputs">length of the last axis of x.</param>
    /// <param name="hidden">H, the size of the state.</param>
    /// <param name="groups">N groups of rows with weights of their own; 0: one set of weights for all rows.</param>
    public Gru(ParameterLayout layout, int inputs, int hidden, int groups = 0)
    {
        (Inputs, Hidden) = (inputs, hidden);
        var uniform = Initializers.UniformFanIn(hidden);
        weightIh = layout.AddGroups("weight_ih", groups, [3 * hidden, inputs], uniform);
        weightHh = layout.AddGroups("weight_hh", groups, [3 * hidden, hidden], uniform);
        biasIh = layout.AddGroups("bias_ih", groups, [3 * hidden], uniform);
        biasHh = layout.AddGroups("bias_hh", groups, [3 * hidden], uniform);
    }

    /// <summary>Length of the last axis of x.</summary>
    public int Inputs { get; }

    /// <summary>H, the size of the state.</summary>
    public int Hidden { get; }

    /// <summary>The states after every step; the last one is y[T - 1].</summary>
    /// <param name="w">its weights.</param>
    /// <param name="x">[T, B, in] or [T, B, N, in]; with copies the latter.</param>
    /// <param name="h0">the state before, [B, H] or [B, N, H].</param>
    /// <param name="keep">[T, B] or [T, B, N]: 0 where a sequence begins, 1 elsewhere; none: 1 everywhere.</param>
    /// <returns>y [T, .., H]</returns>
    /// <exception cref="ArgumentException">the shapes do not fit; names them.</exception>
    public Var Forward(Weights w, Var x, Var h0, Tensor keep = default)
        => x.Gru(h0, w[weightIh], w[weightHh], w[biasIh], w[biasHh], keep);
}
