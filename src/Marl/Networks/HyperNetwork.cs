using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A network whose outputs are the weights of another (Ha et al. 2017), as QMIX's mixer uses it: one linear layer named
/// <c>weight, bias</c>, or linear - relu - linear of width <c>embed</c>, named <c>0.weight, 0.bias, 2.weight, 2.bias</c>
/// (PyMARL's hypernet_layers 1 and 2).
/// </summary>
public sealed class HyperNetwork
{
    private readonly Func<Weights, Var, Var> forward;

    /// <summary>Adds its weights to a layout.</summary>
    /// <param name="layout">where to, under the layout's prefix.</param>
    /// <param name="inputs">length of what the weights depend on, such as the state.</param>
    /// <param name="outputs">how many weights it makes.</param>
    /// <param name="embed">width of the hidden layer; 0: there is none.</param>
    public HyperNetwork(ParameterLayout layout, int inputs, int outputs, int embed = 0)
        => forward = embed == 0 ? new Linear(layout, inputs, outputs).Forward : new Mlp(layout, [inputs, embed, outputs]).Forward;

    /// <summary>Weights [.., outputs] from x [.., inputs].</summary>
    /// <exception cref="ArgumentException">x does not fit; names both shapes.</exception>
    public Var Forward(Weights w, Var x) => forward(w, x);
}
