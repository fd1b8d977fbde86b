namespace Marl.Native.Rl;

/// <summary>The actions of all agents as numbers, for critics that see them: one-hot where agents choose, else as they are.</summary>
internal sealed class JointActions
{
    private readonly Tensor offsets, identity;
    private readonly bool continuous;

    public JointActions(EnvironmentSpec spec)
    {
        (Agents, Actions, continuous) = (spec.Agents.Length, spec.ActionCount, spec.IsContinuous);
        float[] first = [.. Enumerable.Range(0, Agents).Select(agent => (float)(agent * Actions))];
        offsets = Tensor.Of(first);
        identity = Tensor.Zeros(Agents, Agents);
        for (int agent = 0; agent < Agents; agent++)
        {
            identity.Span[agent * Agents + agent] = 1f;
        }
        Others = Tensor.Zeros(Agents, Agents * Actions);
        for (int i = 0; i < Others.Count; i++)
        {
            Others.Span[i] = i % (Agents * Actions) / Actions == i / (Agents * Actions) ? 0f : 1f;
        }
    }

    /// <summary>N</summary>
    public int Agents { get; }

    /// <summary>A</summary>
    public int Actions { get; }

    /// <summary>[N, N] each agent's own name.</summary>
    public Tensor Identity => identity;

    /// <summary>[T, B, N, N] the same in every row.</summary>
    public Tensor Names(Tape tape, int steps, int episodes)
    {
        var columns = new InputColumns(tape, steps * episodes, Agents, Agents);
        columns.AddFixed(identity);
        return columns.Input.Reshape(steps, episodes, Agents, Agents);
    }

    /// <summary>[N, N A]: 0 where a column is of the agent's own action.</summary>
    public Tensor Others { get; }

    /// <summary>[rows, N A] a joint action per row: one-hot, one agent behind the other.</summary>
    /// <param name="tape">memory.</param>
    /// <param name="actions">[.., N]</param>
    public Tensor OneHot(Tape tape, Tensor actions)
    {
        var joint = tape.Scratch(new Shape(actions.Count / Agents, Agents * Actions));
        tape.Device.Fill(joint, 0f);
        Mark(tape, actions, joint);
        return joint;
    }

    /// <summary>[rows, N A] what was done a step before each row; zeros in the first step.</summary>
    /// <param name="tape">memory.</param>
    /// <param name="actions">[P, B, N] the actions before the last P B rows, or [P, B, N, A] where they are numbers. None: no actions yet.</param>
    /// <param name="rows">of all steps.</param>
    /// <param name="continueMask">[rows, N]: 0 where an episode begins, so that there was no action; none: 1 everywhere.</param>
    public Tensor Before(Tape tape, Tensor actions, int rows, Tensor continueMask = default)
    {
        var before = tape.Scratch(new Shape(rows, Agents * Actions));
        int taken = actions.IsNone ? 0 : actions.Count / (continuous ? Agents * Actions : Agents);
        var done = before.Slice(rows - taken, taken);
        tape.Device.Fill(before, 0f);
        if (taken > 0 && continuous)
        {
            tape.Device.Copy(actions, done);
        }
        else if (taken > 0)
        {
            Mark(tape, actions, done);
        }
        if (!continueMask.IsNone)
        {
            var perAgent = before.Reshape(rows * Agents, Actions);
            tape.Device.Zip(default(Multiply), perAgent, continueMask.Reshape(rows * Agents, 1), perAgent);
        }
        return before;
    }

    /// <summary>[rows, N A] what was done a step before each row of a batch, the last row included; zeros where an episode begins.</summary>
    public Tensor Before(Tape tape, EpisodeBatch batch) => batch.IsSegmented
        ? Before(tape, batch.PreviousActions, (batch.Steps + 1) * batch.Count, batch.ContinueMask)
        : Before(tape, Of(batch), (batch.Steps + 1) * batch.Count);

    /// <summary>What was done as episodes keep it: [T, B, N], or [T, B, N, A] where actions are numbers.</summary>
    public Tensor Of(EpisodeBatch batch) => continuous ? batch.ContinuousActions : batch.Actions;

    /// <summary>[T, B, N, A] what was done.</summary>
    public Tensor Done(Tape tape, EpisodeBatch batch)
        => continuous ? batch.ContinuousActions : OneHot(tape, batch.Actions).Reshape(batch.Steps, batch.Count, Agents, Actions);

    /// <summary>[T, B, N, N A]: to every agent the joint action of its row of some actions [T, B, N, A].</summary>
    public Tensor ToEach(Tape tape, Tensor actions)
    {
        int rows = actions.Count / (Agents * Actions), width = Agents * Actions;
        var each = tape.Scratch(actions.Shape.With(-1, width));
        tape.Device.CopyStrided(actions, [0, width, 0, 1], each, [0, Agents * width, width, 1], [1, rows, Agents, width], accumulate: false);
        return each;
    }

    /// <summary>[T, B, N, N A]: the same with every agent's own action replaced.</summary>
    /// <param name="each">[T, B, N, N A] to every agent a joint action.</param>
    /// <param name="own">[T, B, N, A]</param>
    public Var Replace(Tensor each, Var own)
    {
        int rows = own.Shape.Count / (Agents * Actions);
        var others = own.Tape.Scratch(each.Shape);
        own.Tape.Device.Zip(default(Multiply), each, own.Tape.Resident(Others), others);
        var blocks = own.Reshape(rows, Agents, 1, Actions) * own.Tape.Resident(identity).Reshape(Agents, Agents, 1);
        return blocks.Reshape(each.Shape) + others;
    }

    /// <summary>Adds 1 to every agent's action.</summary>
    private void Mark(Tape tape, Tensor actions, Tensor joint)
    {
        int rows = joint.Shape[0];
        var (index, ones) = (tape.Scratch(new Shape(rows, Agents)), tape.Scratch(new Shape(rows, Agents)));
        tape.Device.Zip(default(Add), actions.Reshape(index.Shape), tape.Resident(offsets), index);
        tape.Device.Fill(ones, 1f);
        tape.Device.ScatterAdd(ones, index, joint);
    }
}
