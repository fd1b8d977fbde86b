using System.Text.Json.Serialization;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The hidden layers of an agent or a critic: from an input to features, of which linear heads make the outputs. A network of one's own is a record derived from this
/// one, whose <see cref="Create"/> adds its layers to a layout.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = Parts.Discriminator)]
[JsonDerivedType(typeof(GruNetwork), "gru")]
[JsonDerivedType(typeof(MlpNetwork), "mlp")]
public abstract record NetworkOptions
{
    /// <summary>Adds the layers to a layout.</summary>
    /// <param name="layout">the parameters; the head follows under the name <see cref="Head"/>.</param>
    /// <param name="inputs">F, the length of the input.</param>
    /// <param name="hidden">H, the width of the hidden layers.</param>
    /// <param name="groups">N: every agent has weights of its own; 0: all agents share theirs. See <see cref="Linear"/>.</param>
    public abstract INetwork Create(ParameterLayout layout, int inputs, int hidden, int groups);

    /// <summary>Refuses sizes that cannot be.</summary>
    /// <exception cref="UsageException">names the option and its range.</exception>
    public virtual void Validate()
    {
    }

    /// <summary>The name of the linear layer after these layers.</summary>
    public virtual string Head => "head";
}

/// <summary>The hidden layers that a <see cref="NetworkOptions"/> creates. A pure function of weights and input; one instance may be used by several threads.</summary>
public interface INetwork
{
    /// <summary>Length of the features.</summary>
    int FeatureSize { get; }

    /// <summary>Length of the recurrent state; 0: the network is feed-forward.</summary>
    int StateSize { get; }

    /// <summary>Features of a sequence.</summary>
    /// <param name="w">weights.</param>
    /// <param name="x">T steps of B episodes with N agents.</param>
    /// <param name="state">[B, N, StateSize] before the first step.</param>
    /// <param name="continueMask">[T, B, N]: 0 where an episode begins, so that the state before is reset to zeros, else 1; none: 1 everywhere.</param>
    /// <returns>features [T, B, N, FeatureSize], and the state after the last step.</returns>
    (Var Features, Var State) Forward(Weights w, in InputRows x, Var state, Tensor continueMask = default);
}

/// <summary>Linear layers, each followed by ReLU: parameters fc1, fc2, ..</summary>
public sealed record MlpNetwork : NetworkOptions
{
    /// <summary>Number of layers.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Whether layer normalization (Ba et al. 2016) follows every ReLU, as in MAPPO (Yu et al. 2022).</summary>
    public bool LayerNorm { get; init; }

    /// <summary>Whether the last layer has the name of the recurrent one, rnn, which it replaces in PyMARL's agents.</summary>
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

/// <summary>Linear layers, each followed by ReLU, and a gated recurrent unit: parameters fc1, .., rnn. As in PyMARL (Samvelyan et al. 2019).</summary>
public sealed record GruNetwork : NetworkOptions
{
    /// <summary>Number of layers before the recurrent one; 0: it reads the input.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>Whether layer normalization (Ba et al. 2016) follows every ReLU and the recurrent layer, as in MAPPO (Yu et al. 2022). The state itself is not
    /// normalized.</summary>
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

/// <summary>fc1, fc2, .., each followed by ReLU, and by layer normalization if asked for.</summary>
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

    /// <summary>[T, B, N, H]; without layers the input.</summary>
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
