using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>What an action-value critic sees.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<ActionCriticKind>))]
public enum ActionCriticKind
{
    /// <summary>The state and all agents' actions.</summary>
    State,
    /// <summary>All agents' observations and actions.</summary>
    Observations,
    /// <summary>The agent's own observation and action: independent learning.</summary>
    Local,
}

/// <summary>
/// Q_i(x, a_1, .., a_N), one value per agent, by three linear layers with ReLU between them (Lowe et al. 2017, section 4.1): of [state or all observations,
/// one-hot agent, all agents' actions], or of [observation, one-hot agent, own action]; the agent if it is to be named. Actions are numbers, so it can be differentiated by
/// them. What is seen in common is multiplied once for all agents.
/// </summary>
public sealed class ActionCritic
{
    private readonly Linear fc1, fc2, fc3;
    private readonly JointActions joint;
    private readonly ActionCriticKind kind;
    private readonly bool id;

    /// <summary>Adds its parameters to <paramref name="layout"/>.</summary>
    /// <param name="layout">where to.</param>
    /// <param name="spec">the environment.</param>
    /// <param name="kind">what it sees.</param>
    /// <param name="network">whether the agents have one critic, and whether it is told for whom it speaks.</param>
    /// <param name="hidden">width.</param>
    /// <exception cref="UsageException">the state is to be seen, and there is none.</exception>
    public ActionCritic(ParameterLayout layout, EnvironmentSpec spec, ActionCriticKind kind, AgentOptions network, int hidden)
    {
        if (kind == ActionCriticKind.State && spec.StateSize == 0)
        {
            throw new UsageException($"the critic cannot see the state of {spec.Id}: it has none; use critic=observations");
        }
        joint = new JointActions(spec);
        (this.kind, id) = (kind, network.AgentId);
        int copies = network.Shared ? 0 : joint.Agents, seen = kind switch
        {
            ActionCriticKind.State => spec.StateSize,
            ActionCriticKind.Observations => joint.Agents * spec.ObservationSize,
            _ => spec.ObservationSize,
        };
        fc1 = new Linear(layout.Scope("fc1"), seen + (id ? joint.Agents : 0) + (IsLocal ? 1 : joint.Agents) * joint.Actions, hidden, copies);
        fc2 = new Linear(layout.Scope("fc2"), hidden, hidden, copies);
        fc3 = new Linear(layout.Scope("fc3"), hidden, 1, copies);
    }

    /// <summary>Whether it reads the agent's own action alone.</summary>
    public bool IsLocal => kind == ActionCriticKind.Local;

    /// <summary>Q_i [T, B, N].</summary>
    /// <param name="w">weights.</param>
    /// <param name="batch">what was seen.</param>
    /// <param name="row">the first of the T rows: 0, or 1 for what came next.</param>
    /// <param name="actions">[T, B, N, N A] to each agent a joint action, or [T, B, N, A] if it is local.</param>
    public Var Forward(Weights w, EpisodeBatch batch, int row, Var actions)
    {
        var (tape, steps, episodes, agents) = (w.Tape, batch.Steps, batch.Count, joint.Agents);
        var observations = batch.Observations.Slice(row, steps);
        var own = id ? Ops.Concat(-1, tape.Constant(joint.Names(tape, steps, episodes)), actions) : actions;
        var x = kind switch
        {
            ActionCriticKind.State => fc1.ForwardRelu(w, tape.Constant(batch.States.Slice(row, steps)), own),
            ActionCriticKind.Observations => fc1.ForwardRelu(w, tape.Constant(observations.Reshape(steps, episodes, agents * observations.Shape[-1])), own),
            _ => fc1.ForwardRelu(w, Ops.Concat(-1, tape.Constant(observations), own)),
        };
        return fc3.Forward(w, fc2.ForwardRelu(w, x)).Reshape(steps, episodes, agents);
    }
}
