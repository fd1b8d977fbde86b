using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Q_i(s, ., u_-i), the values of all actions of an agent for what the others really did, by one pass through three linear layers with ReLU between them
/// (COMA, Foerster et al. 2018, section 4 and figure 1c): of [state, observation, the actions of all agents with the own left out, all agents' last actions,
/// one-hot agent], observation and last actions as chosen, the agent where the weights are shared.
/// </summary>
public sealed class CounterfactualCritic
{
    private readonly Linear fc1, fc2, fc3;
    private readonly JointActions joint;
    private readonly Tensor others;
    private readonly bool observation, lastActions, id;

    /// <summary>Adds its parameters to <paramref name="layout"/>.</summary>
    /// <param name="layout">where to.</param>
    /// <param name="spec">the environment.</param>
    /// <param name="observation">whether it sees what the agent sees.</param>
    /// <param name="lastActions">whether it sees what all agents did a step before.</param>
    /// <param name="shared">whether the agents have one critic.</param>
    /// <param name="hidden">width.</param>
    /// <exception cref="UsageException">it would see nothing.</exception>
    public CounterfactualCritic(ParameterLayout layout, EnvironmentSpec spec, bool observation, bool lastActions, bool shared, int hidden)
    {
        if (spec.StateSize == 0 && !observation)
        {
            throw new UsageException($"the critic cannot see the state of {spec.Id}: it has none; use criticObservation=true");
        }
        joint = new JointActions(spec);
        (this.observation, this.lastActions, id) = (observation, lastActions, shared);
        var (agents, actions, copies) = (joint.Agents, joint.Actions, shared ? 0 : joint.Agents);
        int jointly = agents * actions;
        // [N, N A]: 0 where a column is of the agent's own action.
        others = Tensor.Zeros(agents, jointly);
        for (int i = 0; i < others.Count; i++)
        {
            others.Span[i] = i % jointly / actions == i / jointly ? 0f : 1f;
        }
        Size = spec.StateSize + (observation ? spec.ObservationSize : 0) + jointly + (lastActions ? jointly : 0) + (id ? agents : 0);
        fc1 = new Linear(layout.Scope("fc1"), Size, hidden, copies);
        fc2 = new Linear(layout.Scope("fc2"), hidden, hidden, copies);
        fc3 = new Linear(layout.Scope("fc3"), hidden, actions, copies);
    }

    /// <summary>Length of its input.</summary>
    public int Size { get; }

    /// <summary>Q of all rows, the last included: [T+1, B, N, A].</summary>
    public Var Forward(Weights w, EpisodeBatch batch)
    {
        var input = w.Tape.Constant(Build(w.Tape, batch));
        return fc3.Forward(w, fc2.ForwardRelu(w, fc1.ForwardRelu(w, input))).Reshape(batch.Steps + 1, batch.Count, joint.Agents, joint.Actions);
    }

    private Tensor Build(Tape tape, EpisodeBatch batch)
    {
        var (device, rows, agents, jointly) = (tape.Device, (batch.Steps + 1) * batch.Count, joint.Agents, joint.Agents * joint.Actions);
        var columns = new InputColumns(tape, rows, agents, Size);
        columns.AddCommon(batch.States);
        if (observation)
        {
            columns.AddOwn(batch.Observations);
        }
        var now = joint.OneHot(tape, batch.ActionsBeyond);
        var foreign = tape.Scratch(new Shape(rows, agents, jointly));
        device.Zip(default(Multiply), now.Reshape(rows, 1, jointly), tape.Resident(others), foreign);
        columns.AddOwn(foreign);
        if (lastActions)
        {
            // Nothing was done before the first step.
            var before = tape.Scratch(now.Shape);
            device.Fill(before.Slice(0, batch.Count), 0f);
            device.Copy(now.Slice(0, rows - batch.Count), before.Slice(batch.Count, rows - batch.Count));
            columns.AddCommon(before);
        }
        if (id)
        {
            columns.AddFixed(joint.Identity);
        }
        return columns.Input;
    }
}
