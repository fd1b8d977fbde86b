namespace Marl.Native.Rl;

/// <summary>Encodes the actions of all agents as inputs of a network: discrete choices as one-hot, continuous parts without change. N is the number of agents,
/// A the size of an action in the <see cref="ActionLayout"/>.</summary>
internal sealed class ActionEncoding
{
    private readonly ActionLayout layout;
    private readonly Tensor offsets, present, others;

    public ActionEncoding(EnvironmentSpec spec)
    {
        layout = spec.ActionLayout;
        (Agents, Actions) = (spec.Agents.Length, layout.Size);
        (offsets, present) = layout.Branches == 0 ? default : (Tensor.Zeros(Agents * layout.Branches), Tensor.Zeros(Agents * layout.Branches));
        for (int agent = 0; agent < Agents; agent++)
        {
            for (int branch = 0; branch < layout.Branches; branch++)
            {
                int i = agent * layout.Branches + branch;
                offsets.Span[i] = agent * Actions + branch * layout.BranchSize;
                present.Span[i] = branch < spec.Agents[agent].BranchCount ? 1f : 0f;
            }
        }
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

    /// <summary>Returns the recorded actions of T rows.</summary>
    public ActionRows Recorded(EpisodeBatch batch) => Rows(batch, batch.Actions);

    /// <summary>Returns the recorded actions with the bootstrap action, T + 1 rows; continuous parts have none.</summary>
    public ActionRows RecordedWithBootstrap(EpisodeBatch batch) => Rows(batch, batch.BootstrapActions);

    /// <summary>Encodes the joint action of each row, [rows, N A].</summary>
    /// <param name="tape">The tape, which allocates the result.</param>
    /// <param name="actions">The actions of the first rows; the other rows are zeros.</param>
    /// <param name="rows">The number of rows.</param>
    public Tensor Encode(Tape tape, ActionRows actions, int rows) => Encode(tape, actions, rows, atEnd: false);

    /// <summary>Encodes the joint action before each row, [rows, N A].</summary>
    /// <param name="tape">The tape, which allocates the result.</param>
    /// <param name="actions">The actions before the last rows; the other rows are zeros. None: all rows are zeros.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="continueMask">[rows, N] 0 in the first row of an episode, which has no last action, else 1; none: 1 for all rows.</param>
    public Tensor EncodeLast(Tape tape, ActionRows actions, int rows, Tensor continueMask = default)
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
        => layout.Branches == 0 ? batch.ContinuousActions
        : Encode(tape, Recorded(batch), batch.Steps * batch.Count).Reshape(batch.Steps, batch.Count, Agents, Actions);

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

    private ActionRows Rows(EpisodeBatch batch, Tensor indices)
        => new(layout.Branches == 0 ? default : indices, layout.VectorSize == 0 ? default : batch.ContinuousActions);

    private Tensor Encode(Tape tape, ActionRows actions, int rows, bool atEnd)
    {
        var joint = tape.Scratch(new Shape(rows, Agents * Actions));
        tape.Device.Fill(joint, 0f);
        if (!actions.Indices.IsNone && actions.Indices.Count > 0)
        {
            int given = actions.Indices.Count / (Agents * layout.Branches);
            var (index, ones) = (tape.Scratch(new Shape(given, offsets.Count)), tape.Scratch(new Shape(given, offsets.Count)));
            tape.Device.Zip(default(Add), actions.Indices.Reshape(index.Shape), tape.Cached(offsets), index);
            tape.Device.CopyStrided(tape.Cached(present), [0, 0, 0, 1], ones, [0, 0, offsets.Count, 1], [1, 1, given, offsets.Count], accumulate: false);
            tape.Device.ScatterAdd(ones, index, joint.Slice(atEnd ? rows - given : 0, given));
        }
        if (!actions.Vectors.IsNone && actions.Vectors.Count > 0)
        {
            int given = actions.Vectors.Count / (Agents * layout.VectorSize);
            int start = (atEnd ? rows - given : 0) * Agents * Actions + layout.VectorStart;
            tape.Device.CopyStrided(actions.Vectors, [0, 0, layout.VectorSize, 1], new(joint.Storage, joint.Offset + start, new Shape(joint.Count - start)),
                [0, 0, Actions, 1], [1, 1, given * Agents, layout.VectorSize], accumulate: false);
        }
        return joint;
    }
}

/// <summary>The actions of consecutive rows [T, B, N]: discrete choices and continuous parts, which may differ in their number of rows.</summary>
/// <param name="Indices">[T, B, N] or [T, B, N, K] The indices of the choices; none if actions are continuous.</param>
/// <param name="Vectors">[T, B, N, D] The continuous parts; none if actions are discrete.</param>
internal readonly record struct ActionRows(Tensor Indices, Tensor Vectors)
{
    /// <summary>Returns <paramref name="count"/> rows, or as many as there are.</summary>
    public ActionRows Slice(int row, int count)
    {
        return new(Part(Indices), Part(Vectors));

        Tensor Part(Tensor x) => x.IsNone ? x : x.Slice(row, Math.Min(count, x.Shape[0] - row));
    }
}
