namespace Marl.Native.Nn;

/// <summary>The rows of a data set in random order, cut into minibatches; a row is an element of the first axis. docs/engine.md shows the loop.</summary>
public sealed class Minibatches
{
    private readonly float[] order;
    private readonly Tensor indices;
    private readonly int size;

    /// <summary>The rows in their own order, until <see cref="Shuffle"/>.</summary>
    /// <param name="count">rows of the data set, at most 2^24: a float holds an index exactly up to there.</param>
    /// <param name="size">rows of a minibatch.</param>
    /// <param name="dropLast">whether to leave out the last minibatch where it is smaller.</param>
    /// <param name="device">where the rows are.</param>
    /// <exception cref="ArgumentOutOfRangeException">no rows, too many, or no size.</exception>
    public Minibatches(int count, int size, bool dropLast = false, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 1 << 24);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        this.size = size;
        order = [.. Enumerable.Range(0, count).Select(i => (float)i)];
        indices = (device ?? Device.Cpu).Zeros(new Shape(count));
        indices.CopyFrom(order);
        Count = dropLast ? count / size : (count + size - 1) / size;
    }

    /// <summary>Number of minibatches.</summary>
    public int Count { get; }

    /// <summary>[size] the indices of the rows of minibatch i; the last one may be shorter.</summary>
    public Tensor this[int i] => indices.Slice(i * size, Math.Min(size, order.Length - i * size));

    /// <summary>Draws a new order, every one equally likely (Fisher and Yates 1938).</summary>
    public void Shuffle(ref Rng rng)
    {
        for (int i = order.Length - 1; i > 0; i--)
        {
            int j = rng.NextInt(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        indices.CopyFrom(order);
    }

    /// <summary>[size, ..] the rows of a tensor [count, ..] that minibatch i has, in the memory of the tape's step.</summary>
    /// <exception cref="ArgumentException">the tensor has another number of rows.</exception>
    public Tensor Rows(Tape tape, Tensor data, int i)
    {
        if (data.Shape.Rank == 0 || data.Shape[0] != order.Length)
        {
            throw new ArgumentException($"Minibatches: a tensor of {data.Shape} has not {order.Length} rows");
        }
        var (index, width) = (this[i], data.Count / order.Length);
        var rows = tape.Scratch(data.Shape.With(0, index.Count));
        tape.Device.GatherRows(data.Reshape(order.Length, width), index, rows.Reshape(index.Count, width));
        return rows;
    }
}
