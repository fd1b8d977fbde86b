namespace Marl.Native;

/// <summary>Consecutive segments of a flat tensor, for instance the parameters of each layer. See <see cref="Device.SumSquares"/>.</summary>
public class Segments
{
    private readonly int[] lengths;

    /// <summary>See <see cref="Device.CreateSegments"/>.</summary>
    protected internal Segments(ReadOnlySpan<int> lengths)
    {
        this.lengths = lengths.ToArray();
        Count = this.lengths.Sum();
    }

    /// <summary>The total number of elements.</summary>
    public int Count { get; }

    /// <summary>The number of elements of each segment.</summary>
    public ReadOnlySpan<int> Lengths => lengths;
}
