namespace Marl.Native.Tests;

/// <summary>Reductions and softmax against double precision, and the order of summation against its description.</summary>
public sealed class ReduceTests
{
    private static readonly Device Device = Device.Cpu;

    public static TheoryData<int> Lengths => new(Enumerable.Range(0, 2 * 16 + 4).Append(64).Append(100));

    [Theory]
    [MemberData(nameof(Lengths))]
    public void RowsFoldOverSixteenLanesAndATree(int columns)
    {
        var rng = new Rng(1);
        foreach (int rows in new[] { 1, 2, 7 })
        {
            Tensor x = Noise.Of(ref rng, rows, columns), y = Noise.Of(ref rng, rows), max = Noise.Of(ref rng, rows);
            float[] before = y.ToArray();
            Device.Reduce(default(Sum), x, -1, y, accumulate: true);
            Device.Reduce(default(Max), x, 1, max);
            for (int row = 0; row < rows; row++)
            {
                float[] values = columns == 0 ? [] : x[row].ToArray();
                Assert.Equal(before[row] + LanesAndTree(values), y.Span[row]);
                Noise.AssertClose(values.Sum(v => (double)v) + before[row], y.Span[row], 1e-6);
                Assert.Equal(values.Append(float.NegativeInfinity).Max(), max.Span[row]);
            }
        }
    }

