namespace Marl.Native.Nn;

/// <summary>y = x W^T + b over the last axis, as PyTorch's nn.Linear: x [.., in], <c>weight</c> [out, in], <c>bias</c> [out], y
/// [.., out]. With N copies: x [.., N, in], <c>weight</c> [N, out, in], <c>bias</c> [N, out], y [.., N, out].</summary>
public sealed class Linear
{
    private readonly ParameterSlice weight, bias;

    /// <summary>Adds its weights to a layout.</summary>
    /// <param name="layout">where to, under the layout's prefix.</param>
    /// <param name="inputs">length of the last axis of x.</param>
    /// <param name="outputs">length of the last axis of y.</param>
    /// <param name="groups">N groups of rows with weights of their own; 0: one set of weights for all rows.</param>
    /// <param name="initializer">of the weights, the bias being 0; by default both are
    /// <see cref="Initializers.UniformFanIn"/>.</param>
    public Linear(ParameterLayout layout, int inputs, int outputs, int groups = 0, Initializer? initializer = null)
    {
        (Inputs, Outputs) = (inputs, outputs);
        var uniform = Initializers.UniformFanIn(inputs);
        weight = layout.AddGroups("weight", groups, [outputs, inputs], initializer ?? uniform);
        bias = layout.AddGroups("bias", groups, [outputs], initializer is null ? uniform : Initializers.Constant(0f));
    }

    /// <summary>Length of the last axis of x.</summary>
    public int Inputs { get; }

    /// <summary>Length of the last axis of y.</summary>
    public int Outputs { get; }

    /// <summary>y from x.</summary>
    /// <exception cref="ArgumentException">x does not fit the weights; names both shapes.</exception>
    public Var Forward(Weights w, Var x) => x.Linear(w[weight], w[bias]);

    /// <summary>max(y, 0) from x, in one pass over memory.</summary>
    /// <exception cref="ArgumentException">x does not fit; names both shapes.</exception>
    public Var ForwardRelu(Weights w, Var x) => x.LinearRelu(w[weight], w[bias]);

    /// <summary>max(y, 0) [.., N, out] of rows in groups of N, from what a group has in common, which comes first, and what is each row's own.</summary>
    /// <param name="w">weights.</param>
    /// <param name="common">[.., in common]</param>
    /// <param name="own">[.., N, in of its own]</param>
    /// <exception cref="ArgumentException">the inputs do not fit; names all shapes.</exception>
    public Var ForwardRelu(Weights w, Var common, Var own) => own.LinearRelu(common, w[weight], w[bias]);
}
