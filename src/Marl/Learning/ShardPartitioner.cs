namespace Marl.Native.Rl;

/// <summary>
/// Partitions a batch of episodes into shards of about equal work. Episodes are padded to the longest of their shard, so episodes of similar length are
/// grouped, and the number of rows of the largest shard is minimized. The partition depends on the lengths only, not on the number of threads.
/// </summary>
/// <param name="count">Episodes per batch.</param>
/// <param name="shards">Shards per batch, at most <paramref name="count"/>.</param>
internal sealed class ShardPartitioner(int count, int shards)
{
    private readonly long[] keys = new long[count];
    private readonly int[] ends = new int[shards];

    /// <summary>The upper bound of a shard's rows in units of the longest episode's rows, and the size of equal shards.</summary>
    public int MaxEpisodesPerShard => (count + shards - 1) / shards;

    /// <summary>The episodes of a shard.</summary>
    public Range this[int shard] => (shard == 0 ? 0 : ends[shard - 1])..ends[shard];

    /// <summary>Sorts the episodes by length, longest first and stable, and partitions them. No shard is empty.</summary>
    public void Partition(Span<Episode> episodes)
    {
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = ((long)-episodes[i].Length << 32) + i;
        }
        keys.AsSpan().Sort(episodes);
        long least = Rows(episodes[0]), enough = least * MaxEpisodesPerShard;
        while (least < enough)
        {
            long middle = (least + enough) / 2;
            (least, enough) = TryPartition(episodes, middle) ? (least, middle) : (middle + 1, enough);
        }
        TryPartition(episodes, enough);
    }

    /// <summary>Fills shards greedily up to <paramref name="rows"/> rows, leaving one episode for each later shard; returns whether all episodes fit.</summary>
    private bool TryPartition(ReadOnlySpan<Episode> episodes, long rows)
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