    /// <summary>Of segments that lie anywhere; the squares are rounded before they are added up.</summary>
    [Theory]
    [MemberData(nameof(Lengths))]
    public void SquaresOfSegmentsFoldOverSixteenLanesAndATree(int length)
    {
        var rng = new Rng(4);
        int[] lengths = [3, length, 0, length, 17];
        Tensor x = Noise.Of(ref rng, lengths.Sum()), sums = Noise.Of(ref rng, lengths.Length);
        Device.SumSquares(x, Device.CreateSegments(lengths), sums);
        int first = 0;
        for (int s = 0; s < lengths.Length; s++)
        {
            Assert.Equal(LanesAndTree([.. x.ToArray().AsSpan(first, lengths[s]).ToArray().Select(v => v * v)]), sums.Span[s]);
            first += lengths[s];
        }
        Assert.Throws<ArgumentException>(() => Device.SumSquares(x, Device.CreateSegments([length]), sums.Slice(0, 1)));
        Assert.Throws<ArgumentException>(() => Device.SumSquares(x, Device.CreateSegments(lengths), sums.Slice(0, 1)));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void ColumnsFoldOverFourLanes(int inner)
    {
        var rng = new Rng(2);
        foreach (int length in new[] { 0, 1, 2, 3, 4, 5, 8, 11, 50 })
        {
            Tensor x = Noise.Of(ref rng, 3, length, inner), sum = Noise.Of(ref rng, 3, inner), max = Noise.Of(ref rng, 3, inner);
            float[] before = sum.ToArray();
            Device.Reduce(default(Sum), x, 1, sum, accumulate: true);
            Device.Reduce(default(Max), x, 1, max);
            for (int i = 0; i < sum.Count; i++)
            {
                int start = i / inner * length * inner + i % inner;
                float[] column = [.. Enumerable.Range(0, length).Select(k => x.Span[start + k * inner])];
                Assert.Equal(before[i] + (inner == 1 ? LanesAndTree(column) : FourLanes(column)), sum.Span[i]);
                Assert.Equal(column.Append(float.NegativeInfinity).Max(), max.Span[i]);
            }
        }
    }

    [Fact]
    public void ArgMaxTakesTheFirstGreatestAvailable()
    {
        float nan = float.NaN, low = float.NegativeInfinity;
        var x = Tensor.Of([1, 3, 3, 2, nan, 1, 2, nan, low, low, low, low, nan, nan, nan, nan, 5, 6, 7, 8], 5, 4);
        var mask = Tensor.Of([1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0], 5, 4);
        var index = Tensor.Zeros(5);
        Device.ArgMax(x, default, index);
        Assert.Equal([1f, 2f, 0f, 0f, 3f], index.ToArray());
        Device.ArgMax(x, mask, index);
        Assert.Equal([2f, 2f, 1f, 0f, 0f], index.ToArray());
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void LogSoftmaxAndItsDerivatives(int columns)
    {
        var rng = new Rng(3);
        foreach (bool masked in new[] { false, true })
        {
            Tensor x = Noise.Between(ref rng, -5, 5, 9, columns), mask = masked ? Noise.Mask(ref rng, 0.6f, 9, columns) : default;
            Tensor y = Noise.Of(ref rng, 9, columns), d = Noise.Of(ref rng, 9, columns), dx = Noise.Of(ref rng, 9, columns);
            var z = Noise.Of(ref rng, 9, columns);
            float[] dx0 = dx.ToArray(), z0 = z.ToArray();
            Device.LogSoftmax(x, mask, y);
            Device.LogSoftmaxBackward(y, mask, d, dx);
            Device.LogSoftmaxTangent(y, mask, d, z);
            for (int row = 0; row < 9; row++)
            {
                int[] available = [.. Enumerable.Range(row * columns, columns).Where(i => !masked || mask.Span[i] != 0)];
                double log = Math.Log(available.Sum(i => Math.Exp(x.Span[i])));
                double sum = available.Sum(i => (double)d.Span[i]);
                double mean = available.Sum(i => Math.Exp(x.Span[i] - log) * d.Span[i]);
                for (int i = row * columns; i < (row + 1) * columns; i++)
                {
                    bool open = available.Contains(i);
                    double p = Math.Exp(x.Span[i] - log);
                    Noise.AssertClose(open ? x.Span[i] - log : 0, y.Span[i], 1e-6, "y");
                    Noise.AssertClose(dx0[i] + (open ? d.Span[i] - p * sum : 0), dx.Span[i], 2e-6, "dx");
                    Noise.AssertClose(z0[i] + (open ? d.Span[i] - mean : 0), z.Span[i], 2e-6, "z");
                    Assert.True(open || y.Span[i] == 0 && dx.Span[i] == dx0[i] && z.Span[i] == z0[i]);
                }
            }
        }
    }

    [Fact]
    public void LogSoftmaxOfExtremes()
    {
        float low = float.NegativeInfinity;
        var y = Tensor.Zeros(3, 3);
        Device.LogSoftmax(Tensor.Of([1e30f, -1e30f, 1e30f, low, 0, 0, 500, 400, -500], 3, 3), default, y);
        float half = -MathF.Log(2);
        Noise.AssertClose(half, y.Span[0], 1e-6);
        Assert.Equal([low, half, half], y.Span[3..6].ToArray());
        Assert.Equal([0f, -100f, -1000f], y.Span[6..].ToArray());
        Device.LogSoftmax(Tensor.Of([low, low, low], 3).Reshape(1, 3), Tensor.Zeros(1, 3), y.Slice(0, 1));
        Assert.Equal([0f, 0f, 0f], y.Span[..3].ToArray());
    }

    [Fact]
    public void ScanRunsBackwards()
    {
        var rng = new Rng(4);
        for (int inner = 0; inner <= 35; inner++)
        {
            const int steps = 6;
            Tensor a = Noise.Of(ref rng, steps, inner), b = Noise.Of(ref rng, steps, inner), y = Noise.Of(ref rng, steps, inner);
            Device.Scan(a, b, y);
            for (int i = 0; i < inner; i++)
            {
                float next = 0;
                for (int t = steps - 1; t >= 0; t--)
                {
                    next = MathF.FusedMultiplyAdd(b.Span[t * inner + i], next, a.Span[t * inner + i]);
                    Assert.Equal(next, y.Span[t * inner + i]);
                }
            }
        }
    }

    /// <summary>Element i to lane i mod 16, then i with i + 8, + 4, + 2, + 1.</summary>
    private static float LanesAndTree(float[] values)
    {
        float[] lanes = new float[16];
        for (int i = 0; i < values.Length; i++)
        {
            lanes[i % 16] += values[i];
        }
        for (int half = 8; half > 0; half /= 2)
        {
            for (int i = 0; i < half; i++)
            {
                lanes[i] += lanes[i + half];
            }
        }
        return lanes[0];
    }

    private static float FourLanes(float[] values)
    {
        float[] lanes = new float[4];
        for (int i = 0; i < values.Length; i++)
        {
            lanes[i % 4] += values[i];
        }
        return lanes[0] + lanes[1] + (lanes[2] + lanes[3]);
    }
}
