using System.Text.Json.Serialization;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>The options of the agents' networks: input, hidden layers, and parameter sharing.</summary>
public sealed record AgentOptions
{
    /// <summary>The hidden layers.</summary>
    public NetworkOptions Network { get; init; } = new GruNetwork();

    /// <summary>The width of the hidden layers.</summary>
    public int Hidden { get; init; } = 128;

    /// <summary>Whether all agents share parameters; otherwise each has its own, computed in one batched product.</summary>
    public bool ShareParameters { get; init; } = true;

    /// <summary>The input from the environment: the agent's observation or the state.</summary>
    public ObservationKind Observation { get; init; }

    /// <summary>Whether the input has the agent's last action.</summary>
    public bool LastAction { get; init; }

    /// <summary>Whether the input has the agent's index.</summary>
    public bool AgentId { get; init; } = true;

    /// <summary>Whether the input has the <see cref="Rl.Fingerprint"/> of the episode.</summary>
    public bool Fingerprint { get; init; }

    /// <summary>The columns of the input: [observation or state, last action, fingerprint, index], as selected.</summary>
    internal InputColumn[] Columns => NetworkInput.Columns((Observation == ObservationKind.State ? InputColumn.State : InputColumn.Observation, true),
        (InputColumn.LastAction, LastAction), (InputColumn.Fingerprint, Fingerprint), (InputColumn.AgentId, AgentId));
}

/// <summary>The input of an agent from the environment.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<ObservationKind>))]
public enum ObservationKind
{
    /// <summary>The agent's observation.</summary>
    Own,
    /// <summary>The global state.</summary>
    State,
}

/// <summary>The network of all agents: an input, hidden layers and a linear head with one output per choice and per element of a continuous action: an action
/// value, a logit, or the element before tanh.</summary>
public sealed class Agent
{
    private readonly INetwork network;
    private readonly Linear head;

    /// <summary>Creates the module and adds its parameters to a layout.</summary>
    /// <param name="layout">The layout of the parameters.</param>
    /// <param name="spec">The specification of the environment.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="UsageException">The input is the state, and the environment has none.</exception>
    public Agent(ParameterLayout layout, EnvironmentSpec spec, AgentOptions options)
    {
        if (options.Observation == ObservationKind.State)
        {
            NetworkInput.RequireState(spec, "agents", "use observation=own");
        }
        (Options, Agents, Layout) = (options, spec.Agents.Length, spec.ActionLayout);
        Input = new NetworkInput(spec, common: [], own: options.Columns);
        int groups = options.ShareParameters ? 0 : Agents;
        var layers = options.Network is MlpNetwork mlp ? mlp with { LastIsRnn = true } : options.Network;
        network = layers.Create(layout, Input.Size, options.Hidden, groups);
        StateColumn = network.StateSize == 0 ? null
            : new Column("agentState", network.StateSize) { PerAgent = true, PerEpisode = true, Lifetime = ColumnLifetime.Update };
        head = new Linear(layout.Scope(layers.Head), network.FeatureSize, Actions, groups);
    }

    /// <summary>The options.</summary>
    public AgentOptions Options { get; }

    /// <summary>The input.</summary>
    public NetworkInput Input { get; }

    /// <summary>N, the number of agents.</summary>
    public int Agents { get; }

    /// <summary>The layout of the outputs of an agent.</summary>
    internal ActionLayout Layout { get; }

    /// <summary>A, the number of outputs per agent.</summary>
    public int Actions => Layout.Size;

    /// <summary>The length of the features.</summary>
    public int FeatureSize => network.FeatureSize;

    /// <summary>The column [N, H] per segment of the recurrent state before its first row; null if the network is feed-forward.</summary>
    internal Column? StateColumn { get; }

    /// <summary>H, the length of an agent's recurrent state; 0 if the network is feed-forward.</summary>
    public int StateSize => network.StateSize;

    /// <summary>Computes the outputs of all rows of a batch, including the last: [T+1, B, N, A].</summary>
    /// <param name="w">The weights.</param>
    /// <param name="batch">The batch.</param>
    public Var Forward(Weights w, EpisodeBatch batch) => Forward(w, Input.Build(w.Tape, batch), InitialState(w.Tape, batch), batch.ContinueMask).Output;

    /// <summary>Computes the outputs of a sequence.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="x">The input of T steps of B episodes, see <see cref="NetworkInput.Build(Tape, EpisodeBatch)"/>.</param>
    /// <param name="state">[B, N, H] The recurrent state before the first step.</param>
    /// <param name="continueMask">[T, B, N] or [T, B, 1] The mask, see <see cref="INetwork.Forward"/>.</param>
    /// <returns>The outputs [T, B, N, A], the features [T, B, N, FeatureSize], and the recurrent state after the last step [B, N, H].</returns>
    public (Var Output, Var Features, Var State) Forward(Weights w, in InputRows x, Var state, Tensor continueMask = default)
    {
        var (features, after) = network.Forward(w, x, state, x.MaskPerAgent(continueMask));
        return (head.Forward(w, features), features, after);
    }

    /// <summary>Returns the recurrent state before the first row [B, N, H]: zeros, or the recorded state of segments.</summary>
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
