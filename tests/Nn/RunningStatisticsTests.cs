using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

public sealed class RunningStatisticsTests
{
    private static readonly float[] Numbers = [1, 10, 2, 20, 4, 50, 8, -10, 16, 0, 3, 7];

    [Theory]
    [InlineData(12), InlineData(4, 8), InlineData(2, 2, 8)]
    public void BatchesMergeToTheWhole(params int[] sizes)
    {
        var statistics = new RunningStatistics(columns: 2, count: 0);
        int start = 0;
        foreach (int size in sizes)
        {
            statistics.Update(Numbers.AsSpan(start, size));
            start += size;
        }
        for (int column = 0; column < 2; column++)
        {
            double[] values = [.. Numbers.Where((_, i) => i % 2 == column).Select(x => (double)x)];
            double mean = values.Average();
            Assert.Equal(mean, statistics.Mean[column], 1e-12);
            Assert.Equal(values.Average(x => (x - mean) * (x - mean)), statistics.Variance[column], 1e-12);
        }
        Assert.Equal(6, statistics.Count);
    }

    [Fact]
    public void TheFirstBatchByTheFormula()
    {
        var statistics = new RunningStatistics(1, count: 2, unbiased: true);
        statistics.Update([1f, 3f]);
        // m = 2, v = 2, d = 2, total = 4
        Assert.Equal(1, statistics.Mean[0]);
        Assert.Equal((1 * 2 + 2 * 2 + 4 * 2 * 2 / 4.0) / 4, statistics.Variance[0]);
        Assert.Equal(4, statistics.Count);
    }

    [Fact]
    public void MaskedRowsDoNotCount()
    {
        RunningStatistics all = new(2), masked = new(2);
        all.Update([1f, 2f, 5f, 6f]);
        masked.Update(Tensor.Of([1f, 2f, float.NaN, 4f, 5f, 6f], 3, 2), Tensor.Of([1f, 0f, 1f], 3, 1));
        Assert.Equal(all.State, masked.State);
        masked.Update([9f, 9f], [0f]);
        Assert.Equal(all.State, masked.State);
        Assert.Throws<ArgumentException>(() => masked.Update([1f, 2f, 3f, 4f], [1f]));
        Assert.Throws<ArgumentException>(() => masked.Update([1f, 2f, 3f]));
    }

    [Fact]
    public void OneRowHasNoVarianceOfItsOwn()
    {
        var statistics = new RunningStatistics(1, unbiased: true);
        statistics.Update([5f]);
        Assert.True(double.IsFinite(statistics.Variance[0]));
    }

    [Fact]
    public void NormalizeAndBack()
    {
        var statistics = new RunningStatistics(2, count: 0);
        statistics.Update(Numbers);
        var x = Tensor.Of([.. Numbers], 3, 2, 2);
        statistics.Normalize(x);
        var check = new RunningStatistics(2, count: 0);
        check.Update(x);
        Assert.Equal(0, check.Mean[0], 1e-6);
        Assert.Equal(1, check.Variance[1], 1e-6);
        statistics.Denormalize(x);
        Assert.All(Numbers.Zip(x.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
    }

    [Theory]
    [InlineData(-1f), InlineData(1e6f), InlineData(-3e-5f), InlineData(0f)]
    public void AConstantColumnKeepsItsSign(float value)
    {
        RunningStatistics statistics = new(2);
        for (int update = 0; update < 20_000; update++)
        {
            statistics.Update([value, update]);
            if (update is 1 or 100 or 19_999)
            {
                float[] x = [value, update, value, 0f], centered = [.. x];
                statistics.Normalize(x, centersConstants: false);
                statistics.Normalize(centered);
                Assert.Equal((true, false), (statistics.IsConstant(0), statistics.IsConstant(1)));
                // The initial variance of 1 has the weight of 1e-4 values.
                Assert.Equal(value == 0 ? 0 : MathF.Sign(value) / Math.Sqrt(1 + 1e-4 / (update + 1) * (1 / ((double)value * value) - 1)), x[0], 1e-4);
                Assert.Equal(x[0], x[2]);
                Assert.Equal(0, centered[0], 0.02f);
                Assert.Equal((centered[1], centered[3]), (x[1], x[3]));
            }
        }
        statistics.Update([value + 1e-3f * MathF.Max(1f, MathF.Abs(value)), 0f]);
        Assert.False(statistics.IsConstant(0));
    }

    [Fact]
    public void WithoutValuesNoColumnIsConstant() => Assert.False(new RunningStatistics(1).IsConstant(0));

    [Fact]
    public void TheStateRestoresExactly()
    {
        RunningStatistics a = new(2), b = new(2);
        a.Update(Numbers);
        b.State = a.State;
        a.Update([3f, 4f]);
        b.Update([3f, 4f]);
        Assert.Equal(a.State, b.State);
        Assert.Throws<ArgumentException>(() => b.State = [1, 2, 3]);
    }

    [Fact]
    public void AnUpdateAllocatesNothing()
    {
        var statistics = new RunningStatistics(2);
        long least = long.MaxValue;
        for (int round = 0; round < 4; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            statistics.Update(Numbers);
            statistics.Normalize(Numbers.AsSpan(0, 0));
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }
}
