namespace Marl.Native.Tests;

/// <summary>What the tape promises: when handles end, what memory is kept, what is refused and how it says so.</summary>
public sealed class TapeTests
{
    [Fact]
    public void AHandleEndsWithItsStep()
    {
        var tape = new Tape();
        Var y;
        using (tape.Step())
        {
            y = tape.Variable(Tensor.Of([1f])) * 2f;
            Assert.Equal(2f, y.Value.ToScalar());
        }
        Assert.Throws<InvalidOperationException>(() => y.Value);
        using (tape.Step())
        {
            // Its place is taken again, but not by it.
            tape.Variable(Tensor.Of([1f]));
            tape.Variable(Tensor.Of([1f]));
            var error = Assert.Throws<InvalidOperationException>(() => y + 1f);
            Assert.Contains("after the step or NoGrad scope", error.Message);
        }
    }

    [Fact]
    public void AHandleEndsWithItsNoGradScope()
    {
        var tape = new Tape();
        using (tape.Step())
        {
            Var inner;
            using (tape.NoGrad())
            {
                inner = tape.Constant(Tensor.Of([1f]));
            }
            Assert.Throws<InvalidOperationException>(() => inner.Value);
        }
    }

    [Fact]
    public void AHandleOfAnotherTapeIsRefused()
    {
        var (one, other) = (new Tape(), new Tape());
        using (one.Step())
        using (other.Step())
        {
            var (x, y) = (one.Constant(Tensor.Of([1f])), other.Constant(Tensor.Of([1f])));
            Assert.Throws<InvalidOperationException>(() => x + y);
        }
        Assert.Throws<InvalidOperationException>(() => default(Var) + 1f);
    }

    [Fact]
    public void NothingIsRecordedOutsideOfAScope()
    {
        var tape = new Tape();
        Assert.Throws<InvalidOperationException>(() => tape.Constant(Tensor.Of([1f])));
        using var step = tape.Step();
        Assert.Throws<InvalidOperationException>(() => Begin(tape));

        static void Begin(Tape tape)
        {
            using var step = tape.Step();
        }
    }

    [Fact]
    public void NoGradGivesItsMemoryBackAndKeepsWhatWasAllocatedBefore()
    {
        var tape = new Tape();
        var x = Tensor.Of([1f, 2f, 3f]);
        for (int step = 0; step < 2; step++)
        {
            using (tape.Step())
            {
                var kept = tape.Scratch(x.Shape);
                var (low, high) = (0, 0);
                for (int pass = 0; pass < 2; pass++)
                {
                    using (tape.NoGrad())
                    {
                        var y = tape.Constant(x) * 2f;
                        var scratch = tape.Scratch(x.Shape);
                        y.Value.CopyTo(kept);
                        // The second pass, in a step that the arena is large enough for, is given the same memory as the first.
                        Assert.True(step == 0 || pass == 0 || (low, high) == (y.Value.Offset, scratch.Offset));
                        (low, high) = (y.Value.Offset, scratch.Offset);
                    }
                }
                tape.Scratch(x.Shape).Span.Fill(9f);
                Assert.Equal([2f, 4f, 6f], kept.ToArray());
            }
        }
    }

