namespace Marl.Native.Rl;

/// <summary>Writes an input [rows, agents, width] column by column.</summary>
internal ref struct ColumnWriter(Tape tape, int rows, int agents, int width)
{
    private int column;

    /// <summary>[rows, agents, width] The input.</summary>
    public Tensor Input { get; } = tape.Scratch(new Shape(rows, agents, width));

    /// <summary>Adds columns that are equal for all agents: x [rows, w], or fewer rows, which are repeated.</summary>
    public void AddCommon(Tensor x) => Add(x, x.Shape.Rows, x.Shape[-1], nextAgent: 0);

    /// <summary>Adds columns that differ between agents: x [rows, agents, w].</summary>
    public void AddOwn(Tensor x) => Add(x, x.Shape.Rows / agents, agents * x.Shape[-1], x.Shape[-1]);

    /// <summary>Adds columns that differ between agents and are equal in all rows: x [agents, w].</summary>
    public void AddFixed(Tensor x) => AddOwn(tape.Cached(x));

    private void Add(Tensor x, int period, int nextRow, int nextAgent)
    {
        int w = x.Shape[-1];
        var part = new Tensor(Input.Storage, Input.Offset + column, new Shape(Input.Count - column));
        tape.Device.CopyStrided(x, [0, nextAgent, nextRow, 1], part, [period * agents * width, width, agents * width, 1],
            [rows / period, agents, period, w], accumulate: false);
        column += w;
    }
}
