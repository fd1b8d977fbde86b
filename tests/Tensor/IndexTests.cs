namespace Marl.Native.Tests;

/// <summary>Copies and indexing against one element at a time.</summary>
public sealed class IndexTests
{
    private static readonly Device Device = Device.Cpu;

    [Fact]
    public void StridedCopies()
    {
        var rng = new Rng(1);
        int[] sizes = [0, 1, 2, 3, 7, 16, 19];
        for (int trial = 0; trial < 500; trial++)
        {
            int[] lengths = [sizes[rng.NextInt(5)], sizes[rng.NextInt(5)], sizes[rng.NextInt(1, 5)], sizes[rng.NextInt(1, 6)]];
            int[] xStrides = Strides(ref rng, lengths, broadcast: true, out int xCount);
            int[] yStrides = Strides(ref rng, lengths, broadcast: false, out int yCount);
            Tensor x = Noise.Of(ref rng, xCount), y = Noise.Of(ref rng, yCount);
            bool accumulate = rng.NextInt(2) == 0;
            float[] expected = y.ToArray();
            for (int i = 0; i < lengths[0] * lengths[1] * lengths[2] * lengths[3]; i++)
            {
                int xAt = 0, yAt = 0;
                for (int axis = 3, rest = i; axis >= 0; rest /= lengths[axis], axis--)
                {
                    xAt += rest % lengths[axis] * xStrides[axis];
                    yAt += rest % lengths[axis] * yStrides[axis];
                }
                expected[yAt] = accumulate ? expected[yAt] + x.Span[xAt] : x.Span[xAt];
            }
            Device.CopyStrided(x, xStrides, y, yStrides, lengths, accumulate);
            string what = $"{string.Join(',', lengths)} from {string.Join(',', xStrides)} to {string.Join(',', yStrides)}";
            Noise.AssertSameBits(expected, y.Span, what);
        }
    }

    [Fact]
    public void StridesThatLeaveTheTensorAreRefused()
    {
        Tensor x = Tensor.Zeros(6), y = Tensor.Zeros(9);
        Assert.Throws<ArgumentException>(() => Device.CopyStrided(x, [0, 0, 3, 1], y, [0, 0, 3, 1], [1, 1, 3, 3], false));
    }

    [Fact]
    public void CopyFillReadWrite()
    {
        Tensor x = Tensor.Of([1, 2, 3]), y = Tensor.Zeros(3);
        Device.Copy(x, y);
        Assert.Equal([1f, 2f, 3f], y.ToArray());
        Device.Fill(y, 7);
        y.Slice(1, 1).CopyFrom([5]);
        Assert.Equal([7f, 5f, 7f], y.ToArray());
    }

    [Fact]
    public void GathersAndScattersWithinRows()
    {
        var rng = new Rng(2);
        Tensor x = Noise.Of(ref rng, 4, 3, 7), index = Noise.Indices(ref rng, 7, 4, 3, 2), y = Noise.Of(ref rng, 4, 3, 2);
        Device.Gather(x, index, y);
        for (int i = 0; i < y.Count; i++)
        {
            Assert.Equal(x.Span[i / 2 * 7 + (int)index.Span[i]], y.Span[i]);
        }
        float[] expected = x.ToArray();
        for (int i = 0; i < y.Count; i++)
        {
            expected[i / 2 * 7 + (int)index.Span[i]] += y.Span[i];
        }
        Device.ScatterAdd(y, index, x);
        Assert.Equal(expected, x.ToArray());
    }

    [Fact]
    public void GathersAndScattersRows()
    {
        var rng = new Rng(3);
        foreach (int width in new[] { 1, 5, 16, 37 })
        {
            Tensor w = Noise.Of(ref rng, 6, width), index = Noise.Indices(ref rng, 6, 3, 4), y = Noise.Of(ref rng, 3, 4, width);
            Device.GatherRows(w, index, y);
            float[] expected = w.ToArray();
            for (int i = 0; i < y.Count; i++)
            {
                Assert.Equal(w.Span[(int)index.Span[i / width] * width + i % width], y.Span[i]);
                expected[(int)index.Span[i / width] * width + i % width] += y.Span[i];
            }
            Device.ScatterAddRows(y, index, w);
            Assert.Equal(expected, w.ToArray());
        }
    }

    [Theory]
    [InlineData(-1f)]
    [InlineData(3f)]
    [InlineData(float.NaN)]
    public void IndicesOutsideAreNamed(float index)
    {
        Tensor x = Tensor.Zeros(2, 3), at = Tensor.Of([0, index], 2, 1), y = Tensor.Zeros(2, 1);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Device.Gather(x, at, y));
        Assert.Contains($"index {index} is outside 0..2", error.Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Device.ScatterAdd(y, at, x));
        Tensor w = Tensor.Zeros(3, 4), rows = Tensor.Zeros(2, 4);
        Assert.Throws<ArgumentOutOfRangeException>(() => Device.GatherRows(w, at, rows));
        Assert.Throws<ArgumentOutOfRangeException>(() => Device.ScatterAddRows(rows, at, w));
    }

    /// <summary>Dense strides under a random order of the axes, some of them broadcast, with room between rows.</summary>
    private static int[] Strides(ref Rng rng, int[] lengths, bool broadcast, out int count)
    {
        int[] order = [0, 1, 2, 3], strides = new int[4];
        for (int i = 3; i > 0; i--)
        {
            int j = rng.NextInt(3) == 0 ? rng.NextInt(i + 1) : i;
            (order[i], order[j]) = (order[j], order[i]);
        }
        int step = rng.NextInt(4) == 0 ? 2 : 1;
        for (int i = 3; i >= 0; i--)
        {
            bool still = broadcast && rng.NextInt(4) == 0;
            strides[order[i]] = still ? 0 : step;
            step *= still ? 1 : Math.Max(1, lengths[order[i]]) + (rng.NextInt(3) == 0 ? 1 : 0);
        }
        count = step;
        return strides;
    }
}
