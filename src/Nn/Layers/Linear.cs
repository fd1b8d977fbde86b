namespace Marl.Native.Nn;

/// <summary>
/// A linear layer over the last axis, y = x W^T + b, as PyTorch's nn.Linear: x [.., in], <c>weight</c> [out, in], <c>bias</c> [out], y [.., out]. With N
/// groups: x [.., N, in], <c>weight</c> [N, out, in], <c>bias</c> [N, out], y [.., N, out].
/// </summary>
/// <example>
/// <code>
/// var layout = new ParameterLayout();
/// var layer = new Linear(layout, inputs: 4, outputs: 2);
/// var parameters = new Parameters(layout).Initialize(new Rng(1));
/// var tape = new Tape();
/// using (tape.Step())
/// {
///     Var y = layer.ForwardRelu(tape.Bind(parameters), tape.Constant(Tensor.Zeros(16, 4)));   // [16, 2]
/// }
/// </code>
/// </example>
public sealed class Linear
{
    private readonly ParameterSlice weight, bias;

    /// <summary>Creates a layer and adds its weights to a layout.</summary>
    /// <param name="layout">The layout.</param>
    /// <param name="inputs">The length of the last axis of x.</param>
    /// <param name="outputs">The length of the last axis of y.</param>
    /// <param name="groups">The number N of groups of rows with their own weights; 0: one set of weights for all rows.</param>
    /// <param name="initializer">Initializes the weights, with a bias of 0; by default both are <see cref="Initializers.UniformFanIn"/>.</param>
    public Linear(ParameterLayout layout, int inputs, int outputs, int groups = 0, Initializer? initializer = null)
    {
        (Inputs, Outputs) = (inputs, outputs);
        var uniform = Initializers.UniformFanIn(inputs);
        weight = layout.AddGroups("weight", groups, [outputs, inputs], initializer ?? uniform);
        bias = layout.AddGroups("bias", groups, [outputs], initializer is null ? uniform : Initializers.Constant(0f));
    }

    /// <summary>The length of the last axis of x.</summary>
    public int Inputs { get; }

    /// <summary>The length of the last axis of y.</summary>
    public int Outputs { get; }

    /// <summary>Changes the weights so that the layer computes scale y + shift in place of y.</summary>
    /// <param name="parameters">The weights.</param>
    /// <param name="group">The group of weights to change; 0 without groups.</param>
    /// <param name="scale">The factor.</param>
    /// <param name="shift">The summand.</param>
    public void ScaleOutput(Parameters parameters, int group, float scale, float shift)
    {
        Tensor w = parameters[weight], b = parameters[bias];
        if (b.Shape.Rank == 2)
        {
            (w, b) = (w[group], b[group]);
        }
        w.Device.Map(new Affine(scale, 0f), w, w);
        b.Device.Map(new Affine(scale, shift), b, b);
    }

    /// <summary>Computes y.</summary>
    /// <exception cref="ArgumentException">x does not match the weights.</exception>
    public Var Forward(Weights w, Var x) => x.Linear(w[weight], w[bias]);

    /// <summary>Computes max(y, 0) in one pass over memory.</summary>
    /// <exception cref="ArgumentException">x does not match the weights.</exception>
    public Var ForwardRelu(Weights w, Var x) => x.LinearRelu(w[weight], w[bias]);

    /// <summary>Computes max(y, 0) [.., N, out] for N rows that share their first inputs, without copying these.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="shared">[.., shared inputs] the inputs that N rows share.</param>
    /// <param name="own">[.., N, own inputs] the inputs of each row.</param>
    /// <exception cref="ArgumentException">The inputs do not match the weights.</exception>
    public Var ForwardRelu(Weights w, Var shared, Var own) => own.LinearRelu(shared, w[weight], w[bias]);
}
