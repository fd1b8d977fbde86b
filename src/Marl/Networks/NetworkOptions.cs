using System.Text.Json.Serialization;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The options of the hidden layers of an agent or a critic, which map an input to features; linear heads map features to outputs. A user-defined network is
/// a record that derives from this type; <see cref="Create"/> adds its layers to a layout.
/// </summary>
/// <example>
/// One hidden layer with tanh, for <c>new QmixOptions { Agent = new TanhNetwork() }</c>:
/// <code>
/// public sealed record TanhNetwork : NetworkOptions
/// {
///     public override INetwork Create(ParameterLayout layout, int inputs, int hidden, int groups)
///         => new Module(new Linear(layout.Scope("fc1"), inputs, hidden, groups), hidden);
///
///     private sealed class Module(Linear layer, int hidden) : INetwork
///     {
///         public int FeatureSize => hidden;
///         public int StateSize => 0;
///         public (Var Features, Var State) Forward(Weights w, in InputRows x, Var state, Tensor continueMask = default)
///             => (layer.Forward(w, x.Concatenated()).Tanh(), state);
///     }
/// }
/// </code>
/// </example>
[JsonPolymorphic(TypeDiscriminatorPropertyName = Parts.Discriminator)]
[JsonDerivedType(typeof(GruNetwork), "gru")]
[JsonDerivedType(typeof(MlpNetwork), "mlp")]
public abstract record NetworkOptions
{
    /// <summary>Creates the network and adds its parameters to a layout.</summary>
    /// <param name="layout">The layout of the parameters; the head, named <see cref="Head"/>, is added afterwards.</param>
    /// <param name="inputs">F, the length of the input.</param>
    /// <param name="hidden">H, the width of the hidden layers.</param>
    /// <param name="groups">N if every agent has its own parameters; 0 if all agents share parameters. See <see cref="Linear"/>.</param>
    public abstract INetwork Create(ParameterLayout layout, int inputs, int hidden, int groups);

    /// <summary>Checks the ranges of the options.</summary>
    /// <exception cref="UsageException">An option is out of range; the message names it and its range.</exception>
    public virtual void Validate()
    {
    }

    /// <summary>The parameter name of the linear head.</summary>
    public virtual string Head => "head";
}

/// <summary>Hidden layers, created by <see cref="NetworkOptions"/>. A pure function of weights and inputs; an instance may be used by several
/// threads.</summary>
public interface INetwork
{
    /// <summary>The length of the features.</summary>
    int FeatureSize { get; }

    /// <summary>The length of the recurrent state; 0 if the network is feed-forward.</summary>
    int StateSize { get; }

    /// <summary>Computes the features of a sequence.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="x">The input of T steps of B episodes with N agents.</param>
    /// <param name="state">[B, N, StateSize] The recurrent state before the first step.</param>
    /// <param name="continueMask">[T, B, N] 0 in the first row of an episode, before which the state is reset to zeros, else 1; none: 1 for all rows.</param>
    /// <returns>The features [T, B, N, FeatureSize], and the recurrent state after the last step [B, N, StateSize].</returns>
    (Var Features, Var State) Forward(Weights w, in InputRows x, Var state, Tensor continueMask = default);
}

/// <summary>A multilayer perceptron: linear layers fc1, fc2, .., each followed by ReLU.</summary>
public sealed record MlpNetwork : NetworkOptions
{
    /// <summary>The number of layers.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Whether every ReLU is followed by layer normalization (Ba et al. 2016), as in MAPPO (Yu et al. 2022).</summary>
    public bool LayerNorm { get; init; }

    /// <summary>Whether the last layer is named rnn, as in PyMARL's agents, where it replaces the recurrent layer.</summary>
    internal bool LastIsRnn { get; init; }

    /// <inheritdoc/>
    public override string Head => $"fc{(LastIsRnn ? Layers : Layers + 1)}";

    /// <inheritdoc/>
    public override INetwork Create(ParameterLayout layout, int inputs, int hidden, int groups) => new Module(this, layout, inputs, hidden, groups);

