namespace Marl.Native.Gpu;

/// <summary>
/// Segments as groups go through them: a long one is cut into parts, so that none has more than its share of the work, or than is soon done. How it is cut
/// follows from the lengths alone, so that every GPU sums in the same order.
/// </summary>
internal sealed class GpuSegments : Segments
{
    /// <summary>The most numbers of a part where there are not more of them than keep a device busy.</summary>
    private const int LongPart = 1 << 14;

    /// <param name="device">whose.</param>
    /// <param name="lengths">of the segments.</param>
    /// <param name="busy">how many groups keep it busy.</param>
    public GpuSegments(GpuDevice device, ReadOnlySpan<int> lengths, int busy) : base(lengths)
    {
        int most = Math.Max(LongPart, Count / busy + 1), first = 0;
        List<int> parts = [], begins = [];
        foreach (int length in lengths)
        {
            begins.Add(parts.Count / 2);
            int count = Math.Max(1, (length + most - 1) / most), depth = (length + count - 1) / count;
            for (int part = 0; part < count; part++)
            {
                parts.AddRange([first + part * depth, Math.Min(depth, length - part * depth)]);
            }
            first += length;
        }
        Parts = parts.Count / 2;
        begins.Add(Parts);
        PartTable = device.Integers(parts);
        BeginTable = device.Integers(begins);
    }

    /// <summary>Parts of all segments together.</summary>
    public int Parts { get; }

    /// <summary>[2 parts] integers: where each begins, and how many numbers it has.</summary>
    public Tensor PartTable { get; }

    /// <summary>[segments + 1] integers: the first part of each, and how many there are.</summary>
    public Tensor BeginTable { get; }
}