    [Fact]
    public void KeepEndsAScopeWithOneResultAndGivesTheRestBack()
    {
        var tape = new Tape();
        var x = Tensor.Of([1f, 2f, 3f]);
        long allocated = 0;
        for (int step = 0; step < 3; step++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            using (tape.Step())
            {
                var (first, second) = (Detached(tape, x, 2f), Detached(tape, x, 3f));
                // One beside the other, though each scope took scratch of its own, and neither is recorded.
                Assert.True(step == 0 || first.Offset - second.Offset == 16);
                tape.Scratch(x.Shape).Span.Fill(9f);
                Equal([2f, 4f, 6f], first);
                Equal([3f, 6f, 9f], second);
                // Scratch can be kept itself, and nothing in one scope's memory is lost in the next.
                Equal([5f, 5f, 5f], Filled(tape, x.Shape, 5f));
                Equal([2f, 4f, 6f], first);
                Assert.True((tape.Variable(x) * 2f).Gradient.IsNone);
            }
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Assert.Equal(0, allocated);
        using (var scope = tape.Step())
        {
            Assert.Equal([2f, 4f, 6f], scope.Keep(tape.Constant(x) * 2f).ToArray());
            Assert.Throws<InvalidOperationException>(() => tape.Constant(x));
        }
        Assert.Throws<InvalidOperationException>(() => Twice(tape, x));
        using (tape.Step())
        {
            // The scopes before left nothing open.
            Assert.Equal([3f, 6f, 9f], (tape.Constant(x) * 3f).Value.ToArray());
        }

        static Tensor Detached(Tape tape, Tensor x, float factor)
        {
            using var detached = tape.NoGrad();
            tape.Scratch(new Shape(100)).Span.Fill(7f);
            return detached.Keep(tape.Constant(x) * factor);
        }

        static Tensor Filled(Tape tape, Shape shape, float value)
        {
            using var detached = tape.NoGrad();
            var filled = tape.Scratch(shape);
            filled.Span.Fill(value);
            return detached.Keep(filled);
        }

        static void Twice(Tape tape, Tensor x)
        {
            using var scope = tape.NoGrad();
            scope.Keep(x);
            scope.Keep(x);
        }

        static void Equal(ReadOnlySpan<float> expected, Tensor got) => Assert.True(expected.SequenceEqual(got.Span));
    }

    [Fact]
    public void NothingFlowsThroughValuesFrozenWeightsAndNoGrad()
    {
        var layout = new ParameterLayout();
        var slice = layout.Add("w", new Shape(2), (Span<float> values, Shape _, ref Rng _) => values.Fill(3f));
        var parameters = new Parameters(layout).Initialize(new Rng(1));
        var tape = new Tape();
        using (tape.Step())
        {
            var (w, frozen) = (tape.Bind(parameters)[slice], tape.Detached(parameters)[slice]);
            tape.Backward((w * w.Value + frozen * 5f).Sum());
            Assert.Equal([3f, 3f], parameters.Gradient.ToArray());
            Assert.True(frozen.Gradient.IsNone);
            using (tape.NoGrad())
            {
                tape.Backward((tape.Bind(parameters)[slice] * 7f).Sum());
            }
            Assert.Equal([3f, 3f], parameters.Gradient.ToArray());
        }
    }

    [Fact]
    public void GradientsOfTwoUsesAddUpAndBackwardAddsToParameters()
    {
        var layout = new ParameterLayout();
        var slice = layout.Add("w", new Shape(1), (Span<float> values, Shape _, ref Rng _) => values.Fill(3f));
        var parameters = new Parameters(layout).Initialize(new Rng(1));
        var tape = new Tape();
        using (tape.Step())
        {
            var w = tape.Bind(parameters)[slice];
            var loss = (w * w + 2f * w).Sum();
            tape.Backward(loss);
            tape.Backward(loss);
        }
        Assert.Equal(2 * (2 * 3f + 2f), parameters.Gradient.ToScalar());
    }

    [Fact]
    public void BackwardNeedsOneElementOrAGradient()
    {
        var tape = new Tape();
        using (tape.Step())
        {
            var y = tape.Variable(Tensor.Of([1f, 2f])) * 2f;
            Assert.Contains("[2]", Assert.Throws<ArgumentException>(() => tape.Backward(y)).Message);
            Assert.Contains("[3]", Assert.Throws<ArgumentException>(() => tape.Backward(y, Tensor.Zeros(3))).Message);
        }
    }

    public static TheoryData<string, Func<Tape, Var>, string[]> Misfits => new()
    {
        { "Add", t => Of(t, 2, 3) + Of(t, 2, 4), ["[2, 3]", "[2, 4]"] },
        { "Linear", t => Of(t, 4, 3).Linear(Of(t, 5, 2), Of(t, 5)), ["[4, 3]", "[5, 2]", "[5]"] },
        { "MatMul", t => Of(t, 2, 3).MatMul(Of(t, 4, 2)), ["[2, 3]", "[4, 2]"] },
        { "Gru", t => Of(t, 3, 2, 4).Gru(Of(t, 2, 5), Of(t, 15, 3), Of(t, 15, 5), Of(t, 15), Of(t, 15)), ["[3, 2, 4]", "[15, 3]"] },
        { "MonotoneMix", t => Of(t, 2, 3).MonotoneMix(Of(t, 2, 5), Of(t, 2, 4)), ["[2, 3]", "[2, 5]", "[2, 4]"] },
        { "LogSoftmax", t => Of(t, 2, 3).LogSoftmax(Tensor.Zeros(2, 4)), ["[2, 3]", "[2, 4]"] },
        { "Gather", t => Of(t, 2, 3).Gather(Tensor.Zeros(3, 1)), ["[2, 3]", "[3, 1]"] },
        { "CrossEntropy", t => Of(t, 2, 3).CrossEntropy(Tensor.Zeros(2, 1)), ["[2, 3]", "[2, 1]"] },
        { "Conv2d", t => Of(t, 2, 3, 4, 4).Conv2d(Of(t, 5, 2, 3, 3), Of(t, 5)), ["[2, 3, 4, 4]", "[5, 2, 3, 3]", "[5]"] },
        { "Conv2d", t => Of(t, 2, 3, 4, 4).Conv2d(Of(t, 5, 3, 3, 6), Of(t, 5)), ["[2, 3, 4, 4]", "[5, 3, 3, 6]"] },
        { "GatherRows", t => Of(t, 2, 3, 4).GatherRows(Tensor.Zeros(2)), ["[2, 3, 4]"] },
        { "Concat", t => Ops.Concat(1, Of(t, 2, 3), Of(t, 3, 3)), ["[2, 3]", "[3, 3]"] },
        { "Slice", t => Of(t, 2, 3).Slice(1, 2, 2), ["[2, 3]"] },
        { "Permute", t => Of(t, 2, 3).Permute(0, 1, 2), ["[2, 3]"] },
        { "Permute", t => Of(t, 2, 3).Permute(0, 0), ["[0, 0]"] },
        { "reshape", t => Of(t, 2, 3).Reshape(4, 2), ["[2, 3]", "[4, 2]"] },
    };

    [Theory]
    [MemberData(nameof(Misfits))]
    public void AMisfitNamesTheOpAndTheShapes(string op, Func<Tape, Var> record, string[] shapes)
    {
        var tape = new Tape();
        using (tape.Step())
        {
            var error = Assert.ThrowsAny<ArgumentException>(() => record(tape));
            Assert.StartsWith(op, error.Message);
            Assert.All(shapes, shape => Assert.Contains(shape, error.Message));
        }
    }

    [Fact]
    public void TheArenaGrowsOnceAndThenAStepAllocatesNothing()
    {
        var layout = new ParameterLayout();
        var slice = layout.Add("w", new Shape(40, 30), (Span<float> values, Shape _, ref Rng _) => values.Fill(0.1f));
        var (parameters, tape, x) = (new Parameters(layout).Initialize(new Rng(1)), new Tape(), Tensor.Zeros(50, 40));
        Span<long> bytes = stackalloc long[5];
        for (int step = 0; step < bytes.Length; step++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            using (tape.Step())
            {
                var y = tape.Constant(x).MatMul(tape.Bind(parameters)[slice]).Tanh();
                using (tape.NoGrad())
                {
                    _ = tape.Constant(x) * 2f;
                }
                tape.Backward(y.Square().Mean());
                tape.PushForward(parameters, parameters.Gradient);
            }
            bytes[step] = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Assert.True(bytes[0] > 0);
        Assert.Equal([0L, 0L, 0L], bytes[2..].ToArray());
    }

    private static Var Of(Tape tape, params ReadOnlySpan<int> lengths) => tape.Variable(Tensor.Zeros(lengths));
}