    /// <inheritdoc/>
    public override void Validate() => UsageException.Require(Layers is >= 1 and <= 64, Layers, "in 1 .. 64");

    private sealed class Module(MlpNetwork options, ParameterLayout layout, int inputs, int hidden, int groups) : INetwork
    {
        private readonly LinearLayers layers = new(layout, inputs, hidden, options.Layers, options.LayerNorm, groups, options.LastIsRnn);

        public int FeatureSize => hidden;

        public int StateSize => 0;

        public (Var Features, Var State) Forward(Weights w, in InputRows x, Var state, Tensor continueMask) => (layers.Forward(w, x), state);
    }
}

/// <summary>Linear layers fc1, .., each followed by ReLU, and a gated recurrent unit rnn, as in PyMARL (Samvelyan et al. 2019).</summary>
public sealed record GruNetwork : NetworkOptions
{
    /// <summary>The number of linear layers before the recurrent layer.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>Whether every ReLU and the recurrent layer are followed by layer normalization (Ba et al. 2016), as in MAPPO (Yu et al. 2022). The recurrent
    /// state is not normalized.</summary>
    public bool LayerNorm { get; init; }

    /// <inheritdoc/>
    public override string Head => $"fc{Layers + 1}";

    /// <inheritdoc/>
    public override INetwork Create(ParameterLayout layout, int inputs, int hidden, int groups) => new Module(this, layout, inputs, hidden, groups);

    /// <inheritdoc/>
    public override void Validate() => UsageException.Require(Layers is >= 0 and <= 64, Layers, "in 0 .. 64");

    private sealed class Module(GruNetwork options, ParameterLayout layout, int inputs, int hidden, int groups) : INetwork
    {
        private readonly LinearLayers layers = new(layout, inputs, hidden, options.Layers, options.LayerNorm, groups);
        private readonly Gru gru = new(layout.Scope("rnn"), options.Layers == 0 ? inputs : hidden, hidden, groups);
        private readonly LayerNorm? norm = options.LayerNorm ? new LayerNorm(layout.Scope("rnn").Scope("norm"), hidden, groups) : null;

        public int FeatureSize => hidden;

        public int StateSize => hidden;

        public (Var Features, Var State) Forward(Weights w, in InputRows x, Var state, Tensor continueMask)
        {
            var y = gru.Forward(w, layers.Forward(w, x), state, continueMask);
            return (norm is null ? y : norm.Forward(w, y), y.Slice(0, y.Shape[0] - 1, 1).Reshape(state.Shape));
        }
    }
}

/// <summary>Linear layers fc1, fc2, .., each followed by ReLU and optionally by layer normalization.</summary>
internal sealed class LinearLayers
{
    private readonly Linear[] layers;
    private readonly LayerNorm?[] norms;

    public LinearLayers(ParameterLayout layout, int inputs, int hidden, int count, bool layerNorm, int groups, bool lastIsRnn = false)
    {
        (layers, norms) = (new Linear[count], new LayerNorm?[count]);
        for (int i = 0; i < count; i++)
        {
            var scope = layout.Scope(lastIsRnn && i == count - 1 ? "rnn" : $"fc{i + 1}");
            layers[i] = new Linear(scope, i == 0 ? inputs : hidden, hidden, groups);
            norms[i] = layerNorm ? new LayerNorm(scope.Scope("norm"), hidden, groups) : null;
        }
    }

    /// <summary>Applies the layers, [T, B, N, H]; returns the input if there are none.</summary>
    public Var Forward(Weights w, in InputRows x)
    {
        if (layers.Length == 0)
        {
            return x.Concatenated();
        }
        var y = Normalized(w, 0, x.LinearRelu(w, layers[0]));
        for (int i = 1; i < layers.Length; i++)
        {
            y = Normalized(w, i, layers[i].ForwardRelu(w, y));
        }
        return y;
    }

    private Var Normalized(Weights w, int layer, Var y) => norms[layer] is { } norm ? norm.Forward(w, y) : y;
}
