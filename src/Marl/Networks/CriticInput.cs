using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// What a central critic with a column for each agent sees: [state, observation, the actions of all agents with the own left out, all agents' last actions,
/// one-hot agent], parts as chosen. The state, which all agents have in common, is multiplied once.
/// </summary>
internal sealed class CriticInput
{
    private readonly JointActions joint;
    private readonly CriticParts parts;
    private readonly int own;

    /// <exception cref="UsageException">it would see nothing.</exception>
    public CriticInput(EnvironmentSpec spec, CriticParts parts)
    {
        if (spec.StateSize == 0 && !parts.HasFlag(CriticParts.Observation))
        {
            throw new UsageException($"the critic cannot see the state of {spec.Id}: it has none; use criticObservation=true");
        }
        (joint, this.parts) = (new JointActions(spec), parts);
        int jointly = joint.Agents * joint.Actions;
        own = Width(CriticParts.Observation, spec.ObservationSize) + Width(CriticParts.OthersActions, jointly)
            + Width(CriticParts.LastActions, jointly) + Width(CriticParts.Agent, joint.Agents);
        Size = spec.StateSize + own;

        int Width(CriticParts part, int width) => parts.HasFlag(part) ? width : 0;
    }

    /// <summary>F</summary>
    public int Size { get; }

    /// <summary>What the first layer of a network makes of all rows, the last included: [(T+1) B, N, H].</summary>
    public Var Through(Linear layer, Weights w, EpisodeBatch batch)
        => layer.ForwardRelu(w, w.Tape.Constant(batch.States), w.Tape.Constant(OwnOf(w.Tape, batch)));

    /// <summary>What is each agent's own, [(T+1) B, N, ..].</summary>
    private Tensor OwnOf(Tape tape, EpisodeBatch batch)
    {
        var (device, rows, agents, jointly) = (tape.Device, (batch.Steps + 1) * batch.Count, joint.Agents, joint.Agents * joint.Actions);
        var columns = new InputColumns(tape, rows, agents, own);
        if (parts.HasFlag(CriticParts.Observation))
        {
            columns.AddOwn(batch.Observations);
        }
        var now = joint.OneHot(tape, batch.BootstrapActions);
        if (parts.HasFlag(CriticParts.OthersActions))
        {
            var foreign = tape.Scratch(new Shape(rows, agents, jointly));
            device.Zip(default(Multiply), now.Reshape(rows, 1, jointly), tape.Resident(joint.Others), foreign);
            columns.AddOwn(foreign);
        }
        if (parts.HasFlag(CriticParts.LastActions))
        {
            columns.AddCommon(joint.Before(tape, batch));
        }
        if (parts.HasFlag(CriticParts.Agent))
        {
            columns.AddFixed(joint.Identity);
        }
        return columns.Input;
    }
}

/// <summary>Parts of a <see cref="CriticInput"/>; the state is always there.</summary>
[Flags]
internal enum CriticParts
{
    None = 0,
    /// <summary>What the agent sees.</summary>
    Observation = 1,
    /// <summary>What the others do now.</summary>
    OthersActions = 2,
    /// <summary>What all did a step before.</summary>
    LastActions = 4,
    /// <summary>Which agent it is.</summary>
    Agent = 8,
}
