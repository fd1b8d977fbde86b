namespace Marl.Native.Tests;

/// <summary>Pointwise ops against their double lane, and the loops over them against one number at a time.</summary>
public sealed class PointwiseTests
{
    private static readonly Device Device = Device.Cpu;

    [Theory]
    [MemberData(nameof(PointwiseOps.UnaryNames), MemberType = typeof(PointwiseOps))]
    public void UnaryValueAndDerivativeAreExact(string name)
    {
        var op = PointwiseOps.UnaryOf(name);
        var rng = new Rng(1);
        float[] x = Noise.Between(ref rng, op.Low, op.High, 4000).ToArray(), y = new float[x.Length], d = new float[x.Length];
        op.Apply<F1>(x, y, d);
        for (int i = 0; i < x.Length; i++)
        {
            if (op.Kinks.Any(kink => Math.Abs(x[i] - kink) < 1e-3))
            {
                continue;
            }
            Noise.AssertClose(op.F(x[i]), y[i], 1e-6, $"{name}({x[i]})");
            Noise.AssertClose(op.D(x[i]), d[i], 2e-6, $"{name}'({x[i]})");
            double h = 1e-6, slope = (op.F(x[i] + h) - op.F(x[i] - h)) / (2 * h);
            Noise.AssertClose(slope, op.D(x[i]), 1e-6, $"slope of {name} at {x[i]}");
        }
    }

    [Theory]
    [MemberData(nameof(PointwiseOps.BinaryNames), MemberType = typeof(PointwiseOps))]
    public void BinaryValueAndDerivativesAreExact(string name)
    {
        var op = PointwiseOps.BinaryOf(name);
        var rng = new Rng(2);
        float[] a = Noise.Between(ref rng, op.Low, op.High, 4000).ToArray();
        var second = op.MaskB ? Noise.Mask(ref rng, 0.5f, a.Length) : Noise.Between(ref rng, op.Low, op.High, a.Length);
        float[] b = second.ToArray();
        float[] y = new float[a.Length], da = new float[a.Length], db = new float[a.Length];
        op.Apply<F1>(a, b, y, da, db);
        for (int i = 0; i < a.Length; i++)
        {
            if (op.KinkWhereEqual && Math.Abs(a[i] - b[i]) < 1e-3)
            {
                continue;
            }
            string what = $"{name}({a[i]}, {b[i]})";
            Noise.AssertClose(op.F(a[i], b[i]), y[i], 1e-6, what);
            Noise.AssertClose(op.D(a[i], b[i], false), da[i], 2e-6, what + " by a");
            Noise.AssertClose(op.D(a[i], b[i], true), db[i], 2e-6, what + " by b");
            double h = 1e-6, slopeA = (op.F(a[i] + h, b[i]) - op.F(a[i] - h, b[i])) / (2 * h);
            double slopeB = (op.F(a[i], b[i] + h) - op.F(a[i], b[i] - h)) / (2 * h);
            Noise.AssertClose(slopeA, op.D(a[i], b[i], false), 1e-6, what + " slope by a");
            Noise.AssertClose(slopeB, op.D(a[i], b[i], true), 1e-6, what + " slope by b");
        }
    }

    [Fact]
    public void TiesShareTheGradient()
    {
        foreach (string name in new[] { nameof(Minimum), nameof(Maximum) })
        {
            var op = PointwiseOps.BinaryOf(name);
            Assert.Equal((0.5, 0.5), (op.D(1.5, 1.5, false), op.D(1.5, 1.5, true)));
        }
    }

    [Theory]
    [MemberData(nameof(PointwiseOps.UnaryNames), MemberType = typeof(PointwiseOps))]
    public void MapsOfEveryLength(string name)
    {
        var op = PointwiseOps.UnaryOf(name);
        var rng = new Rng(3);
        for (int n = 0; n <= 2 * V16.Width + 3; n++)
        {
            Tensor x = Noise.Between(ref rng, op.Low, op.High, n), y = Noise.Of(ref rng, n);
            Tensor dy = Noise.Of(ref rng, n), z = Noise.Of(ref rng, n);
            float[] expected = new float[n], derivative = new float[n], before = z.ToArray();
            op.Apply<F1>(x.ToArray(), expected, derivative);
            op.Map(Device, x, y);
            Noise.AssertSameBits(expected, y.Span, $"{name} of {n}");
            op.MapDerivative(Device, x, y, dy, z);
            for (int i = 0; i < n; i++)
            {
                before[i] = MathF.FusedMultiplyAdd(derivative[i], dy.Span[i], before[i]);
            }
            Noise.AssertSameBits(before, z.Span, $"{name}' of {n}");
            op.Map(Device, x, x);
            Noise.AssertSameBits(expected, x.Span, $"{name} in place");
        }
    }

