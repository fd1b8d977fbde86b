namespace Marl.Native.Rl;

/// <summary>
/// What an agent network sees: [observation or state, last action (one-hot or its numbers; zeros at the first step), fingerprint, one-hot agent], parts as chosen.
/// </summary>
public sealed class AgentInput
{
    private readonly AgentOptions options;
    private readonly JointActions joint;
    private readonly int seen;

    /// <summary>The parts that are chosen.</summary>
    /// <exception cref="UsageException">the state is to be seen, and there is none.</exception>
    public AgentInput(EnvironmentSpec spec, AgentOptions options)
    {
        (this.options, joint) = (options, new JointActions(spec));
        seen = SeesState ? spec.StateSize : spec.ObservationSize;
        if (seen == 0 && SeesState)
        {
            throw new UsageException($"agents cannot see the state of {spec.Id}: it has none; use observation=own");
        }
    }

    /// <summary>Whether it is built from states [T, B, S] in place of observations [T, B, N, O].</summary>
    public bool SeesState => options.Observation == ObservationKind.State;

    /// <summary>F, the length of an agent's input.</summary>
    public int Size => seen + (options.LastAction ? joint.Actions : 0) + (options.Fingerprint ? Fingerprint.Size : 0) + (options.AgentId ? joint.Agents : 0);

    /// <summary>The input of whole episodes, [T+1, B, N, F].</summary>
    public Tensor Build(Tape tape, EpisodeBatch batch)
        => batch.IsSegmented
            ? Build(tape, SeesState ? batch.States : batch.Observations, batch.PreviousActions, batch.Fingerprints, batch.ContinueMask)
            : Build(tape, SeesState ? batch.States : batch.Observations, joint.Of(batch), batch.Fingerprints);

    /// <summary>Builds the input in the memory of the step.</summary>
    /// <param name="tape">whose memory.</param>
    /// <param name="sight">[T, B, N, O] observations or [T, B, S] states.</param>
    /// <param name="previous">[P, B, N] the actions before the last P of those T rows, or [P, B, N, A] where actions are numbers; P = T - 1 for whole
    /// episodes. None: no actions yet.</param>
    /// <param name="fingerprints">[B, 2]</param>
    /// <param name="continueMask">[T, B, N]: 0 where an episode begins, 1 elsewhere; none: 1 everywhere.</param>
    /// <returns>[T, B, N, F]</returns>
    public Tensor Build(Tape tape, Tensor sight, Tensor previous, Tensor fingerprints, Tensor continueMask = default)
    {
        int steps = sight.Shape[0], episodes = sight.Shape[1], rows = steps * episodes;
        var columns = new InputColumns(tape, rows, joint.Agents, Size);
        if (SeesState)
        {
            columns.AddCommon(sight);
        }
        else
        {
            columns.AddOwn(sight);
        }
        if (options.LastAction)
        {
            columns.AddOwn(joint.Before(tape, previous, rows, continueMask).Reshape(rows, joint.Agents, joint.Actions));
        }
        if (options.Fingerprint)
        {
            columns.AddCommon(fingerprints);
        }
        if (options.AgentId)
        {
            columns.AddFixed(joint.Identity);
        }
        return columns.Input.Reshape(steps, episodes, joint.Agents, Size);
    }
}
