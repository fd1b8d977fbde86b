namespace Marl.Native.Nn;

/// <summary>Shuffles the rows of a data set and cuts them into minibatches. A row is an element of the first axis.</summary>
/// <example>
/// <code>
/// Tensor data = Tensor.Zeros(1000, 4);
/// var (batches, tape, rng) = (new Minibatches(count: 1000, size: 50), new Tape(), new Rng(1));
/// batches.Shuffle(ref rng);
/// for (int i = 0; i &lt; batches.Count; i++)
/// {
///     using (tape.Step())
///     {
///         Tensor x = batches.Rows(tape, data, i);   // [50, 4]
///     }
/// }
/// </code>
/// </example>
public sealed class Minibatches
{
    private readonly float[] order;
    private readonly Tensor indices;
    private readonly int size;

    /// <summary>Creates minibatches in the original order, until <see cref="Shuffle"/>.</summary>
    /// <param name="count">The number of rows of the data set, at most 2^24: a float represents larger indices inexactly.</param>
    /// <param name="size">The number of rows of a minibatch.</param>
    /// <param name="dropLast">Whether to drop a smaller last minibatch.</param>
    /// <param name="device">The device of the data set; by default the CPU.</param>
    /// <exception cref="ArgumentOutOfRangeException">count or size is out of range.</exception>
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

    /// <summary>The number of minibatches.</summary>
    public int Count { get; }

    /// <summary>[size] the row indices of minibatch i; the last minibatch may be smaller.</summary>
    public Tensor this[int i] => indices.Slice(i * size, Math.Min(size, order.Length - i * size));

    /// <summary>Draws a new uniform permutation (Fisher and Yates 1938).</summary>
    public void Shuffle(ref Rng rng)
    {
        for (int i = order.Length - 1; i > 0; i--)
        {
            int j = rng.NextInt(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        indices.CopyFrom(order);
    }

    /// <summary>Copies the rows of minibatch i from a tensor [count, ..] to a tensor [size, ..] in the memory of the tape's step.</summary>
    /// <exception cref="ArgumentException">The tensor has another number of rows.</exception>
    public Tensor Rows(Tape tape, Tensor data, int i)
    {
        if (data.Shape.Rank == 0 || data.Shape[0] != order.Length)
        {
            throw new ArgumentException($"Minibatches: a tensor of shape {data.Shape}; expected {order.Length} rows");
        }
        var (index, width) = (this[i], data.Count / order.Length);
        var rows = tape.Scratch(data.Shape.With(0, index.Count));
        tape.Device.GatherRows(data.Reshape(order.Length, width), index, rows.Reshape(index.Count, width));
        return rows;
    }
}
