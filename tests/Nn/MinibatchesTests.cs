using Marl.Native.Nn;

namespace Marl.Native.Tests;

public sealed class MinibatchesTests
{
    [Theory]
    [InlineData(10, 4, false, new[] { 4, 4, 2 })]
    [InlineData(10, 4, true, new[] { 4, 4 })]
    [InlineData(8, 4, true, new[] { 4, 4 })]
    [InlineData(3, 5, false, new[] { 3 })]
    [InlineData(3, 5, true, new int[0])]
    public void EveryRowIsInOneMinibatchUnlessTheLastIsDropped(int count, int size, bool dropLast, int[] expected)
    {
        var batches = new Minibatches(count, size, dropLast);
        var rng = new Rng(1);
        for (int epoch = 0; epoch < 3; epoch++)
        {
            Assert.Equal(expected, Enumerable.Range(0, batches.Count).Select(i => batches[i].Count));
            float[] rows = [.. Enumerable.Range(0, batches.Count).SelectMany(i => batches[i].ToArray())];
            Assert.Equal(rows.Length, rows.Distinct().Count());
            Assert.All(rows, row => Assert.InRange(row, 0, count - 1));
            batches.Shuffle(ref rng);
        }
    }

    [Fact]
    public void RowsOfTensorsOfAnyRankBelongTogether()
    {
        var (batches, tape, rng) = (new Minibatches(6, 4), new Tape(), new Rng(2));
        Tensor labels = Tensor.Of([0f, 1f, 2f, 3f, 4f, 5f]), images = Tensor.Of([.. Enumerable.Range(0, 24).Select(i => (float)i)], 6, 1, 2, 2);
        batches.Shuffle(ref rng);
        using (tape.Step())
        {
            var (x, y) = (batches.Rows(tape, images, 1), batches.Rows(tape, labels, 1));
            Assert.Equal((new Shape(2, 1, 2, 2), new Shape(2)), (x.Shape, y.Shape));
            Assert.Equal([.. y.ToArray().SelectMany(label => Enumerable.Range(0, 4).Select(k => 4 * label + k))], x.ToArray());
            Assert.Equal(batches[1].ToArray(), y.ToArray());
            Assert.Contains("[5]", Assert.Throws<ArgumentException>(() => batches.Rows(tape, Tensor.Zeros(5), 0)).Message);
        }
    }

    [Fact]
    public void EveryOrderIsEquallyLikely()
    {
        var (batches, rng, counts) = (new Minibatches(3, 3), new Rng(3), new Dictionary<string, int>());
        for (int draw = 0; draw < 6000; draw++)
        {
            batches.Shuffle(ref rng);
            string order = string.Concat(batches[0].ToArray());
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }
        Assert.Equal(6, counts.Count);
        // Five standard deviations.
        Assert.All(counts.Values, count => Assert.InRange(count, 1000 - 145, 1000 + 145));
    }
}
