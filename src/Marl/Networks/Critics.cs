using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>What a state-value critic sees.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<CriticKind>))]
public enum CriticKind
{
    /// <summary>There is no critic: returns themselves are the advantage (REINFORCE).</summary>
    None,
    /// <summary>What the agent sees: independent learning.</summary>
    Local,
    /// <summary>The state.</summary>
    Central,
    /// <summary>The state and what the agent sees.</summary>
    Both,
}

/// <summary>
/// V(x_a), one value per agent, by three linear layers with ReLU between them (Papoudakis et al. 2021): of [observation, last action, fingerprint] or
/// [state] or [state, observation, ..], and a one-hot agent where the weights are shared.
/// </summary>
public sealed class ValueCritic
{
    private readonly Linear fc1, fc2, fc3;
    private readonly AgentInput? state, own;
    private readonly int agents;

    /// <summary>Adds its parameters to <paramref name="layout"/>.</summary>
    /// <param name="layout">where to.</param>
    /// <param name="spec">the environment.</param>
    /// <param name="kind">what it sees.</param>
    /// <param name="network">what the agents see, and whether weights are shared.</param>
    /// <param name="hidden">width.</param>
    /// <exception cref="UsageException">the state is to be seen, and there is none.</exception>
    public ValueCritic(ParameterLayout layout, EnvironmentSpec spec, CriticKind kind, AgentOptions network, int hidden)
    {
        if (spec.StateSize == 0 && kind != CriticKind.Local)
        {
            throw new UsageException($"the critic cannot see the state of {spec.Id}: it has none; ia2c and ippo need none");
        }
        agents = spec.Agents.Length;
        bool id = network.Shared;
        // Where both are seen the state comes first, and the agent once.
        state = kind == CriticKind.Local ? null
            : new AgentInput(spec, new AgentOptions { Observation = ObservationKind.State, AgentId = id && kind == CriticKind.Central });
        own = kind == CriticKind.Central ? null : new AgentInput(spec, network with { AgentId = id });
        int copies = network.Shared ? 0 : agents;
        fc1 = new Linear(layout.Scope("fc1"), (state?.Size ?? 0) + (own?.Size ?? 0), hidden, copies);
        fc2 = new Linear(layout.Scope("fc2"), hidden, hidden, copies);
        fc3 = new Linear(layout.Scope("fc3"), hidden, 1, copies);
    }

    /// <summary>V of all rows, the last included: [T+1, B, N].</summary>
    public Var Forward(Weights w, EpisodeBatch batch)
    {
        var tape = w.Tape;
        var x = state is null ? tape.Constant(own!.Build(tape, batch))
            : own is null ? tape.Constant(state.Build(tape, batch))
            : Ops.Concat(-1, tape.Constant(state.Build(tape, batch)), tape.Constant(own.Build(tape, batch)));
        return fc3.Forward(w, fc2.ForwardRelu(w, fc1.ForwardRelu(w, x))).Reshape(batch.Steps + 1, batch.Count, agents);
    }
}
