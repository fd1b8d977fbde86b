namespace Marl.Native.Rl;

/// <summary>The actions of all agents as numbers, for critics that see them.</summary>
internal sealed class JointActions
{
    private readonly Tensor offsets, identity;

    public JointActions(EnvironmentSpec spec)
    {
        (Agents, Actions) = (spec.Agents.Length, spec.ActionCount);
        float[] first = [.. Enumerable.Range(0, Agents).Select(agent => (float)(agent * Actions))];
        offsets = Tensor.Of(first);
        identity = Tensor.Zeros(Agents, Agents);
        for (int agent = 0; agent < Agents; agent++)
        {
            identity.Span[agent * Agents + agent] = 1f;
        }
    }

    /// <summary>N</summary>
    public int Agents { get; }

    /// <summary>A</summary>
    public int Actions { get; }

    /// <summary>[N, N] each agent's own name.</summary>
    public Tensor Identity => identity;

    /// <summary>[rows, N A] a joint action per row: one-hot, one agent behind the other.</summary>
    /// <param name="tape">memory.</param>
    /// <param name="actions">[.., N]</param>
    public Tensor OneHot(Tape tape, Tensor actions)
    {
        int rows = actions.Count / Agents;
        var (index, ones, joint) = (tape.Scratch(new Shape(rows, Agents)), tape.Scratch(new Shape(rows, Agents)), tape.Scratch(new Shape(rows, Agents * Actions)));
        tape.Device.Zip(default(Add), actions.Reshape(index.Shape), tape.Resident(offsets), index);
        tape.Device.Fill(ones, 1f);
        tape.Device.Fill(joint, 0f);
        tape.Device.ScatterAdd(ones, index, joint);
        return joint;
    }
}

/// <summary>The input of a critic, [rows, N, F], filled from the first column to the last.</summary>
internal ref struct InputColumns(Tape tape, int rows, int agents, int size)
{
    private int column;

    /// <summary>[rows, N, F]</summary>
    public Tensor Input { get; } = tape.Scratch(new Shape(rows, agents, size));

    /// <summary>What is the same for all agents, [rows, width].</summary>
    public void AddCommon(Tensor x) => Add(x, x.Shape[-1], x.Shape[-1], 0);

    /// <summary>What is each agent's own, [rows, N, width].</summary>
    public void AddOwn(Tensor x) => Add(x, x.Shape[-1], agents * x.Shape[-1], x.Shape[-1]);

    /// <summary>What is the same in all rows, [N, width].</summary>
    public void AddFixed(Tensor x) => Add(tape.Resident(x), x.Shape[-1], 0, x.Shape[-1]);

    private void Add(Tensor x, int width, int nextRow, int nextAgent)
    {
        var part = new Tensor(Input.Storage, Input.Offset + column, new Shape(Input.Count - column));
        tape.Device.CopyStrided(x, [0, nextRow, nextAgent, 1], part, [0, agents * size, size, 1], [1, rows, agents, width], accumulate: false);
        column += width;
    }
}
