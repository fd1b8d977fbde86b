namespace Marl.Native.Tests;

/// <summary>All float lanes give the same bits, and their functions are within a few units in the last place.</summary>
public sealed class LaneTests
{
    /// <summary>About a million floats over the whole range of bits, and the edges of every function.</summary>
    private static readonly float[] Sweep = MakeSweep(4001);

    [Theory]
    [MemberData(nameof(PointwiseOps.UnaryNames), MemberType = typeof(PointwiseOps))]
    public void UnaryOpsGiveTheSameBitsInEveryLane(string name)
    {
        var op = PointwiseOps.UnaryOf(name);
        int n = Sweep.Length;
        float[] y1 = new float[n], y8 = new float[n], y16 = new float[n];
        float[] d1 = new float[n], d8 = new float[n], d16 = new float[n];
        op.Apply<F1>(Sweep, y1, d1);
        op.Apply<V8>(Sweep, y8, d8);
        op.Apply<V16>(Sweep, y16, d16);
        Noise.AssertSameBits(y1, y8, "V8");
        Noise.AssertSameBits(y1, y16, "V16");
        Noise.AssertSameBits(d1, d8, "derivative in V8");
        Noise.AssertSameBits(d1, d16, "derivative in V16");
    }

    [Theory]
    [MemberData(nameof(PointwiseOps.BinaryNames), MemberType = typeof(PointwiseOps))]
    public void BinaryOpsGiveTheSameBitsInEveryLane(string name)
    {
        var op = PointwiseOps.BinaryOf(name);
        int n = Sweep.Length;
        float[] b = new float[n];
        for (int i = 0; i < n; i++)
        {
            b[i] = i % 3 == 0 ? Sweep[i] : Sweep[(int)((long)i * 7919 % n)];
        }
        float[] y1 = new float[n], da1 = new float[n], db1 = new float[n], y = new float[n], da = new float[n], db = new float[n];
        op.Apply<F1>(Sweep, b, y1, da1, db1);
        op.Apply<V8>(Sweep, b, y, da, db);
        Noise.AssertSameBits(y1, y, "V8");
        Noise.AssertSameBits(da1, da, "by a in V8");
        Noise.AssertSameBits(db1, db, "by b in V8");
        op.Apply<V16>(Sweep, b, y, da, db);
        Noise.AssertSameBits(y1, y, "V16");
        Noise.AssertSameBits(da1, da, "by a in V16");
        Noise.AssertSameBits(db1, db, "by b in V16");
    }

    /// <summary>Largest errors over all floats of the domain, measured on every seventh of them: exp 1.02, log 0.80, tanh 2.83,
    /// sigmoid 2.47. The square root is correctly rounded.</summary>
    [Fact]
    public void FunctionsAreWithinAFewUlp()
    {
        AssertUlp(1.1, x => F1.Exp(x), Math.Exp, -86.98f, 88.722f);
        AssertUlp(0.9, x => F1.Log(x), Math.Log, float.Epsilon, float.MaxValue);
        AssertUlp(2.9, x => F1.Tanh(x), Math.Tanh, float.MinValue, float.MaxValue);
        AssertUlp(2.6, x => F1.Sigmoid(x), x => 1 / (1 + Math.Exp(-x)), -87f, float.MaxValue);
        AssertUlp(0.5, x => F1.Sqrt(x), Math.Sqrt, 0f, float.MaxValue);
    }

    [Fact]
    public void EdgesOfTheFunctions()
    {
        float inf = float.PositiveInfinity, nan = float.NaN;
        Assert.Equal([0f, 0f, 1f, 1f, inf, inf, nan],
            Apply(F1.Exp, -inf, -87f, 0f, -0f, 88.73f, inf, nan));
        Assert.Equal([nan, nan, -inf, -inf, 0f, inf, nan, -103.27893f],
            Apply(F1.Log, -inf, -1f, 0f, -0f, 1f, inf, nan, float.Epsilon));
        Assert.Equal([-1f, -1f, 0f, 1f, 1f, nan, float.Epsilon],
            Apply(F1.Tanh, -inf, -20f, 0f, 20f, inf, nan, float.Epsilon));
        float least = F1.Sigmoid(new F1(-87f)).Value;
        Assert.InRange(least, 1.17549435e-38f, 1.7e-38f);
        Assert.Equal([least, least, 0.5f, 1f, 1f, nan], Apply(F1.Sigmoid, -inf, -100f, 0f, 100f, inf, nan));
    }

    [Fact]
    public void PartsOfALaneStayInBounds()
    {
        float[] numbers = [.. Enumerable.Range(0, 48).Select(i => (float)i)];
        for (int count = 0; count < V16.Width; count++)
        {
            float[] loaded = new float[V16.Width], stored = [.. numbers];
            V16.LoadFirst(count, ref numbers[0], 20, -7f).Store(ref loaded[0], 0);
            Assert.Equal(Enumerable.Range(0, V16.Width).Select(i => i < count ? 20f + i : -7f), loaded);
            V16.Of(-1f).StoreFirst(count, ref stored[0], 20);
            Assert.Equal(numbers.Select((x, i) => i >= 20 && i < 20 + count ? -1f : x), stored);
        }
    }

    private static float[] Apply(Func<F1, F1> f, params float[] x) => [.. x.Select(xi => f(new F1(xi)).Value)];

    private static void AssertUlp(double bound, Func<F1, F1> f, Func<double, double> exact, float low, float high)
    {
        double worst = 0;
        float at = 0;
        foreach (float x in Sweep)
        {
            if (x >= low && x <= high)
            {
                double error = Ulps(f(new F1(x)).Value, exact(x));
                (worst, at) = error > worst ? (error, x) : (worst, at);
            }
        }
        Assert.True(worst <= bound, $"{worst} ulp at {at:R}");
    }

    /// <summary>Distance in units of the last place of the float nearest to the exact value.</summary>
    private static double Ulps(float value, double exact)
    {
        float nearest = (float)exact;
        float size = Math.Min(Math.Abs(nearest), MathF.BitDecrement(float.MaxValue));
        double unit = MathF.BitIncrement(size) - size;
        return Math.Abs(value - exact) / unit;
    }

    private static float[] MakeSweep(uint step)
    {
        List<float> values =
        [
            0f, -0f, float.Epsilon, -float.Epsilon, 1.17549435e-38f, 1.17549421e-38f, float.MaxValue, float.MinValue,
            float.PositiveInfinity, float.NegativeInfinity, float.NaN, 1f, -1f, 0.5f, 0.625f, -0.625f, 0.62499994f,
            0.70710677f, 0.70710684f, 1.4142135f, 1.4142137f, 88.37626f, 88.37627f, 88.72283f, 88.72284f, 89f, 90f,
            -87.33654f, -87.33655f, -87.3f, -88f, -103.97f, -104f, -105f, 20f, 10f, 9.01f, 1e-20f, -1e-20f, 16777216f, 12582912f,
        ];
        for (ulong bits = 0; bits < 1UL << 32; bits += step)
        {
            values.Add(BitConverter.UInt32BitsToSingle((uint)bits));
        }
        // The range where networks live, densely.
        for (float x = -20f; x < 20f; x += 0.00037f)
        {
            values.Add(x);
        }
        while (values.Count % V16.Width != 0)
        {
            values.Add(0.25f);
        }
        return [.. values];
    }
}
