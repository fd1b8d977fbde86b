namespace Marl.Native.Tests;

/// <summary>Fused kernels against their formulas in double precision; derivatives against central differences of those.</summary>
public sealed class FusedTests
{
    private const double Step = 1e-6;
    private static readonly Device Device = Device.Cpu;

    public static TheoryData<int> Widths => new(Enumerable.Range(1, 35).Append(64));

    [Theory]
    [MemberData(nameof(Widths))]
    public void GruGates(int units)
    {
        const int rows = 3;
        var rng = new Rng(1);
        Tensor sums = Noise.Between(ref rng, -3, 3, rows, 4 * units), gates = Noise.Of(ref rng, rows, 4 * units);
        Tensor h = Noise.Of(ref rng, rows, units), y = Noise.Of(ref rng, rows, units), dy = Noise.Of(ref rng, rows, units);
        Tensor back = Noise.Of(ref rng, rows, units), dh = Noise.Of(ref rng, rows, units), d = Noise.Of(ref rng, rows, 4 * units);
        sums.CopyTo(gates);
        back.CopyTo(dh);
        Device.GruGates(gates, h, y);
        Device.GruGatesBackward(gates, h, dy, d, dh);
        for (int i = 0; i < y.Count; i++)
        {
            int row = i / units, j = i % units;
            double[] x = Inputs(sums, h, row, j, units);
            Noise.AssertClose(Gru(x), y.Span[i], 1e-6, "y");
            double[] gradient = Inputs(d, dh, row, j, units);
            for (int k = 0; k < gradient.Length; k++)
            {
                double[] up = [.. x], down = [.. x];
                up[k] += Step;
                down[k] -= Step;
                double slope = (Gru(up) - Gru(down)) / (2 * Step);
                Noise.AssertClose((dy.Span[i] + back.Span[i]) * slope, gradient[k], 2e-6, $"gradient of input {k}");
            }
        }
        // Tangents: d and dh of the backward pass serve as a direction.
        var tangent = Noise.Of(ref rng, rows, units);
        Device.GruGatesTangent(gates, h, d, dh, tangent);
        for (int i = 0; i < y.Count; i++)
        {
            double[] x = Inputs(sums, h, i / units, i % units, units), v = Inputs(d, dh, i / units, i % units, units);
            double up = Gru([.. x.Zip(v, (a, b) => a + Step * b)]), down = Gru([.. x.Zip(v, (a, b) => a - Step * b)]);
            Noise.AssertClose((up - down) / (2 * Step), tangent.Span[i], 2e-6, "tangent");
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void MonotoneMix(int width)
    {
        const int rows = 3;
        var rng = new Rng(2);
        foreach (int inputs in new[] { 1, 2, 5 })
        {
            Tensor w = Noise.Of(ref rng, rows, inputs, width), dw = Noise.Of(ref rng, rows, inputs, width);
            Tensor x = Noise.Of(ref rng, rows, inputs), dx = Noise.Of(ref rng, rows, inputs), b = Noise.Of(ref rng, rows, width);
            Tensor y = Noise.Of(ref rng, rows, width), dy = Noise.Of(ref rng, rows, width);
            w.Span[0] = 0;
            float[] dw0 = dw.ToArray(), dx0 = dx.ToArray();
            Device.MonotoneMix(w, x, b, y);
            Device.MonotoneMixBackward(w, x, dy, dw, dx);
            for (int r = 0; r < rows; r++)
            {
                for (int e = 0; e < width; e++)
                {
                    double sum = b.Span[r * width + e];
                    for (int n = 0; n < inputs; n++)
                    {
                        int at = (r * inputs + n) * width + e;
                        sum += Math.Abs(w.Span[at]) * (double)x.Span[r * inputs + n];
                        double slope = Math.Sign(w.Span[at]) * (double)x.Span[r * inputs + n];
                        Noise.AssertClose(dw0[at] + slope * dy.Span[r * width + e], dw.Span[at], 1e-6, "dw");
                    }
                    Noise.AssertClose(sum, y.Span[r * width + e], 1e-6, "y");
                }
                for (int n = 0; n < inputs; n++)
                {
                    int at = (r * inputs + n) * width;
                    double dot = Enumerable.Range(0, width).Sum(e => Math.Abs(w.Span[at + e]) * (double)dy.Span[r * width + e]);
                    Noise.AssertClose(dx0[r * inputs + n] + dot, dx.Span[r * inputs + n], 2e-6, "dx");
                }
            }
            float[] dwOnce = dw.ToArray(), dxOnce = dx.ToArray();
            Device.MonotoneMixBackward(w, x, dy, default, dx);
            Assert.Equal(dwOnce, dw.ToArray());
            Device.MonotoneMixBackward(w, x, dy, dw, default);
            Assert.NotEqual(dxOnce, dx.ToArray());
        }
    }

    /// <summary>The four sums and the state of one unit.</summary>
    private static double[] Inputs(Tensor sums, Tensor h, int row, int j, int units)
        => [.. Enumerable.Range(0, 4).Select(part => (double)sums.Span[(4 * row + part) * units + j]), h.Span[row * units + j]];

    private static double Gru(double[] x)
    {
        double r = 1 / (1 + Math.Exp(-x[0])), z = 1 / (1 + Math.Exp(-x[1])), n = Math.Tanh(x[2] + r * x[3]);
        return (1 - z) * n + z * x[4];
    }
}
