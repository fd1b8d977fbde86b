namespace Marl.Native.Tests;

/// <summary>What is computed in blocks, in place or as a view gives what it would give whole, alone and copied.</summary>
public sealed class BlockTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ALayerOfManyBlocksOfRowsIsItsRows(bool copies)
    {
        // 700 + 400 numbers a row: blocks of 64 rows, so four of them, the last one short.
        var rng = new Rng(5);
        const int rows = 200, inputs = 700, outputs = 400;
        var x = copies ? Noise.Of(ref rng, rows, 2, inputs) : Noise.Of(ref rng, rows, inputs);
        var w = copies ? Noise.Of(ref rng, 2, outputs, inputs) : Noise.Of(ref rng, outputs, inputs);
        var b = copies ? Noise.Of(ref rng, 2, outputs) : Noise.Of(ref rng, outputs);
        var tape = new Tape();
        using (tape.Step())
        {
            var (vx, vw, vb) = (tape.Variable(x), tape.Variable(w), tape.Variable(b));
            var (ux, uw, ub) = (tape.Variable(x), tape.Variable(w), tape.Variable(b));
            var fused = vx.LinearRelu(vw, vb);
            var composed = RowByRow(ux, uw, ub).Relu();
            Noise.AssertSameBits(composed.Value.ToArray(), fused.Value.ToArray(), "y");
            tape.Backward((fused * fused).Sum() + (composed * composed).Sum());
            Noise.AssertSameBits(ux.Gradient.ToArray(), vx.Gradient.ToArray(), "dx");
            AssertClose(uw.Gradient, vw.Gradient);
            AssertClose(ub.Gradient, vb.Gradient);
        }

        // Ten rows at a time.
        static Var RowByRow(Var x, Var w, Var b)
        {
            var parts = new Var[rows / 10];
            for (int i = 0; i < parts.Length; i++)
            {
                parts[i] = x.Slice(0, 10 * i, 10).Linear(w, b);
            }
            return Ops.Concat(0, parts);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ALayerOfGroupsIsThatOfTheirRows(bool copies)
    {
        // 700 numbers in common and three rows of 90 + 130: a block has 48 groups, so five of them, the last one short.
        var rng = new Rng(7);
        const int groups = 230, members = 3, inCommon = 700, inputs = 90, outputs = 130;
        Tensor common = Noise.Of(ref rng, groups, inCommon), own = Noise.Of(ref rng, groups, members, inputs);
        var w = copies ? Noise.Of(ref rng, members, outputs, inCommon + inputs) : Noise.Of(ref rng, outputs, inCommon + inputs);
        var b = copies ? Noise.Of(ref rng, members, outputs) : Noise.Of(ref rng, outputs);
        var tape = new Tape();
        using (tape.Step())
        {
            Var vCommon = tape.Variable(common), vOwn = tape.Variable(own), vw = tape.Variable(w), vb = tape.Variable(b);
            Var uCommon = tape.Variable(common), uOwn = tape.Variable(own), uw = tape.Variable(w), ub = tape.Variable(b);
            var y = vOwn.LinearRelu(vCommon, vw, vb);
            var each = uCommon.Reshape(groups, 1, inCommon) + tape.Constant(Tensor.Zeros(groups, members, inCommon));
            var together = Ops.Concat(-1, each, uOwn).LinearRelu(uw, ub);
            Noise.AssertSameBits(together.Value.ToArray(), y.Value.ToArray(), "y");
            tape.Backward((y * y).Sum() + (together * together).Sum());
            AssertClose(uOwn.Gradient, vOwn.Gradient);
            AssertClose(uCommon.Gradient, vCommon.Gradient);
            AssertClose(uw.Gradient, vw.Gradient);
            AssertClose(ub.Gradient, vb.Gradient);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ARecurrentUnitOverManyBlocksOfStepsIsItsSteps(bool begins)
    {
        // 70 rows of 4 x 48 gates: blocks of four steps, so three of them, the last one short.
        var rng = new Rng(6);
        const int steps = 11, rows = 70, inputs = 9, hidden = 48;
        Tensor x = Noise.Of(ref rng, steps, rows, inputs), h0 = Noise.Of(ref rng, rows, hidden), dy = Noise.Of(ref rng, steps, rows, hidden);
        Tensor[] weights =
        [
            Noise.Of(ref rng, 3 * hidden, inputs), Noise.Of(ref rng, 3 * hidden, hidden), Noise.Of(ref rng, 3 * hidden), Noise.Of(ref rng, 3 * hidden),
        ];
        var keep = begins ? Noise.Mask(ref rng, 0.8f, steps, rows) : default;
        var tape = new Tape();
        using (tape.Step())
        {
            var (whole, single) = (Variables(), Variables());
            var y = whole[0].Gru(whole[1], whole[2], whole[3], whole[4], whole[5], keep);
            var parts = new Var[steps];
            var h = single[1];
            for (int t = 0; t < steps; t++)
            {
                parts[t] = single[0].Slice(0, t, 1).Gru(h, single[2], single[3], single[4], single[5], keep.IsNone ? default : keep.Slice(t, 1));
                h = parts[t].Reshape(rows, hidden);
            }
            var joined = Ops.Concat(0, parts);
            Noise.AssertSameBits(joined.Value.ToArray(), y.Value.ToArray(), "y");
            tape.Backward((y * dy).Sum() + (joined * dy).Sum());
            for (int i = 0; i < whole.Length; i++)
            {
                AssertClose(single[i].Gradient, whole[i].Gradient);
            }

            Var[] Variables() => [tape.Variable(x), tape.Variable(h0), .. weights.Select(tape.Variable)];
        }
    }

    [Fact]
    public void ViewsAddTheirGradientsToThoseOfTheWhole()
    {
        var tape = new Tape();
        using (tape.Step())
        {
            var x = tape.Variable(Tensor.Of([1f, 2f, 3f, 4f, 5f, 6f], 3, 2)) * 1f;
            var middle = x.Slice(0, 1, 1);
            var unused = x.Slice(0, 2, 1).Reshape(2);
            // Written whole by the square, read through views before and after it.
            var loss = (middle.Reshape(2) * 10f).Sum() + x.Square().Sum() + (middle * 100f).Sum();
            tape.Backward(loss);
            Assert.Equal([2f, 4f, 116f, 118f, 10f, 12f], x.Gradient.ToArray());
            Assert.Equal([116f, 118f], middle.Gradient.ToArray());
            Assert.Equal([10f, 12f], unused.Gradient.ToArray());
        }
    }

    [Fact]
    public void WhatTheRootDoesNotDependOnHasAGradientOfZero()
    {
        var tape = new Tape();
        for (int step = 0; step < 2; step++)
        {
            using (tape.Step())
            {
                var x = tape.Variable(Tensor.Of([3f]));
                var (aside, loss) = (x * 7f, x * 2f);
                var more = aside.Square();
                tape.Backward((loss + 0f * more.Slice(0, 0, 1)).Sum());
                tape.Backward(loss);
                Assert.Equal([2f], x.Gradient.ToArray());
                Assert.Equal([0f], aside.Gradient.ToArray());
            }
        }
    }

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        float size = expected.ToArray().Max(Math.Abs);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.InRange(actual.Span[i] - expected.Span[i], -2e-5f * size, 2e-5f * size);
        }
    }
}
