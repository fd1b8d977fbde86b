namespace Marl.Native.Nn;

/// <summary>A multilayer perceptron: linear layers with an activation between them and none after the last. Its names are those
/// of PyTorch's nn.Sequential, where activations are numbered too: <c>0.weight, 0.bias, 2.weight, 2.bias, ..</c></summary>
public sealed class Mlp
{
    private readonly Linear[] layers;
    private readonly Func<Var, Var>? activation;

    /// <summary>Adds its weights to a layout.</summary>
    /// <param name="layout">where to, under the layout's prefix.</param>
    /// <param name="sizes">inputs, the widths of the hidden layers, outputs.</param>
    /// <param name="activation">between layers; by default <see cref="Ops.Relu"/>.</param>
    /// <param name="groups">N groups of rows with weights of their own; 0: one set of weights for all rows.</param>
    /// <param name="hidden">initializes the weights of all layers but the last, see <see cref="Linear"/>.</param>
    /// <param name="output">initializes the weights of the last layer.</param>
    /// <exception cref="ArgumentException">less than two sizes.</exception>
    public Mlp(ParameterLayout layout, ReadOnlySpan<int> sizes, Func<Var, Var>? activation = null, int groups = 0,
        Initializer? hidden = null, Initializer? output = null)
    {
        if (sizes.Length < 2)
        {
            throw new ArgumentException($"Mlp: {sizes.Length} sizes; inputs and outputs at least are needed");
        }
        this.activation = activation;
        layers = new Linear[sizes.Length - 1];
        for (int i = 0; i < layers.Length; i++)
        {
            var initializer = i < layers.Length - 1 ? hidden : output;
            layers[i] = new Linear(layout.Scope($"{2 * i}"), sizes[i], sizes[i + 1], groups, initializer);
        }
    }

    /// <summary>Length of the last axis of x.</summary>
    public int Inputs => layers[0].Inputs;

    /// <summary>Length of the last axis of y.</summary>
    public int Outputs => layers[^1].Outputs;

    /// <summary>y [.., outputs] from x [.., inputs]; with N copies [.., N, ..] each.</summary>
    /// <exception cref="ArgumentException">x does not fit the weights; names both shapes.</exception>
    public Var Forward(Weights w, Var x)
    {
        for (int i = 0; i < layers.Length - 1; i++)
        {
            x = activation is null ? layers[i].ForwardRelu(w, x) : activation(layers[i].Forward(w, x));
        }
        return layers[^1].Forward(w, x);
    }
}
