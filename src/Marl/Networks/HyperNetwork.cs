using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A network whose outputs are the weights of another network (Ha et al. 2017), as in QMIX: one linear layer with the parameters
/// <c>weight, bias</c>, or linear - ReLU - linear of width <c>embed</c> with the parameters <c>0.weight, 0.bias, 2.weight, 2.bias</c>
/// (PyMARL's hypernet_layers 1 and 2).
/// </summary>
public sealed class HyperNetwork
{
    private readonly Func<Weights, Var, Var> forward;

    /// <summary>Creates the network and adds its parameters to a layout.</summary>
    /// <param name="layout">The layout of the parameters.</param>
    /// <param name="inputs">The length of the input, such as the state.</param>
    /// <param name="outputs">The number of generated weights.</param>
    /// <param name="embed">The width of the hidden layer; 0: there is none.</param>
    public HyperNetwork(ParameterLayout layout, int inputs, int outputs, int embed = 0)
        => forward = embed == 0 ? new Linear(layout, inputs, outputs).Forward : new Mlp(layout, [inputs, embed, outputs]).Forward;

    /// <summary>Computes weights [.., outputs] from x [.., inputs].</summary>
    /// <exception cref="ArgumentException">The shape of x does not match.</exception>
    public Var Forward(Weights w, Var x) => forward(w, x);
}
