using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A critic with one row per agent, input + hidden layers + a linear head: state values with one output, action values with one output per action or with the action in
/// the input. The recurrent state of one that is recurrent is zeros at the beginning of an episode, and is unrolled over the rows.
/// </summary>
public sealed class Critic
{
    private readonly INetwork network;
    private readonly Linear head;

    /// <summary>Adds its parameters to a layout.</summary>
    /// <param name="layout">the parameters.</param>
    /// <param name="input">what it sees.</param>
    /// <param name="network">its hidden layers.</param>
    /// <param name="hidden">width of the hidden layers.</param>
    /// <param name="shareParameters">whether the agents share one critic; otherwise each has its own, computed in one batched product.</param>
    /// <param name="outputs">M, the number of outputs for each agent.</param>
    /// <param name="headName">name of the head; null: <see cref="NetworkOptions.Head"/>.</param>
    public Critic(ParameterLayout layout, NetworkInput input, NetworkOptions network, int hidden, bool shareParameters, int outputs, string? headName = null)
    {
        (Input, Outputs) = (input, outputs);
        int groups = shareParameters ? 0 : input.Agents;
        this.network = network.Create(layout, input.Size, hidden, groups);
        head = new Linear(layout.Scope(headName ?? network.Head), FeatureSize, outputs, groups);
    }

    /// <summary>What it sees.</summary>
    public NetworkInput Input { get; }

    /// <summary>M, the number of outputs for each agent.</summary>
    public int Outputs { get; }

    /// <summary>Length of the features.</summary>
    public int FeatureSize => network.FeatureSize;

    /// <summary>Whether it has a recurrent state.</summary>
    public bool IsRecurrent => network.StateSize > 0;

    /// <summary>Outputs of all rows of a batch, the last included: [T+1, B, N, M].</summary>
    /// <param name="w">weights.</param>
    /// <param name="batch">what it sees.</param>
    /// <param name="continueMask">[T+1, B, N] or [T+1, B, 1], see <see cref="INetwork.Forward"/>.</param>
    public Var Forward(Weights w, EpisodeBatch batch, Tensor continueMask = default) => Output(w, Features(w, batch, continueMask));

    /// <summary>Outputs of some rows of a batch with other actions than the recorded ones, [T, B, N, M]. The gradient flows into the actions.</summary>
    /// <param name="w">weights.</param>
    /// <param name="batch">what it sees.</param>
    /// <param name="row">the first of the T rows; a recurrent state is zeros before it.</param>
    /// <param name="actions">see <see cref="NetworkInput.Build(Tape, EpisodeBatch, int, int, Var?)"/>.</param>
    public Var Forward(Weights w, EpisodeBatch batch, int row, Var actions) => Forward(w, Input.Build(w.Tape, batch, row, actions.Shape[0], actions));

    /// <summary>Outputs of any input: [T, B, N, M].</summary>
    /// <param name="w">weights.</param>
    /// <param name="x">T steps of B episodes with N agents.</param>
    /// <param name="state">[B, N, H] before the first step; null: zeros.</param>
    /// <param name="continueMask">[T, B, N] or [T, B, 1], see <see cref="INetwork.Forward"/>.</param>
    public Var Forward(Weights w, in InputRows x, Var? state = null, Tensor continueMask = default) => Output(w, Features(w, x, state, continueMask).Features);

    /// <summary>The single output of all rows of a batch, the last included: [T+1, B, N].</summary>
    /// <inheritdoc cref="Forward(Weights, EpisodeBatch, Tensor)"/>
    public Var Values(Weights w, EpisodeBatch batch, Tensor continueMask = default)
    {
        var v = Forward(w, batch, continueMask);
        return v.Reshape(v.Shape.Without(-1));
    }

    /// <summary>Features of all rows of a batch, the last included: [T+1, B, N, H]; <see cref="Output"/> and heads of one's own read them.</summary>
    /// <inheritdoc cref="Forward(Weights, EpisodeBatch, Tensor)"/>
    public Var Features(Weights w, EpisodeBatch batch, Tensor continueMask = default)
        => Features(w, Input.Build(w.Tape, batch), null, continueMask.IsNone ? batch.ContinueMask : continueMask).Features;

    /// <summary>Features [T, B, N, H] of any input, and the state after the last step.</summary>
    /// <inheritdoc cref="Forward(Weights, in InputRows, Var?, Tensor)"/>
    public (Var Features, Var State) Features(Weights w, in InputRows x, Var? state, Tensor continueMask = default)
        => network.Forward(w, x, state ?? InitialState(w.Tape, x.Own.Shape), x.MaskPerAgent(continueMask));

    /// <summary>What the head makes of features [.., N, H]: [.., N, M].</summary>
    public Var Output(Weights w, Var features) => head.Forward(w, features);

    private Var InitialState(Tape tape, Shape rows)
    {
        var zeros = tape.Scratch(new Shape(rows[1], rows[2], network.StateSize));
        tape.Device.Fill(zeros, 0f);
        return tape.Constant(zeros);
    }
}
