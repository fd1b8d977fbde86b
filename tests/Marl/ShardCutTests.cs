using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Batches are cut so that the largest shard, padded to its longest episode, is as small as it can be.</summary>
public sealed class ShardCutTests
{
    [Fact]
    public void TheLargestShardIsTheSmallestPossible()
    {
        var rng = new Rng(5);
        for (int trial = 0; trial < 500; trial++)
        {
            int count = 1 + rng.NextInt(9), shards = 1 + rng.NextInt(count), limit = 1 + rng.NextInt(12);
            var episodes = Episodes([.. Enumerable.Range(0, count).Select(_ => 1 + rng.NextInt(limit))], limit);
            var cut = Cut(episodes, shards);
            int[] lengths = [.. episodes.Select(e => e.Length)];
            int[] rows = [.. Enumerable.Range(0, shards).Select(s => Rows(lengths[cut[s]]))];

            Assert.All(Enumerable.Range(0, shards), s => Assert.NotEmpty(lengths[cut[s]]));
            Assert.Equal(count, cut[shards - 1].End.Value);
            Assert.Equal(Smallest(lengths, shards), rows.Max());
            Assert.True(rows.Max() <= (limit + 1) * cut.MaxEpisodesPerShard);
        }
    }

    [Fact]
    public void EpisodesOfOneLengthStayInOrderInShardsAlike()
    {
        var episodes = Episodes([7, 7, 7, 7, 7, 7, 7, 7], 7);
        var before = episodes.ToArray();
        var cut = Cut(episodes, 4);
        Assert.Equal(before, episodes);
        Assert.Equal([0..2, 2..4, 4..6, 6..8], Enumerable.Range(0, 4).Select(s => cut[s]));
    }

    [Fact]
    public void FewLongOnesAreMuchAsManyShortOnes()
    {
        var episodes = Episodes([3, 50, 4, 9, 48, 5, 2, 3, 8, 6], 50);
        var cut = Cut(episodes, 2);
        Assert.Equal([50, 48], episodes[cut[0]].Select(e => e.Length));
        Assert.Equal([9, 8, 6, 5, 4, 3, 3, 2], episodes[cut[1]].Select(e => e.Length));
    }

    private static ShardPartitioner Cut(Episode[] episodes, int shards)
    {
        var cut = new ShardPartitioner(episodes.Length, shards);
        cut.Partition(episodes);
        return cut;
    }

    private static Episode[] Episodes(int[] lengths, int limit)
    {
        var spec = EnvironmentSpec.Uniform("nothing", agents: 1, observationSize: 1, actionCount: 2, episodeLimit: limit, snapshotSize: 0);
        return [.. lengths.Select(length => new Episode(spec) { Length = length })];
    }

    private static int Rows(int[] lengths) => (lengths.Max() + 1) * lengths.Length;

    /// <summary>By trying every cut of the sorted lengths.</summary>
    private static int Smallest(int[] lengths, int shards)
        => shards == 1 ? Rows(lengths)
            : Enumerable.Range(1, lengths.Length - shards + 1).Min(first => Math.Max(Rows(lengths[..first]), Smallest(lengths[first..], shards - 1)));
}
