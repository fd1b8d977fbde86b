namespace Marl.Native.Rl;

/// <summary>Encodes the actions of all agents as inputs of a network: discrete actions as one-hot, continuous actions without change. N is the number of
/// agents, A the size of an action.</summary>
internal sealed class ActionEncoding
{
    private readonly Tensor offsets, others;
    private readonly bool continuous;

    public ActionEncoding(EnvironmentSpec spec)
    {
        (Agents, Actions, continuous) = (spec.Agents.Length, spec.ActionCount, spec.IsContinuous);
        float[] first = [.. Enumerable.Range(0, Agents).Select(agent => (float)(agent * Actions))];
        offsets = Tensor.Of(first);
        Identity = Tensor.Zeros(Agents, Agents);
        for (int agent = 0; agent < Agents; agent++)
        {
            Identity.Span[agent * Agents + agent] = 1f;
        }
        others = Tensor.Zeros(Agents, Agents * Actions);
        for (int i = 0; i < others.Count; i++)
        {
            others.Span[i] = i % (Agents * Actions) / Actions == i / (Agents * Actions) ? 0f : 1f;
        }
    }

    /// <summary>N, the number of agents.</summary>
    public int Agents { get; }

    /// <summary>A, the size of an action.</summary>
    public int Actions { get; }

    /// <summary>[N, N] The index of each agent, one-hot.</summary>
    public Tensor Identity { get; }

    /// <summary>Returns the recorded actions [T, B, N], or [T, B, N, A] if continuous.</summary>
    public Tensor Recorded(EpisodeBatch batch) => continuous ? batch.ContinuousActions : batch.Actions;

    /// <summary>Returns the recorded actions with the bootstrap action [T+1, B, N]; continuous actions [T, B, N, A] have none.</summary>
    public Tensor RecordedWithBootstrap(EpisodeBatch batch) => continuous ? batch.ContinuousActions : batch.BootstrapActions;

    /// <summary>Encodes the joint action of each row, [rows, N A].</summary>
    /// <param name="tape">The tape, which allocates the result.</param>
    /// <param name="actions">[T, B, N] or [T, B, N, A] The actions of the first T B rows; the other rows are zeros.</param>
    /// <param name="rows">The number of rows.</param>
    public Tensor Encode(Tape tape, Tensor actions, int rows) => Encode(tape, actions, rows, atEnd: false);

    /// <summary>Encodes the joint action before each row, [rows, N A].</summary>
    /// <param name="tape">The tape, which allocates the result.</param>
    /// <param name="actions">[P, B, N] or [P, B, N, A] The actions before the last P B rows; the other rows are zeros. None: all rows are zeros.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="continueMask">[rows, N] 0 in the first row of an episode, which has no last action, else 1; none: 1 for all rows.</param>
    public Tensor EncodeLast(Tape tape, Tensor actions, int rows, Tensor continueMask = default)
    {
        var joint = Encode(tape, actions, rows, atEnd: true);
        if (!continueMask.IsNone)
        {
            var perAgent = joint.Reshape(rows * Agents, Actions);
            tape.Device.Zip(default(Multiply), perAgent, continueMask.Reshape(rows * Agents, 1), perAgent);
        }
        return joint;
    }

    /// <summary>Encodes the recorded actions, [T, B, N, A].</summary>
    public Tensor Recorded(Tape tape, EpisodeBatch batch)
        => continuous ? batch.ContinuousActions : Encode(tape, batch.Actions, batch.Steps * batch.Count).Reshape(batch.Steps, batch.Count, Agents, Actions);

    /// <summary>Reshapes joint actions [rows, N A] to [rows, N, A].</summary>
    public Tensor PerAgent(Tensor joint) => joint.Reshape(joint.Shape[0], Agents, Actions);

    /// <summary>Returns each agent's joint action with zeros for its own action, [rows, N, N A].</summary>
    public Tensor Masked(Tape tape, Tensor joint)
    {
        var masked = tape.Scratch(new Shape(joint.Shape[0], Agents, Agents * Actions));
        tape.Device.Zip(default(Multiply), joint.Reshape(joint.Shape[0], 1, Agents * Actions), tape.Cached(others), masked);
        return masked;
    }

    /// <summary>Returns the actions of the other agents for each agent, [rows, N, (N - 1) A].</summary>
    public Tensor Others(Tape tape, Tensor joint)
    {
        int rows = joint.Shape[0], width = (Agents - 1) * Actions;
        var parts = tape.Scratch(new Shape(rows, Agents, width));
        for (int agent = 0; agent < Agents; agent++)
        {
            int before = agent * Actions;
            Copy(agent, 0, 0, before);
            Copy(agent, before + Actions, before, width - before);
        }
        return parts;

        void Copy(int agent, int from, int to, int count)
        {
            if (count > 0)
            {
                tape.Device.CopyStrided(At(joint, from), [0, 0, Agents * Actions, 1], At(parts, agent * width + to), [0, 0, Agents * width, 1],
                    [1, 1, rows, count], accumulate: false);
            }
        }

        static Tensor At(Tensor x, int start) => new(x.Storage, x.Offset + start, new Shape(x.Count - start));
    }

    /// <summary>Repeats the joint action of each row for every agent, [T, B, N, N A].</summary>
    /// <param name="tape">The tape, which allocates the result.</param>
    /// <param name="actions">[T, B, N, A] The actions.</param>
    public Tensor Repeat(Tape tape, Tensor actions)
    {
        int rows = actions.Count / (Agents * Actions), width = Agents * Actions;
        var repeated = tape.Scratch(actions.Shape.With(-1, width));
        tape.Device.CopyStrided(actions, [0, width, 0, 1], repeated, [0, Agents * width, width, 1], [1, rows, Agents, width], accumulate: false);
        return repeated;
    }

    /// <summary>Replaces each agent's own action in its joint action, [T, B, N, N A].</summary>
    /// <param name="joint">[T, B, N, N A] The joint actions.</param>
    /// <param name="own">[T, B, N, A] The agents' new actions.</param>
    public Var Replace(Tensor joint, Var own)
    {
        int rows = own.Shape.Count / (Agents * Actions);
        var rest = own.Tape.Scratch(joint.Shape);
        own.Tape.Device.Zip(default(Multiply), joint, own.Tape.Cached(others), rest);
        var blocks = own.Reshape(rows, Agents, 1, Actions) * own.Tape.Cached(Identity).Reshape(Agents, Agents, 1);
        return blocks.Reshape(joint.Shape) + rest;
    }

    private Tensor Encode(Tape tape, Tensor actions, int rows, bool atEnd)
    {
        var joint = tape.Scratch(new Shape(rows, Agents * Actions));
        int given = actions.IsNone ? 0 : actions.Count / (continuous ? Agents * Actions : Agents);
        tape.Device.Fill(joint, 0f);
        if (given == 0)
        {
            return joint;
        }
        var into = joint.Slice(atEnd ? rows - given : 0, given);
        if (continuous)
        {
            tape.Device.Copy(actions, into);
            return joint;
        }
        var (index, ones) = (tape.Scratch(new Shape(given, Agents)), tape.Scratch(new Shape(given, Agents)));
        tape.Device.Zip(default(Add), actions.Reshape(index.Shape), tape.Cached(offsets), index);
        tape.Device.Fill(ones, 1f);
        tape.Device.ScatterAdd(ones, index, into);
        return joint;
    }
}
