namespace Marl.Native.Tests;

/// <summary>Every primitive of a device once, on data from a seed: one hash of all results, and a list of calls.</summary>
internal sealed class KernelFingerprint
{
    private readonly Tensor[] outputs;

    /// <summary>Every primitive by name; each call overwrites or accumulates into tensors of this object and allocates
    /// nothing.</summary>
    public (string Name, Action Call)[] Calls { get; }

    public KernelFingerprint(Device device)
    {
        var rng = new Rng(2026);
        // 37 columns: two lanes and a tail; 29 rows: two tiles and a remainder.
        Tensor x = Make(-2, 2, 29, 37), y = Make(-2, 2, 29, 37), z = Make(-2, 2, 29, 37), w = Make(-2, 2, 37, 53);
        Tensor mask = Copied(Noise.Mask(ref rng, 0.6f, 29, 37)), index = Copied(Noise.Indices(ref rng, 29, 29, 3));
        Tensor row = Make(-2, 2, 37), column = Make(-2, 2, 29, 1), scalar = Make(-2, 2), reduced = Make(-2, 2, 29);
        var narrow = Make(-2, 2, 29, 3);
        Tensor gates = Make(-3, 3, 11, 4 * 21), dgates = Make(-1, 1, 11, 4 * 21);
        Tensor state = Make(-1, 1, 11, 21), state2 = Make(-1, 1, 11, 21);
        Tensor mixW = Make(-1, 1, 7, 5, 35), mixX = Make(-1, 1, 7, 5), mixB = Make(-1, 1, 7, 35), mixY = Make(-1, 1, 7, 35);
        Tensor product = Make(-1, 1, 29, 53), product2 = Make(-1, 1, 37, 37), bias = Make(-1, 1, 53), few = Make(-1, 1, 3, 53);
        var few37 = Make(-1, 1, 3, 37);
        var dstate = Make(-1, 1, 11, 21);
        Tensor dmixW = Make(-1, 1, 7, 5, 35), dmixX = Make(-1, 1, 7, 5), scan = Make(-1, 1, 29, 37), sums = Make(-1, 1, 37);
        var segments = device.CreateSegments([37, 1000, 36]);
        float[] buffer = new float[x.Count];
        Calls =
        [
            ("Write, Read", () =>
            {
                device.Read(x, buffer);
                device.Write(buffer, x);
            }),
            ("Copy", () => device.Copy(x, z)),
            ("CopyStrided", () => device.CopyStrided(x, [0, 0, 1, 37], z, [0, 0, 29, 1], [1, 1, 37, 29], false)),
            ("CopyStrided accumulate", () => device.CopyStrided(x, [0, 0, 37, 1], z, [0, 0, 37, 1], [1, 1, 29, 37], true)),
            ("Map Tanh", () => device.Map(default(Tanh), x, y)),
            ("MapDerivative Tanh", () => device.MapDerivative(default(Tanh), x, y, x, z)),
            ("Map Sigmoid", () => device.Map(default(Sigmoid), x, y)),
            ("Map Softplus", () => device.Map(new Softplus(1f), x, y)),
            ("Map Elu", () => device.Map(new Elu(1f), x, y)),
            ("Zip same", () => device.Zip(default(Multiply), x, x, y)),
            ("Zip row", () => device.Zip(default(Add), x, row, y)),
            ("Zip column", () => device.Zip(default(Divide), x, column, y)),
            ("Zip scalar", () => device.Zip(default(Maximum), x, scalar, y)),
            ("ZipDerivative", () => device.ZipDerivative(default(Multiply), true, x, row, y, column, z)),
            ("Update", () => device.Update(default(Descent), y, x, z, default)),
            ("Reduce rows", () => device.Reduce(default(Sum), x, 1, reduced, true)),
            ("Reduce columns", () => device.Reduce(default(Sum), x, 0, sums, true)),
            ("Reduce Max", () => device.Reduce(default(Max), x, 1, reduced)),
            ("SumSquares", () => device.SumSquares(x, segments, sums.Slice(0, 3))),
            ("ArgMax", () => device.ArgMax(x, mask, reduced)),
            ("LogSoftmax", () => device.LogSoftmax(x, mask, y)),
            ("LogSoftmaxBackward", () => device.LogSoftmaxBackward(y, mask, x, z)),
            ("LogSoftmaxTangent", () => device.LogSoftmaxTangent(y, mask, x, z)),
            ("LogSoftmax all", () => device.LogSoftmax(x, default, y)),
            ("Scan", () => device.Scan(x, mask, scan)),
            ("Gather", () => device.Gather(x, index, narrow)),
            ("ScatterAdd", () => device.ScatterAdd(narrow, index, z)),
            ("GatherRows", () => device.GatherRows(x, index.Slice(0, 1), few37)),
            ("ScatterAddRows", () => device.ScatterAddRows(few37, index.Slice(1, 1), z)),
            ("Gemm", () => device.Gemm(Matrix.Of(x), Matrix.Of(w), Matrix.Of(product), bias: bias)),
            ("Gemm transposed", () => device.Gemm(Matrix.Of(x).T, Matrix.Of(x), Matrix.Of(product2), accumulate: true)),
            ("Gemm few rows", () => device.Gemm(Matrix.Of(few37), Matrix.Of(w), Matrix.Of(few))),
            ("Gemm few rows, transposed", () => device.Gemm(Matrix.Of(few), Matrix.Of(w).T, Matrix.Of(few37))),
            ("GruGates", () => device.GruGates(gates, state, state2)),
            ("GruGatesBackward", () => device.GruGatesBackward(gates, state, state2, dgates, dstate)),
            ("GruGatesTangent", () => device.GruGatesTangent(gates, state, dgates, dstate, state2)),
            ("MonotoneMix", () => device.MonotoneMix(mixW, mixX, mixB, mixY)),
            ("MonotoneMixBackward", () => device.MonotoneMixBackward(mixW, mixX, mixY, dmixW, dmixX)),
            ("Fill", () => device.Fill(scalar, 0.5f)),
        ];
        outputs =
        [
            x, y, z, reduced, narrow, scan, sums, product, product2, few, few37, gates, state2, dgates,
            dstate, mixY, dmixW, dmixX,
        ];

        Tensor Make(float low, float high, params ReadOnlySpan<int> lengths)
            => Copied(Noise.Between(ref rng, low, high, lengths));

        Tensor Copied(Tensor values)
        {
            var copy = device.Zeros(values.Shape);
            device.Write(values.Span, copy);
            return copy;
        }
    }

    /// <summary>FNV-1a over the bits of all outputs after every call.</summary>
    public ulong Hash()
    {
        ulong hash = 14695981039346656037;
        foreach (var (_, numbers) in Results())
        {
            foreach (float value in numbers)
            {
                hash = (hash ^ (uint)BitConverter.SingleToInt32Bits(value)) * 1099511628211;
            }
        }
        return hash;
    }

    /// <summary>All numbers of all outputs after every call.</summary>
    public IEnumerable<(string Name, float[] Numbers)> Results()
    {
        foreach (var (name, call) in Calls)
        {
            call();
            yield return (name, [.. outputs.SelectMany(output => output.ToArray())]);
        }
    }

    internal readonly struct Descent : IUpdate
    {
        public void Step<T>(ref T p, T g, ref T m, ref T v) where T : struct, ILane<T>
        {
            m = T.Fma(T.Of(0.9f), m, g);
            p -= T.Of(0.01f) * m / (T.Sqrt(g * g) + T.One);
        }
    }
}
