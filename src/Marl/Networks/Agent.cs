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

    /// <summary>Whether an agent sees its own last action.</summary>
    public bool LastAction { get; init; }

    /// <summary>Whether an agent sees which one it is.</summary>
    public bool AgentId { get; init; } = true;
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
        Input = new AgentInput(spec, options.LastAction, options.AgentId);
        Agents = spec.Agents.Length;
        Actions = spec.ActionCount;
        int copies = options.Shared ? 0 : Agents;
        fc1 = new Linear(layout.Scope("fc1"), Input.Size, options.Hidden, copies);
        if (options.Kind == AgentKind.Gru)
        {
            gru = new Gru(layout.Scope("rnn"), options.Hidden, options.Hidden, copies);
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

    /// <summary>The whole sequence at once.</summary>
    /// <param name="w">weights.</param>
    /// <param name="input">[T, B, N, F]</param>
    /// <param name="state">[B, N, H] before the first step.</param>
    /// <returns>one number per action [T, B, N, A], and the state after the last step [B, N, H].</returns>
    public (Var Output, Var State) Forward(Weights w, Var input, Var state)
    {
        var x = fc1.ForwardRelu(w, input);
        if (gru is null)
        {
            return (fc2.Forward(w, feedForward!.ForwardRelu(w, x)), state);
        }
        var (t, b, n, h) = (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]);
        // Agents that share weights are so many more rows of the batch.
        var y = Options.Shared
            ? gru.Forward(w, x.Reshape(t, b * n, h), state.Reshape(b * n, h)).Reshape(t, b, n, h)
            : gru.Forward(w, x, state);
        return (fc2.Forward(w, y), y.Slice(0, t - 1, 1).Reshape(b, n, h));
    }
}

/// <summary>
/// What an agent network sees: [observation, one-hot last action (zeros at the first step), one-hot agent], parts as chosen.
/// </summary>
public sealed class AgentInput
{
    private readonly bool lastAction, agentId;
    private readonly int observation, agents, actions;
    private readonly Tensor ids;

    /// <summary>The parts that are chosen.</summary>
    public AgentInput(EnvironmentSpec spec, bool lastAction, bool agentId)
    {
        (this.lastAction, this.agentId) = (lastAction, agentId);
        (observation, agents, actions) = (spec.ObservationSize, spec.Agents.Length, spec.ActionCount);
        float[] columns = [.. Enumerable.Range(0, agents).Select(agent => (float)(Size - agents + agent))];
        ids = Tensor.Of(columns);
    }

    /// <summary>F, the length of an agent's input.</summary>
    public int Size => observation + (lastAction ? actions : 0) + (agentId ? agents : 0);

    /// <summary>Builds the input in the memory of the step.</summary>
    /// <param name="tape">whose memory.</param>
    /// <param name="observations">[T, B, N, O]</param>
    /// <param name="previous">[P, B, N] the actions before the last P of those T rows; P = T - 1 for whole episodes. None: no actions yet.</param>
    /// <returns>[T, B, N, F]</returns>
    public Tensor Build(Tape tape, Tensor observations, Tensor previous)
    {
        var device = tape.Device;
        var input = tape.Scratch(observations.Shape.With(-1, Size));
        int rows = input.Shape.Rows;
        device.Fill(input, 0f);
        device.CopyStrided(observations, [0, 0, observation, 1], input, [0, 0, Size, 1], [1, 1, rows, observation], accumulate: false);
        if (lastAction && !previous.IsNone && previous.Count > 0)
        {
            var index = tape.Scratch(new Shape(previous.Count, 1));
            device.Map(new Affine(1f, observation), previous.Reshape(index.Shape), index);
            Mark(tape, index, input.Reshape(rows, Size).Slice(rows - previous.Count, previous.Count));
        }
        if (agentId)
        {
            var index = tape.Scratch(new Shape(rows, 1));
            device.CopyStrided(ids, [0, 0, 0, 1], index, [0, 0, agents, 1], [1, 1, rows / agents, agents], accumulate: false);
            Mark(tape, index, input.Reshape(rows, Size));
        }
        return input;
    }

    /// <summary>Adds 1 in each row at its index.</summary>
    private static void Mark(Tape tape, Tensor index, Tensor rows)
    {
        var ones = tape.Scratch(index.Shape);
        tape.Device.Fill(ones, 1f);
        tape.Device.ScatterAdd(ones, index, rows);
    }
}
