using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A critic with one row per agent: an input, hidden layers and a linear head. State values have one output; action values have one output per action, or one
/// output with the action in the input. A recurrent critic is unrolled over the rows; its state is zeros at the beginning of an episode. A segment begins with the
/// state after the segment before it.
/// </summary>
public sealed class Critic
{
    private readonly INetwork network;
    private readonly Linear head;

    /// <summary>Creates the module and adds its parameters to a layout.</summary>
    /// <param name="layout">The layout of the parameters.</param>
    /// <param name="input">The input.</param>
    /// <param name="network">The hidden layers.</param>
    /// <param name="hidden">H, the width of the hidden layers.</param>
    /// <param name="shareParameters">Whether the agents share one critic; otherwise each has its own, computed in one batched product.</param>
    /// <param name="outputs">M, the number of outputs per agent.</param>
    /// <param name="headName">The name of the head; null: <see cref="NetworkOptions.Head"/>.</param>
    public Critic(ParameterLayout layout, NetworkInput input, NetworkOptions network, int hidden, bool shareParameters, int outputs, string? headName = null)
    {
        (Input, Outputs) = (input, outputs);
        int groups = shareParameters ? 0 : input.Agents;
        this.network = network.Create(layout, input.Size, hidden, groups);
        head = new Linear(layout.Scope(headName ?? network.Head), FeatureSize, outputs, groups);
        if (IsRecurrent)
        {
            (StateBefore, StateAfter) = (NewState("before"), NewState("after"));
        }

        Column NewState(string when)
            => new($"{layout.Prefix}{when}", StateSize) { PerAgent = true, PerEpisode = true, Lifetime = ColumnLifetime.Update };
    }

    /// <summary>The input.</summary>
    public NetworkInput Input { get; }

    /// <summary>M, the number of outputs per agent.</summary>
    public int Outputs { get; }

    /// <summary>The length of the features.</summary>
    public int FeatureSize => network.FeatureSize;

    /// <summary>H, the length of an agent's recurrent state; 0 if the network is feed-forward.</summary>
    public int StateSize => network.StateSize;

    /// <summary>Whether the critic has a recurrent state.</summary>
    public bool IsRecurrent => StateSize > 0;

    /// <summary>The columns [N, H] per segment of the recurrent state before its first row and after its last; null if the network is feed-forward.</summary>
    internal Column? StateBefore { get; }

    /// <inheritdoc cref="StateBefore"/>
    internal Column? StateAfter { get; }

    /// <summary>Computes the outputs of all rows of a batch, including the last: [T+1, B, N, M].</summary>
    /// <param name="w">The weights.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="continueMask">[T+1, B, N] or [T+1, B, 1] The mask, see <see cref="INetwork.Forward"/>.</param>
    public Var Forward(Weights w, EpisodeBatch batch, Tensor continueMask = default) => Output(w, Features(w, batch, continueMask));

    /// <summary>Computes the outputs of a range of rows of a batch for actions other than the recorded ones, [T, B, N, M]. Gradients propagate to the
    /// actions.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="row">The first of the T rows; a recurrent state is zeros before it.</param>
    /// <param name="actions">The actions, see <see cref="NetworkInput.Build(Tape, EpisodeBatch, int, int, Var?)"/>.</param>
    public Var Forward(Weights w, EpisodeBatch batch, int row, Var actions) => Forward(w, Input.Build(w.Tape, batch, row, actions.Shape[0], actions));

    /// <summary>Computes the outputs of an input, [T, B, N, M].</summary>
    /// <param name="w">The weights.</param>
    /// <param name="x">The input of T steps of B episodes with N agents.</param>
    /// <param name="state">[B, N, H] The recurrent state before the first step; null: zeros.</param>
    /// <param name="continueMask">[T, B, N] or [T, B, 1] The mask, see <see cref="INetwork.Forward"/>.</param>
    public Var Forward(Weights w, in InputRows x, Var? state = null, Tensor continueMask = default) => Output(w, Features(w, x, state, continueMask).Features);

    /// <summary>Computes the single output of all rows of a batch, including the last: [T+1, B, N].</summary>
    /// <inheritdoc cref="Forward(Weights, EpisodeBatch, Tensor)"/>
    public Var Values(Weights w, EpisodeBatch batch, Tensor continueMask = default)
    {
        var v = Forward(w, batch, continueMask);
        return v.Reshape(v.Shape.Without(-1));
    }

    /// <summary>Computes the features of all rows of a batch, including the last: [T+1, B, N, H]. <see cref="Output"/> and additional heads read
    /// them.</summary>
    /// <inheritdoc cref="Forward(Weights, EpisodeBatch, Tensor)"/>
    public Var Features(Weights w, EpisodeBatch batch, Tensor continueMask = default)
        => Features(w, Input.Build(w.Tape, batch), InitialState(w.Tape, batch), continueMask.IsNone ? batch.ContinueMask : continueMask).Features;

    /// <summary>Computes the features [T, B, N, H] of an input, and the recurrent state after the last step.</summary>
    /// <inheritdoc cref="Forward(Weights, in InputRows, Var?, Tensor)"/>
    public (Var Features, Var State) Features(Weights w, in InputRows x, Var? state, Tensor continueMask = default)
        => network.Forward(w, x, state ?? InitialState(w.Tape, x.Own.Shape), x.MaskPerAgent(continueMask));

    /// <summary>Applies the head to features [.., N, H]: [.., N, M].</summary>
    public Var Output(Weights w, Var features) => head.Forward(w, features);

    /// <summary>Changes the head so that its outputs become scale y + shift, see <see cref="Linear.ScaleOutput"/>.</summary>
    internal void ScaleOutput(Parameters parameters, int group, float scale, float shift) => head.ScaleOutput(parameters, group, scale, shift);

    /// <summary>Returns the recurrent state before the first row [B, N, H]: zeros, or the recorded state of segments.</summary>
    internal Var InitialState(Tape tape, EpisodeBatch batch)
        => batch.IsSegmented && StateBefore is { } column ? tape.Constant(batch[column]) : InitialState(tape, new Shape(1, batch.Count, Input.Agents));

    private Var InitialState(Tape tape, Shape rows)
    {
        var zeros = tape.Scratch(new Shape(rows[1], rows[2], network.StateSize));
        tape.Device.Fill(zeros, 0f);
        return tape.Constant(zeros);
    }
}
