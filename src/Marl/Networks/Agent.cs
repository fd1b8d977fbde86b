using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>What an agent network is made of.</summary>
public sealed record AgentOptions
{
    /// <summary>Recurrent or feed-forward.</summary>
    public AgentKind Kind { get; init; } = AgentKind.Gru;

    /// <summary>Width of the hidden layers.</summary>
    public int Hidden { get; init; } = 128;

    /// <summary>Whether all agents have the same weights; otherwise each has its own, computed in one batched product.</summary>
    public bool Shared { get; init; } = true;

    /// <summary>What an agent sees of the environment.</summary>
    public ObservationKind Observation { get; init; }

    /// <summary>Whether an agent sees its own last action.</summary>
    public bool LastAction { get; init; }

    /// <summary>Whether an agent sees which one it is.</summary>
    public bool AgentId { get; init; } = true;

    /// <summary>Whether an agent sees when in training an episode is from, see <see cref="Rl.Fingerprint"/>.</summary>
    public bool Fingerprint { get; init; }
}

/// <summary>Which network an agent has.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<AgentKind>))]
public enum AgentKind
{
    /// <summary>A gated recurrent unit between two linear layers: remembers the episode.</summary>
    Gru,
    /// <summary>Three linear layers: sees the present only.</summary>
    Mlp,
}

/// <summary>What an agent sees of the environment.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<ObservationKind>))]
public enum ObservationKind
{
    /// <summary>Its observation.</summary>
    Own,
    /// <summary>The state, as every other agent.</summary>
    State,
}

/// <summary>
/// The network of all agents: from what they see (see <see cref="AgentInput"/>) to one number per action, a value or a logit. As in PyMARL (Samvelyan et
/// al. 2019): x = relu(fc1 input), h = GRU(x, h) or relu(rnn x), output = fc2 h.
/// </summary>
public sealed class Agent
{
    private readonly Linear fc1, fc2;
    private readonly Gru? gru;
    private readonly Linear? feedForward;

    /// <summary>Adds its parameters to <paramref name="layout"/>.</summary>
    public Agent(ParameterLayout layout, EnvironmentSpec spec, AgentOptions options)
    {
        Options = options;
        Input = new AgentInput(spec, options);
        Agents = spec.Agents.Length;
        Actions = spec.ActionCount;
        int copies = options.Shared ? 0 : Agents;
        fc1 = new Linear(layout.Scope("fc1"), Input.Size, options.Hidden, copies);
        if (options.Kind == AgentKind.Gru)
        {
            gru = new Gru(layout.Scope("rnn"), options.Hidden, options.Hidden, copies);
            StateColumn = new Column("agentState", options.Hidden) { PerAgent = true, PerEpisode = true, Lifetime = ColumnLifetime.Update };
        }
        else
        {
            feedForward = new Linear(layout.Scope("rnn"), options.Hidden, options.Hidden, copies);
        }
        fc2 = new Linear(layout.Scope("fc2"), options.Hidden, Actions, copies);
    }

    /// <summary>What it is made of.</summary>
    public AgentOptions Options { get; }

    /// <summary>What it sees.</summary>
    public AgentInput Input { get; }

    /// <summary>N</summary>
    public int Agents { get; }

    /// <summary>A</summary>
    public int Actions { get; }

    /// <summary>H, the length of the state that an agent carries from step to step.</summary>
    public int Hidden => Options.Hidden;

    /// <summary>[N, H] per segment: the state before its first row. None: it carries no state.</summary>
    internal Column? StateColumn { get; }

    /// <summary>The whole sequence at once.</summary>
    /// <param name="w">weights.</param>
    /// <param name="input">[T, B, N, F]</param>
    /// <param name="state">[B, N, H] before the first step.</param>
    /// <param name="continueMask">[T, B, N]: 0 where an episode begins, so that the state is reset, 1 elsewhere; none: 1 everywhere.</param>
    /// <returns>one number per action [T, B, N, A], what the last layer makes them of [T, B, N, H], and the state after the last step [B, N, H].</returns>
    public (Var Output, Var Features, Var State) Forward(Weights w, Var input, Var state, Tensor continueMask = default)
    {
        var x = fc1.ForwardRelu(w, input);
        if (gru is null)
        {
            var features = feedForward!.ForwardRelu(w, x);
            return (fc2.Forward(w, features), features, state);
        }
        var (t, b, n, h) = (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]);
        // Agents that share weights are so many more rows of the batch.
        var y = Options.Shared
            ? gru.Forward(w, x.Reshape(t, b * n, h), state.Reshape(b * n, h), continueMask).Reshape(t, b, n, h)
            : gru.Forward(w, x, state, continueMask);
        return (fc2.Forward(w, y), y, y.Slice(0, t - 1, 1).Reshape(b, n, h));
    }
}
