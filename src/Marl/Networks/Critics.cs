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
/// [state] or [state, observation, ..], and a one-hot agent where the weights are shared. The state, which all agents have in common, is multiplied once.
/// </summary>
public sealed class ValueCritic
{
    private readonly Linear fc1, fc2, fc3;
    private readonly JointActions joint;
    private readonly AgentInput? sight;
    private readonly bool seesState, id;

    /// <summary>Adds its parameters to <paramref name="layout"/>.</summary>
    /// <param name="layout">where to.</param>
    /// <param name="spec">the environment.</param>
    /// <param name="kind">what it sees.</param>
    /// <param name="network">what the agents see, and whether weights are shared.</param>
    /// <param name="hidden">width.</param>
    /// <exception cref="UsageException">the state is to be seen, and there is none.</exception>
    public ValueCritic(ParameterLayout layout, EnvironmentSpec spec, CriticKind kind, AgentOptions network, int hidden)
    {
        (seesState, id) = (kind != CriticKind.Local, network.Shared);
        if (spec.StateSize == 0 && seesState)
        {
            throw new UsageException($"the critic cannot see the state of {spec.Id}: it has none; ia2c and ippo need none");
        }
        joint = new JointActions(spec);
        sight = kind == CriticKind.Central ? null : new AgentInput(spec, network with { AgentId = id });
        int copies = network.Shared ? 0 : joint.Agents, own = sight?.Size ?? (id ? joint.Agents : 0);
        fc1 = new Linear(layout.Scope("fc1"), (seesState ? spec.StateSize : 0) + own, hidden, copies);
        fc2 = new Linear(layout.Scope("fc2"), hidden, hidden, copies);
        fc3 = new Linear(layout.Scope("fc3"), hidden, 1, copies);
    }

    /// <summary>V of all rows, the last included: [T+1, B, N].</summary>
    public Var Forward(Weights w, EpisodeBatch batch)
    {
        var (tape, rows, episodes) = (w.Tape, batch.Steps + 1, batch.Count);
        var own = tape.Constant(sight is not null ? sight.Build(tape, batch)
            : id ? joint.Names(tape, rows, episodes)
            : tape.Scratch(new Shape(rows, episodes, joint.Agents, 0)));
        var x = seesState ? fc1.ForwardRelu(w, tape.Constant(batch.States), own) : fc1.ForwardRelu(w, own);
        return fc3.Forward(w, fc2.ForwardRelu(w, x)).Reshape(rows, episodes, joint.Agents);
    }
}
