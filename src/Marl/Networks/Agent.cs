using System.Text.Json.Serialization;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>The network of agents: its input, its hidden layers, and whether agents share weights.</summary>
public sealed record AgentOptions
{
    /// <summary>The hidden layers.</summary>
    public NetworkOptions Network { get; init; } = new GruNetwork();

    /// <summary>Width of the hidden layers.</summary>
    public int Hidden { get; init; } = 128;

    /// <summary>Whether all agents share weights; otherwise each has its own, computed in one batched product.</summary>
    public bool ShareParameters { get; init; } = true;

    /// <summary>What an agent sees of the environment.</summary>
    public ObservationKind Observation { get; init; }

    /// <summary>Whether an agent sees its last action.</summary>
    public bool LastAction { get; init; }

    /// <summary>Whether an agent sees its index.</summary>
    public bool AgentId { get; init; } = true;

    /// <summary>Whether an agent sees when in training an episode was recorded, see <see cref="Rl.Fingerprint"/>.</summary>
    public bool Fingerprint { get; init; }

    /// <summary>What an agent sees: [observation or state, last action, fingerprint, index], as chosen.</summary>
    internal InputColumn[] Columns => NetworkInput.Columns((Observation == ObservationKind.State ? InputColumn.State : InputColumn.Observation, true),
        (InputColumn.LastAction, LastAction), (InputColumn.Fingerprint, Fingerprint), (InputColumn.AgentId, AgentId));
}

/// <summary>What an agent sees of the environment.</summary>
[JsonConverter(typeof(WordConverter<ObservationKind>))]
public enum ObservationKind
{
    /// <summary>Its observation.</summary>
    Own,
    /// <summary>The state.</summary>
    State,
}

/// <summary>The network of all agents, input + hidden layers + a linear head with one output per action: an action value, a logit, or a continuous action before tanh.</summary>
public sealed class Agent
{
    private readonly INetwork network;
    private readonly Linear head;

    /// <summary>Adds its parameters to a layout.</summary>
    /// <param name="layout">the parameters.</param>
    /// <param name="spec">the environment.</param>
    /// <param name="options">what it is made of.</param>
    /// <exception cref="UsageException">agents are to see the state, and there is none.</exception>
    public Agent(ParameterLayout layout, EnvironmentSpec spec, AgentOptions options)
    {
        if (options.Observation == ObservationKind.State)
        {
            NetworkInput.RequireState(spec, "agents", "use observation=own");
        }
        (Options, Agents, Actions) = (options, spec.Agents.Length, spec.ActionCount);
        Input = new NetworkInput(spec, common: [], own: options.Columns);
        int groups = options.ShareParameters ? 0 : Agents;
        var layers = options.Network is MlpNetwork mlp ? mlp with { LastIsRnn = true } : options.Network;
        network = layers.Create(layout, Input.Size, options.Hidden, groups);
        StateColumn = network.StateSize == 0 ? null : new Column("agentState", network.StateSize) { PerAgent = true, PerEpisode = true, Lifetime = ColumnLifetime.Update };
        head = new Linear(layout.Scope(layers.Head), network.FeatureSize, Actions, groups);
    }

    /// <summary>What it is made of.</summary>
    public AgentOptions Options { get; }

    /// <summary>What it sees.</summary>
    public NetworkInput Input { get; }

    /// <summary>N, the number of agents.</summary>
    public int Agents { get; }

    /// <summary>A, the number of outputs of each.</summary>
    public int Actions { get; }

    /// <summary>Length of the features.</summary>
    public int FeatureSize => network.FeatureSize;

    /// <summary>[N, H] per segment: the state before its first row. None: it carries no state.</summary>
    internal Column? StateColumn { get; }

    /// <summary>Length of an agent's recurrent state; 0: it is feed-forward.</summary>
    public int StateSize => network.StateSize;

    /// <summary>Outputs of all rows of a batch, the last included: [T+1, B, N, A].</summary>
    /// <param name="w">weights.</param>
    /// <param name="batch">what agents see.</param>
    public Var Forward(Weights w, EpisodeBatch batch) => Forward(w, Input.Build(w.Tape, batch), InitialState(w.Tape, batch), batch.ContinueMask).Output;

    /// <summary>Outputs of a sequence.</summary>
    /// <param name="w">weights.</param>
    /// <param name="x">T steps of B episodes, see <see cref="NetworkInput.Build(Tape, EpisodeBatch)"/>.</param>
    /// <param name="state">[B, N, StateSize] before the first step.</param>
    /// <param name="continueMask">[T, B, N] or [T, B, 1], see <see cref="INetwork.Forward"/>.</param>
    /// <returns>outputs [T, B, N, A], features [T, B, N, FeatureSize], and the state after the last step [B, N, StateSize].</returns>
    public (Var Output, Var Features, Var State) Forward(Weights w, in InputRows x, Var state, Tensor continueMask = default)
    {
        var (features, after) = network.Forward(w, x, state, x.MaskPerAgent(continueMask));
        return (head.Forward(w, features), features, after);
    }

    /// <summary>The state before the first row [B, N, StateSize]: zeros, or the state with which segments were played.</summary>
    internal Var InitialState(Tape tape, EpisodeBatch batch)
    {
        if (batch.IsSegmented && StateColumn is { } column)
        {
            return tape.Constant(batch[column]);
        }
        var zeros = tape.Scratch(new Shape(batch.Count, Agents, StateSize));
        tape.Device.Fill(zeros, 0f);
        return tape.Constant(zeros);
    }
}
