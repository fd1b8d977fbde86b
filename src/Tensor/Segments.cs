namespace Marl.Native;

/// <summary>Neighboring parts of a flat block, such as the tensors of a network, each of which is summed by itself; see <see cref="Device.SumSquares"/>.</summary>
public class Segments
{
    private readonly int[] lengths;

    /// <summary>See <see cref="Device.Split"/>.</summary>
    protected internal Segments(ReadOnlySpan<int> lengths)
    {
        this.lengths = lengths.ToArray();
        Count = this.lengths.Sum();
    }

    /// <summary>Numbers of all of them together.</summary>
    public int Count { get; }

    /// <summary>How many numbers each has, the first of them first.</summary>
    public ReadOnlySpan<int> Lengths => lengths;
}
