using Marl.Native.Nn;

namespace Marl.Native.Bench.Kernels;

/// <summary>
/// A GRU over a sequence and its operands, with both directions as plain loops: unit by unit, in the formulas of <see cref="Ops.Gru"/>. The
/// functions are the engine's on one float, and sums are chains of fused multiply-adds from the biases over x and then h, so that other
/// ways to compute y can be held to the same bits.
/// </summary>
internal sealed class GruSequence
{
    private readonly Gru layer;

    public GruSequence(int steps, int rows, int inputs, int hidden, ref Rng rng)
    {
        (Steps, Rows, Inputs, Hidden) = (steps, rows, inputs, hidden);
        var layout = new ParameterLayout();
        layer = new Gru(layout, inputs, hidden);
        Parameters = new Parameters(layout).Initialize(rng.Split(RngPurpose.Initialization));
        X = KernelBenchmark.Uniform(ref rng, steps, rows, inputs);
        H0 = KernelBenchmark.Uniform(ref rng, rows, hidden);
        DY = KernelBenchmark.Uniform(ref rng, steps, rows, hidden);
        Y = Tensor.Zeros(steps, rows, hidden);
        Saved = Tensor.Zeros(steps, rows, 4 * hidden);
        DX = Tensor.Zeros(steps, rows, inputs);
    }

    public int Steps { get; }

    public int Rows { get; }

    public int Inputs { get; }

    public int Hidden { get; }

    /// <summary>W_ih [3H, I], W_hh [3H, H], b_ih [3H], b_hh [3H].</summary>
    public Parameters Parameters { get; }

    /// <summary>[T, R, I]</summary>
    public Tensor X { get; }

    /// <summary>[R, H]</summary>
    public Tensor H0 { get; }

    /// <summary>[T, R, H], the result.</summary>
    public Tensor Y { get; }

    /// <summary>[T, R, 4H]: r, z, n and W_hn h + b_hn.</summary>
    public Tensor Saved { get; }

    /// <summary>[T, R, H] dL/dy</summary>
    public Tensor DY { get; }

    /// <summary>[T, R, I] dL/dx</summary>
    public Tensor DX { get; }

    /// <summary>Of the products of a forward pass, which is nearly all.</summary>
    public double Operations => 2.0 * Steps * Rows * 3 * Hidden * (Inputs + Hidden);

    public Span<float> WIh => Values(0);

    public Span<float> WHh => Values(1);

    public Span<float> BIh => Values(2);

    public Span<float> BHh => Values(3);

    /// <summary>The state before a step.</summary>
    public Span<float> Before(int t) => t == 0 ? H0.Span : Y[t - 1].Span;

    /// <summary>Through the engine's layer.</summary>
    public Var Forward(Tape tape, Var x, Weights weights) => layer.Forward(weights, x, tape.Constant(H0));

    /// <summary>y and saved.</summary>
    public void Forward()
    {
        int units = Hidden;
        Span<float> wIh = WIh, wHh = WHh, bIh = BIh, bHh = BHh;
        for (int t = 0; t < Steps; t++)
        {
            Span<float> xt = X[t].Span, ht = Before(t), yt = Y[t].Span, saved = Saved[t].Span;
            for (int row = 0; row < Rows; row++)
            {
                var x = xt.Slice(row * Inputs, Inputs);
                var h = ht.Slice(row * units, units);
                var save = saved.Slice(row * 4 * units, 4 * units);
                for (int j = 0; j < units; j++)
                {
                    int atZ = units + j, atN = 2 * units + j;
                    float r = Sigmoid(Sum(Sum(bIh[j] + bHh[j], wIh, x, j), wHh, h, j));
                    float z = Sigmoid(Sum(Sum(bIh[atZ] + bHh[atZ], wIh, x, atZ), wHh, h, atZ));
                    float hidden = Sum(bHh[atN], wHh, h, atN);
                    float n = Tanh(MathF.FusedMultiplyAdd(r, hidden, Sum(bIh[atN], wIh, x, atN)));
                    yt[row * units + j] = MathF.FusedMultiplyAdd(z, h[j] - n, n);
                    (save[j], save[units + j], save[2 * units + j], save[3 * units + j]) = (r, z, n, hidden);
                }
            }
        }

        // sum + w[gate, ..] x
        static float Sum(float sum, Span<float> w, Span<float> x, int gate)
        {
            for (int k = 0; k < x.Length; k++)
            {
                sum = MathF.FusedMultiplyAdd(w[gate * x.Length + k], x[k], sum);
            }
            return sum;
        }
    }

    /// <summary>From dy and what <see cref="Forward()"/> left: dx and the gradient of the parameters, overwritten.</summary>
    public void Backward()
    {
        int units = Hidden;
        float[] dgi = new float[3 * units], dgh = new float[3 * units];
        float[] dh = new float[Rows * units];
        Parameters.Gradient.Span.Clear();
        Span<float> dwIh = Gradient(0), dwHh = Gradient(1), dbIh = Gradient(2), dbHh = Gradient(3);
        for (int t = Steps - 1; t >= 0; t--)
        {
            for (int row = 0; row < Rows; row++)
            {
                Span<float> x = X[t][row].Span, dx = DX[t][row].Span, dy = DY[t][row].Span, saved = Saved[t][row].Span;
                Span<float> h = Before(t).Slice(row * units, units), dhRow = dh.AsSpan(row * units, units);
                for (int j = 0; j < units; j++)
                {
                    float r = saved[j], z = saved[units + j], n = saved[2 * units + j], hidden = saved[3 * units + j];
                    float d = dy[j] + dhRow[j], dn = d * (1 - z) * (1 - n * n);
                    dgi[j] = dgh[j] = dn * hidden * r * (1 - r);
                    dgi[units + j] = dgh[units + j] = d * (h[j] - n) * z * (1 - z);
                    (dgi[2 * units + j], dgh[2 * units + j]) = (dn, dn * r);
                    dhRow[j] = d * z;
                }
                dx.Clear();
                Product(dgi, WIh, x, dx, dwIh, dbIh);
                Product(dgh, WHh, h, dhRow, dwHh, dbHh);
            }
        }

        // Of b + w x: dx += w^T d, dw += d x^T, db += d.
        static void Product(Span<float> d, Span<float> w, Span<float> x, Span<float> dx, Span<float> dw, Span<float> db)
        {
            for (int gate = 0; gate < d.Length; gate++)
            {
                db[gate] += d[gate];
                for (int k = 0; k < x.Length; k++)
                {
                    dx[k] += w[gate * x.Length + k] * d[gate];
                    dw[gate * x.Length + k] += x[k] * d[gate];
                }
            }
        }
    }

    public static float Sigmoid(float x) => F1.Sigmoid(new F1(x)).Value;

    public static float Tanh(float x) => F1.Tanh(new F1(x)).Value;

    private Span<float> Values(int slice) => Parameters[Parameters.Layout.Slices[slice]].Span;

    private Span<float> Gradient(int slice) => Parameters.View(Parameters.Gradient, Parameters.Layout.Slices[slice]).Span;
}
