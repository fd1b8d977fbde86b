namespace Marl.Native.Tests;

public sealed class TensorTests
{
    [Fact]
    public void ShapesCountAndIndex()
    {
        var shape = new Shape(2, 3, 4);
        Assert.Equal((3, 24, 4, 6, 4, 2), (shape.Rank, shape.Count, shape.Columns, shape.Rows, shape[-1], shape[0]));
        Assert.Equal((0, 1, 1, 1), (new Shape().Rank, new Shape().Count, new Shape().Columns, new Shape().Rows));
        Assert.Equal((5, 0), (new Shape(5, 0).Rows, new Shape(5, 0).Count));
        Assert.Equal("[2, 3, 4]", shape.ToString());
        Assert.Equal(new Shape(2, 9, 4), shape.With(1, 9));
        Assert.Equal(new Shape(2, 9, 4), shape.With(-2, 9));
        Assert.Equal(new Shape(2, 4), shape.Without(1));
        Assert.Equal(new Shape(2, 3), shape.Without(-1));
        Assert.Equal(new Shape(2, 3, 4, 5), shape.Append(5));
        Assert.Equal(12, shape.Product(1, 3));
        Assert.NotEqual(new Shape(2, 1), new Shape(2));
        Assert.Contains("[2, 3, 4]", Assert.Throws<ArgumentOutOfRangeException>(() => shape[3]).Message);
        Assert.Throws<ArgumentException>(() => new Shape(1, 2, 3, 4, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Shape(-1));
    }

    [Fact]
    public void ShapesBroadcast()
    {
        Assert.Equal(new Shape(4, 2, 3), Shape.Broadcast(new(2, 1), new(4, 1, 3)));
        Assert.Equal(new Shape(2, 3), Shape.Broadcast(new(2, 3), new()));
        var error = Assert.Throws<ArgumentException>(() => Shape.Broadcast(new(2, 3), new(4, 3)));
        Assert.Contains("[2, 3] and [4, 3]", error.Message);
    }

    [Fact]
    public void ViewsShareNumbers()
    {
        var x = Tensor.Of([0, 1, 2, 3, 4, 5], 3, 2);
        Assert.Equal([2f, 3f], x[1].ToArray());
        Assert.Equal([2f, 3f, 4f, 5f], x.Slice(1, 2).ToArray());
        x[1].Span[0] = 9;
        Assert.Equal(9, x.Reshape(6).Span[2]);
        Assert.Equal(9, x[1].Slice(0, 1).ToScalar());
        var y = Tensor.Zeros(6);
        x.CopyTo(y);
        Assert.Equal([0f, 1f, 9f, 3f, 4f, 5f], y.ToArray());
        Assert.True(default(Tensor).IsNone);
        Assert.Equal("Tensor[3, 2]", x.ToString());
    }

    [Fact]
    public void MistakesNameTheShapes()
    {
        var x = Tensor.Zeros(3, 2);
        Assert.Contains("[3, 2] has 6 elements, [4] has 4", Assert.Throws<ArgumentException>(() => x.Reshape(4)).Message);
        Assert.Contains("slice 2..4 of [3, 2]", Assert.Throws<ArgumentOutOfRangeException>(() => x.Slice(2, 2)).Message);
        Assert.Throws<ArgumentException>(() => x.CopyFrom([1f]));
        Assert.Throws<ArgumentException>(() => x.CopyTo(Tensor.Zeros(5)));
        Assert.Throws<ArgumentException>(() => Tensor.Of([1, 2], 3));
        Assert.Throws<ArgumentException>(() => new Tensor(x.Storage, 4, new(3)));
        Assert.Throws<InvalidOperationException>(() => x.ToScalar());
    }

    [Fact]
    public void TensorSpansSeeTheSameNumbers()
    {
        var rng = new Rng(1);
        var x = Noise.Of(ref rng, 2, 3, 4);
        var span = x.AsTensorSpan();
        Assert.Equal(x.Span[1 * 12 + 2 * 4 + 3], span[1, 2, 3]);
        span[0, 1, 2] = 5;
        Assert.Equal(5, x[0][1].Span[2]);
        Assert.Equal([2, 3, 4], span.Lengths.ToArray().Select(length => (int)length));
    }

    [Fact]
    public unsafe void TensorsSeeTheNumbersOfAPinnedTensorSpan()
    {
        float[] numbers = [1, 2, 3, 4, 5, 6];
        fixed (float* pinned = numbers)
        {
            var span = new System.Numerics.Tensors.TensorSpan<float>(pinned, 6, [2, 3]);
            var x = Tensor.OfPinned(span);
            Assert.Equal(new Shape(2, 3), x.Shape);
            x[1].Span[0] = 40;
            Assert.Equal(40, numbers[3]);
            numbers[5] = 60;
            Assert.Equal([40, 5, 60], x[1].ToArray());
            nint address = (nint)pinned;
            Assert.Throws<ArgumentException>(() => Tensor.OfPinned(new((float*)address, 6, [2, 2], [3, 1])));
        }
    }

    [Fact]
    public unsafe void StorageStartsOnACacheLine()
    {
        foreach (int count in new[] { 0, 1, 100 })
        {
            var x = Tensor.Zeros(count + 1);
            fixed (float* first = x.Span)
            {
                Assert.Equal(0, (nint)first % 64);
            }
            Assert.All(x.ToArray(), value => Assert.Equal(0f, value));
        }
    }

    [Fact]
    public void ArenasGrowOnceAndThenAllocateNothing()
    {
        var arena = new Arena(Device.Cpu, 50);
        Step();
        Assert.True(arena.Capacity < 3 * 112);
        arena.Reset();
        Assert.True(arena.Capacity >= 3 * 112);
        Step();
        arena.Reset();
        int capacity = arena.Capacity;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Step();
        arena.Reset();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(capacity, arena.Capacity);

        void Step()
        {
            Tensor a = arena.AllocateLow(new(10, 10)), b = arena.AllocateHigh(new(100)), c = arena.AllocateLow(new(100));
            Device.Cpu.Fill(a, 1);
            Device.Cpu.Fill(b, 2);
            Device.Cpu.Fill(c, 3);
            Assert.True(a.Span[99] == 1 && b.Span[0] == 2 && b.Span[99] == 2 && c.Span[0] == 3);
        }
    }

    [Theory]
    [InlineData(1 << 16, 1 << 15), InlineData(1 << 16, 1 << 16), InlineData(1 << 20, 1 << 20, 1 << 20, 1 << 20), InlineData(46341, 46341)]
    public void AShapeOfMoreElementsThanAnArrayIsAnError(params int[] lengths)
        => Assert.Equal($"a tensor of {new Shape(lengths)} has more elements than an array can hold",
            Assert.Throws<InsufficientMemoryException>(() => new Shape(lengths).Count).Message);

    [Fact]
    public void ArenasGiveBackToTheMarks()
    {
        var arena = new Arena(Device.Cpu, 256);
        arena.AllocateLow(new(16));
        (int low, int high) = (arena.Low, arena.High);
        int first = arena.AllocateLow(new(16)).Offset;
        arena.AllocateHigh(new(5));
        arena.Release(low, high);
        Assert.Equal(first, arena.AllocateLow(new(16)).Offset);
    }

    [Fact]
    public void AnArenaGrowsToTheMostThatWasTakenAtOnce()
    {
        var arena = new Arena(Device.Cpu);
        for (int step = 0; step < 2; step++)
        {
            arena.AllocateLow(new(160));
            for (int work = 0; work < 10; work++)
            {
                var (low, high) = (arena.Low, arena.High);
                arena.AllocateHigh(new(320));
                arena.Release(low, high);
            }
            arena.Reset();
            Assert.Equal(480, arena.Capacity);
        }
    }
}
