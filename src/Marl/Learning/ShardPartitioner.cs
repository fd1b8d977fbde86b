namespace Marl.Native.Rl;

/// <summary>
/// Cuts a batch of episodes into shards of about the same work. An episode is padded to the longest of its shard, so those of like length stand together, and
/// the cuts are where the largest shard is smallest. Only the lengths decide, so the result is that of any number of workers.
/// </summary>
/// <param name="count">episodes of a batch.</param>
/// <param name="shards">at most as many.</param>
internal sealed class ShardPartitioner(int count, int shards)
{
    private readonly long[] keys = new long[count];
    private readonly int[] ends = new int[shards];

    /// <summary>A shard has no more rows than so many of the longest episodes: those of shards that are alike.</summary>
    public int MostOfTheLongest => (count + shards - 1) / shards;

    /// <summary>The episodes of a shard.</summary>
    public Range this[int shard] => (shard == 0 ? 0 : ends[shard - 1])..ends[shard];

    /// <summary>Sorts the episodes, the longest first and those of one length as they were, and cuts them. No shard is empty.</summary>
    public void Cut(Span<Episode> episodes)
    {
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = ((long)-episodes[i].Length << 32) + i;
        }
        keys.AsSpan().Sort(episodes);
        long least = Rows(episodes[0]), enough = least * MostOfTheLongest;
        while (least < enough)
        {
            long middle = (least + enough) / 2;
            (least, enough) = TryCut(episodes, middle) ? (least, middle) : (middle + 1, enough);
        }
        TryCut(episodes, enough);
    }

    /// <summary>Whether no shard needs more than <paramref name="rows"/>: each takes what fits, but leaves one for every shard after it.</summary>
    private bool TryCut(ReadOnlySpan<Episode> episodes, long rows)
    {
        int end = 0;
        for (int shard = 0; shard < ends.Length; shard++)
        {
            int first = end++, last = episodes.Length - (ends.Length - 1 - shard);
            while (end < last && Rows(episodes[first]) * (end - first + 1) <= rows)
            {
                end++;
            }
            ends[shard] = end;
        }
        return end == episodes.Length;
    }

    private static long Rows(Episode longest) => longest.Length + 1L;
}
