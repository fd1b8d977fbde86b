namespace Marl.Native.Nn;

/// <summary>
/// A multilayer perceptron: linear layers with an activation function between them and none after the last. The names of the weights are those of PyTorch's
/// nn.Sequential, which numbers activations too: <c>0.weight, 0.bias, 2.weight, 2.bias, ..</c>
/// </summary>
/// <example>
/// <code>
/// var layout = new ParameterLayout();
/// var network = new Mlp(layout, [4, 64, 64, 2], activation: Ops.Tanh);
/// var parameters = new Parameters(layout).Initialize(new Rng(1));
/// var tape = new Tape();
/// using (tape.Step())
/// {
///     Var y = network.Forward(tape.Bind(parameters), tape.Constant(Tensor.Zeros(16, 4)));   // [16, 2]
/// }
/// </code>
/// </example>
public sealed class Mlp
{
    private readonly Linear[] layers;
    private readonly Func<Var, Var>? activation;

    /// <summary>Creates the layers and adds their weights to a layout.</summary>
    /// <param name="layout">The layout.</param>
    /// <param name="sizes">The number of inputs, the widths of the hidden layers, and the number of outputs.</param>
    /// <param name="activation">The activation function; by default <see cref="Ops.Relu"/>.</param>
    /// <param name="groups">The number N of groups of rows with their own weights; 0: one set of weights for all rows.</param>
    /// <param name="hidden">Initializes the weights of all layers but the last, see <see cref="Linear"/>.</param>
    /// <param name="output">Initializes the weights of the last layer.</param>
    /// <exception cref="ArgumentException">Fewer than two sizes.</exception>
    public Mlp(ParameterLayout layout, ReadOnlySpan<int> sizes, Func<Var, Var>? activation = null, int groups = 0,
        Initializer? hidden = null, Initializer? output = null)
    {
        if (sizes.Length < 2)
        {
            throw new ArgumentException($"Mlp: {sizes.Length} sizes; at least the number of inputs and of outputs are required");
        }
        this.activation = activation;
        layers = new Linear[sizes.Length - 1];
        for (int i = 0; i < layers.Length; i++)
        {
            var initializer = i < layers.Length - 1 ? hidden : output;
            layers[i] = new Linear(layout.Scope($"{2 * i}"), sizes[i], sizes[i + 1], groups, initializer);
        }
    }

    /// <summary>The length of the last axis of x.</summary>
    public int Inputs => layers[0].Inputs;

    /// <summary>The length of the last axis of y.</summary>
    public int Outputs => layers[^1].Outputs;

    /// <summary>Computes y [.., outputs] from x [.., inputs], or y [.., N, outputs] from x [.., N, inputs].</summary>
    /// <exception cref="ArgumentException">x does not match the weights.</exception>
    public Var Forward(Weights w, Var x)
    {
        for (int i = 0; i < layers.Length - 1; i++)
        {
            x = activation is null ? layers[i].ForwardRelu(w, x) : activation(layers[i].Forward(w, x));
        }
        return layers[^1].Forward(w, x);
    }
}
