namespace Marl.Native.Rl;

/// <summary>
/// What a central critic with a column for each agent sees: [state, observation, the actions of all agents with the own left out, all agents' last actions,
/// one-hot agent], parts as chosen.
/// </summary>
internal sealed class CriticInput
{
    private readonly JointActions joint;
    private readonly CriticParts parts;

    /// <exception cref="UsageException">it would see nothing.</exception>
    public CriticInput(EnvironmentSpec spec, CriticParts parts)
    {
        if (spec.StateSize == 0 && !parts.HasFlag(CriticParts.Observation))
        {
            throw new UsageException($"the critic cannot see the state of {spec.Id}: it has none; use criticObservation=true");
        }
        (joint, this.parts) = (new JointActions(spec), parts);
        int jointly = joint.Agents * joint.Actions;
        Size = spec.StateSize + Width(CriticParts.Observation, spec.ObservationSize) + Width(CriticParts.OthersActions, jointly)
            + Width(CriticParts.LastActions, jointly) + Width(CriticParts.Agent, joint.Agents);

        int Width(CriticParts part, int width) => parts.HasFlag(part) ? width : 0;
    }

    /// <summary>F</summary>
    public int Size { get; }

    /// <summary>[(T+1) B, N, F] of all rows, the last included.</summary>
    public Tensor Build(Tape tape, EpisodeBatch batch)
    {
        var (device, rows, agents, jointly) = (tape.Device, (batch.Steps + 1) * batch.Count, joint.Agents, joint.Agents * joint.Actions);
        var columns = new InputColumns(tape, rows, agents, Size);
        columns.AddCommon(batch.States);
        if (parts.HasFlag(CriticParts.Observation))
        {
            columns.AddOwn(batch.Observations);
        }
        var now = joint.OneHot(tape, batch.ActionsBeyond);
        if (parts.HasFlag(CriticParts.OthersActions))
        {
            var foreign = tape.Scratch(new Shape(rows, agents, jointly));
            device.Zip(default(Multiply), now.Reshape(rows, 1, jointly), tape.Resident(joint.Others), foreign);
            columns.AddOwn(foreign);
        }
        if (parts.HasFlag(CriticParts.LastActions))
        {
            columns.AddCommon(joint.Before(tape, batch.Actions, rows));
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
