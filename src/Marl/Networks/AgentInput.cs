namespace Marl.Native.Rl;

/// <summary>
/// What an agent network sees: [observation or state, last action (one-hot or its numbers; zeros at the first step), fingerprint, one-hot agent], parts as chosen.
/// </summary>
public sealed class AgentInput
{
    private readonly AgentOptions options;
    private readonly int seen, agents, actions;
    private readonly bool continuous;
    private readonly Tensor ids;

    /// <summary>The parts that are chosen.</summary>
    /// <exception cref="UsageException">the state is to be seen, and there is none.</exception>
    public AgentInput(EnvironmentSpec spec, AgentOptions options)
    {
        this.options = options;
        seen = SeesState ? spec.StateSize : spec.ObservationSize;
        if (seen == 0 && SeesState)
        {
            throw new UsageException($"agents cannot see the state of {spec.Id}: it has none; use observation=own");
        }
        (agents, actions, continuous) = (spec.Agents.Length, spec.ActionCount, spec.IsContinuous);
        float[] columns = [.. Enumerable.Range(0, agents).Select(agent => (float)(Size - agents + agent))];
        ids = Tensor.Of(columns);
    }

    /// <summary>Whether it is built from states [T, B, S] in place of observations [T, B, N, O].</summary>
    public bool SeesState => options.Observation == ObservationKind.State;

    /// <summary>F, the length of an agent's input.</summary>
    public int Size => seen + (options.LastAction ? actions : 0) + (options.Fingerprint ? Fingerprint.Size : 0) + (options.AgentId ? agents : 0);

    /// <summary>The input of whole episodes, [T+1, B, N, F].</summary>
    public Tensor Build(Tape tape, EpisodeBatch batch)
        => Build(tape, SeesState ? batch.States : batch.Observations, continuous ? batch.Vectors : batch.Actions, batch.Fingerprints);

    /// <summary>Builds the input in the memory of the step.</summary>
    /// <param name="tape">whose memory.</param>
    /// <param name="sight">[T, B, N, O] observations or [T, B, S] states.</param>
    /// <param name="previous">[P, B, N] the actions before the last P of those T rows, or [P, B, N, A] where actions are numbers; P = T - 1 for whole
    /// episodes. None: no actions yet.</param>
    /// <param name="fingerprints">[B, 2]</param>
    /// <returns>[T, B, N, F]</returns>
    public Tensor Build(Tape tape, Tensor sight, Tensor previous, Tensor fingerprints)
    {
        var device = tape.Device;
        var (steps, episodes) = (sight.Shape[0], sight.Shape[1]);
        var input = tape.Scratch(new Shape(steps, episodes, agents, Size));
        int rows = input.Shape.Rows;
        device.Fill(input, 0f);
        // The state is the same for all agents: from one to the next it takes no step.
        int nextAgent = SeesState ? 0 : seen, nextRow = SeesState ? seen : agents * seen;
        device.CopyStrided(sight, [0, nextRow, nextAgent, 1], input, [0, agents * Size, Size, 1], [1, steps * episodes, agents, seen], accumulate: false);
        int column = seen;
        if (options.LastAction)
        {
            if (!previous.IsNone && previous.Count > 0)
            {
                int taken = continuous ? previous.Count / actions : previous.Count;
                var into = input.Reshape(rows, Size).Slice(rows - taken, taken);
                if (continuous)
                {
                    device.CopyStrided(previous, [0, 0, actions, 1], new Tensor(into.Storage, into.Offset + column, new Shape(into.Count - column)),
                        [0, 0, Size, 1], [1, 1, taken, actions], accumulate: false);
                }
                else
                {
                    var index = tape.Scratch(new Shape(taken, 1));
                    device.Map(new Affine(1f, column), previous.Reshape(index.Shape), index);
                    Mark(tape, index, into);
                }
            }
            column += actions;
        }
        if (options.Fingerprint)
        {
            var part = new Tensor(input.Storage, input.Offset + column, new Shape((rows - 1) * Size + Fingerprint.Size));
            device.CopyStrided(fingerprints, [0, Fingerprint.Size, 0, 1], part, [episodes * agents * Size, agents * Size, Size, 1],
                [steps, episodes, agents, Fingerprint.Size], accumulate: false);
        }
        if (options.AgentId)
        {
            var index = tape.Scratch(new Shape(rows, 1));
            device.CopyStrided(tape.Resident(ids), [0, 0, 0, 1], index, [0, 0, agents, 1], [1, 1, rows / agents, agents], accumulate: false);
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