    [Theory]
    [MemberData(nameof(PointwiseOps.BinaryNames), MemberType = typeof(PointwiseOps))]
    public void ZipsOfEveryBroadcast(string name)
    {
        var op = PointwiseOps.BinaryOf(name);
        var rng = new Rng(4);
        for (int trial = 0; trial < 300; trial++)
        {
            int[] shape = RandomShape(ref rng);
            var a = Noise.Between(ref rng, op.Low, op.High, Reduced(ref rng, shape));
            int[] shapeB = Reduced(ref rng, shape);
            var b = op.MaskB ? Noise.Mask(ref rng, 0.5f, shapeB) : Noise.Between(ref rng, op.Low, op.High, shapeB);
            Tensor dy = Noise.Of(ref rng, Reduced(ref rng, shape)), y = Noise.Of(ref rng, shape), z = Noise.Of(ref rng, shape);
            float[] fullA = Expanded(a, y.Shape), fullB = Expanded(b, y.Shape), fullDy = Expanded(dy, y.Shape);
            float[] expected = new float[y.Count], da = new float[y.Count], db = new float[y.Count];
            op.Apply<F1>(fullA, fullB, expected, da, db);
            string what = $"{name} of {a} and {b} to {y}";
            op.Zip(Device, a, b, y);
            Noise.AssertSameBits(expected, y.Span, what);
            foreach (bool second in new[] { false, true })
            {
                float[] sum = z.ToArray();
                for (int i = 0; i < sum.Length; i++)
                {
                    sum[i] = MathF.FusedMultiplyAdd((second ? db : da)[i], fullDy[i], sum[i]);
                }
                op.ZipDerivative(Device, second, a, b, y, dy, z);
                Noise.AssertSameBits(sum, z.Span, $"{what}, derivative, dy {dy}");
            }
            if (a.Shape == y.Shape)
            {
                op.Zip(Device, a, b, a);
                Noise.AssertSameBits(expected, a.Span, what + " in place");
            }
        }
    }

    [Fact]
    public void WhatDoesNotBroadcastIsNamed()
    {
        Tensor matrix = Tensor.Zeros(2, 3), row = Tensor.Zeros(2);
        var error = Assert.Throws<ArgumentException>(() => Device.Zip(default(Add), matrix, row, matrix));
        Assert.Contains("[2]", error.Message);
        Assert.Throws<ArgumentException>(() => Device.Map(default(Relu), Tensor.Zeros(4), Tensor.Zeros(5)));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void UpdatesWithAndWithoutState(bool hasM, bool hasV)
    {
        var rng = new Rng(5);
        for (int n = 0; n <= 2 * V16.Width + 3; n++)
        {
            Tensor p = Noise.Of(ref rng, n), g = Noise.Of(ref rng, n), m = hasM ? Noise.Of(ref rng, n) : default;
            var v = hasV ? Noise.Of(ref rng, n) : default;
            float[] p0 = p.ToArray(), m0 = hasM ? m.ToArray() : new float[n], v0 = hasV ? v.ToArray() : new float[n];
            for (int i = 0; i < n; i++)
            {
                F1 pi = new(p0[i]), mi = new(m0[i]), vi = new(v0[i]);
                default(Momenta).Step(ref pi, new F1(g.Span[i]), ref mi, ref vi);
                (p0[i], m0[i], v0[i]) = (pi.Value, mi.Value, vi.Value);
            }
            Device.Update(default(Momenta), p, g, m, v);
            Noise.AssertSameBits(p0, p.Span);
            Noise.AssertSameBits(hasM ? m0 : [], hasM ? m.Span : []);
            Noise.AssertSameBits(hasV ? v0 : [], hasV ? v.Span : []);
        }
    }

    private static int[] RandomShape(ref Rng rng)
    {
        int[] lengths = [1, 2, 3, 5, 16, 17, 35], shape = new int[rng.NextInt(5)];
        for (int axis = 0; axis < shape.Length; axis++)
        {
            shape[axis] = lengths[rng.NextInt(shape.Length > 2 ? 5 : 7)];
        }
        return shape;
    }

    /// <summary>A shape that broadcasts to the given one: leading axes left out, others of length 1.</summary>
    private static int[] Reduced(ref Rng rng, int[] shape)
    {
        int[] reduced = rng.NextInt(2) == 0 ? shape[..] : shape[rng.NextInt(shape.Length + 1)..];
        for (int axis = 0; axis < reduced.Length; axis++)
        {
            reduced[axis] = rng.NextInt(3) == 0 ? 1 : reduced[axis];
        }
        return reduced;
    }

    private static float[] Expanded(Tensor x, Shape shape)
    {
        float[] values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            int at = 0, step = 1, rest = i;
            for (int back = 1; back <= shape.Rank; back++)
            {
                int index = rest % shape[-back];
                rest /= shape[-back];
                if (back <= x.Shape.Rank)
                {
                    at += x.Shape[-back] == 1 ? 0 : index * step;
                    step *= x.Shape[-back];
                }
            }
            values[i] = x.Span[at];
        }
        return values;
    }

    private readonly struct Momenta : IUpdate
    {
        public void Step<T>(ref T p, T g, ref T m, ref T v) where T : struct, ILane<T>
        {
            m = T.Fma(m, T.Of(0.9f), g);
            v = T.Fma(g, g, v);
            p -= T.Of(0.1f) * m / (T.Sqrt(v) + T.One);
        }
    }
}
