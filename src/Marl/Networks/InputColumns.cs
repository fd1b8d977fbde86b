namespace Marl.Native.Rl;

/// <summary>The input of a network with a row per agent, [rows, N, F], filled from the first column to the last.</summary>
internal ref struct InputColumns(Tape tape, int rows, int agents, int size)
{
    private int column;

    /// <summary>[rows, N, F]</summary>
    public Tensor Input { get; } = tape.Scratch(new Shape(rows, agents, size));

    /// <summary>What is the same for all agents: [rows, width], or fewer rows that come again and again.</summary>
    public void AddCommon(Tensor x) => Add(x, x.Shape.Rows, x.Shape[-1], nextAgent: 0);

    /// <summary>What is each agent's own, [rows, N, width].</summary>
    public void AddOwn(Tensor x) => Add(x, x.Shape.Rows / agents, agents * x.Shape[-1], x.Shape[-1]);

    /// <summary>What is the same in all rows, [N, width].</summary>
    public void AddFixed(Tensor x) => AddOwn(tape.Resident(x));

    private void Add(Tensor x, int period, int nextRow, int nextAgent)
    {
        int width = x.Shape[-1];
        var part = new Tensor(Input.Storage, Input.Offset + column, new Shape(Input.Count - column));
        tape.Device.CopyStrided(x, [0, nextAgent, nextRow, 1], part, [period * agents * size, size, agents * size, 1], [rows / period, agents, period, width], accumulate: false);
        column += width;
    }
}
