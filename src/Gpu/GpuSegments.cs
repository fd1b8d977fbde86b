namespace Marl.Native.Gpu;

/// <summary>
/// Segments cut into parts, one per group of threads, so that no part takes much longer than the others. The cuts depend on the lengths alone, so that every
/// GPU sums in the same order.
/// </summary>
internal sealed class GpuSegments : Segments
{
    /// <summary>The most elements of a part, if that gives no more parts than keep a device busy.</summary>
    private const int MaxPartLength = 1 << 14;

    /// <param name="device">The device.</param>
    /// <param name="lengths">The lengths of the segments.</param>
    /// <param name="targetGroups">The number of groups that keeps the device busy.</param>
    public GpuSegments(GpuDevice device, ReadOnlySpan<int> lengths, int targetGroups) : base(lengths)
    {
        int most = Math.Max(MaxPartLength, Count / targetGroups + 1), first = 0;
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

    /// <summary>The number of parts.</summary>
    public int Parts { get; }

    /// <summary>[2 parts] integers: the first element of each part and its length.</summary>
    public Tensor PartTable { get; }

    /// <summary>[segments + 1] integers: the first part of each segment, and the number of parts.</summary>
    public Tensor BeginTable { get; }
}
