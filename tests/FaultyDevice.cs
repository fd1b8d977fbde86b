namespace Marl.Native.Tests;

/// <summary>The CPU's kernels behind a device that can fail: before every primitive a test is asked, by the primitive's name.</summary>
internal sealed class FaultyDevice(Action<string> before) : Device
{
    public override string Name => "a faulty device";

    public override string Id => "faulty:0";

    public override int CacheBlock => Cpu.CacheBlock;

    public override long FreeMemory => Cpu.FreeMemory;

    public override Storage Allocate(int count) => new Block(this, On(nameof(Allocate)).Allocate(count));

    public override void Write(ReadOnlySpan<float> values, Tensor destination)
    {
        before(nameof(Write));
        Cpu.Write(values, destination);
    }

    public override void Read(Tensor source, Span<float> values)
    {
        before(nameof(Read));
        Cpu.Read(source, values);
    }

    public override void CopyStrided(Tensor x, ReadOnlySpan<int> xStrides, Tensor y, ReadOnlySpan<int> yStrides, ReadOnlySpan<int> lengths, bool accumulate)
    {
        before(nameof(CopyStrided));
        Cpu.CopyStrided(x, xStrides, y, yStrides, lengths, accumulate);
    }

    public override void Copy(Tensor x, Tensor y) => On(nameof(Copy)).Copy(x, y);

    public override void Fill(Tensor x, float value) => On(nameof(Fill)).Fill(x, value);

    public override void ForEach<TBody>(TBody body, int count, Tensor memory, Tensor second, Tensor third)
        => On(nameof(ForEach)).ForEach(body, count, memory, second, third);

    public override void Map<TOp>(TOp op, Tensor x, Tensor y) => On(nameof(Map)).Map(op, x, y);

    public override void MapDerivative<TOp>(TOp op, Tensor x, Tensor y, Tensor dy, Tensor z, bool accumulate)
        => On(nameof(MapDerivative)).MapDerivative(op, x, y, dy, z, accumulate);

    public override void Zip<TOp>(TOp op, Tensor a, Tensor b, Tensor y) => On(nameof(Zip)).Zip(op, a, b, y);

    public override void ZipDerivative<TOp>(TOp op, bool second, Tensor a, Tensor b, Tensor y, Tensor dy, Tensor z)
        => On(nameof(ZipDerivative)).ZipDerivative(op, second, a, b, y, dy, z);

    public override void Update<TRule>(TRule rule, Tensor p, Tensor g, Tensor m, Tensor v, Tensor scale) => On(nameof(Update)).Update(rule, p, g, m, v, scale);

    public override void ClipScale(Tensor squares, Tensor loss, float max, Tensor scale, Tensor log)
        => On(nameof(ClipScale)).ClipScale(squares, loss, max, scale, log);

    public override void Reduce<TOp>(TOp op, Tensor x, int axis, Tensor y, bool accumulate) => On(nameof(Reduce)).Reduce(op, x, axis, y, accumulate);

    public override void SumSquares(Tensor x, Segments segments, Tensor sums) => On(nameof(SumSquares)).SumSquares(x, segments, sums);

    public override void ArgMax(Tensor x, Tensor mask, Tensor index) => On(nameof(ArgMax)).ArgMax(x, mask, index);

    public override void LogSoftmax(Tensor x, Tensor mask, Tensor y) => On(nameof(LogSoftmax)).LogSoftmax(x, mask, y);

    public override void LogSoftmaxBackward(Tensor y, Tensor mask, Tensor dy, Tensor dx)
        => On(nameof(LogSoftmaxBackward)).LogSoftmaxBackward(y, mask, dy, dx);

    public override void LogSoftmaxTangent(Tensor y, Tensor mask, Tensor dx, Tensor z) => On(nameof(LogSoftmaxTangent)).LogSoftmaxTangent(y, mask, dx, z);

    public override void Scan(Tensor a, Tensor b, Tensor y) => On(nameof(Scan)).Scan(a, b, y);

    public override void Gather(Tensor x, Tensor index, Tensor y) => On(nameof(Gather)).Gather(x, index, y);

    public override void ScatterAdd(Tensor y, Tensor index, Tensor x) => On(nameof(ScatterAdd)).ScatterAdd(y, index, x);

    public override void GatherRows(Tensor w, Tensor index, Tensor y) => On(nameof(GatherRows)).GatherRows(w, index, y);

    public override void ScatterAddRows(Tensor y, Tensor index, Tensor w) => On(nameof(ScatterAddRows)).ScatterAddRows(y, index, w);

    public override void Gemm(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias) => On(nameof(Gemm)).Gemm(a, b, c, accumulate, bias);

    public override void GruGates(Tensor gates, Tensor h, Tensor y) => On(nameof(GruGates)).GruGates(gates, h, y);

    public override void GruGatesBackward(Tensor gates, Tensor h, Tensor dy, Tensor d, Tensor dh)
        => On(nameof(GruGatesBackward)).GruGatesBackward(gates, h, dy, d, dh);

    public override void GruGatesTangent(Tensor gates, Tensor h, Tensor d, Tensor dh, Tensor dy)
        => On(nameof(GruGatesTangent)).GruGatesTangent(gates, h, d, dh, dy);

    public override void MonotoneMix(Tensor w, Tensor x, Tensor b, Tensor y) => On(nameof(MonotoneMix)).MonotoneMix(w, x, b, y);

    public override void MonotoneMixBackward(Tensor w, Tensor x, Tensor dy, Tensor dw, Tensor dx, bool accumulate)
        => On(nameof(MonotoneMixBackward)).MonotoneMixBackward(w, x, dy, dw, dx, accumulate);

    private Device On(string primitive)
    {
        before(primitive);
        return Cpu;
    }

    /// <summary>Memory of this process that is said to be the device's.</summary>
    private sealed class Block(FaultyDevice device, Storage inner) : Storage(device, inner.Count)
    {
        public override Span<float> Span(int offset, int count) => inner.Span(offset, count);
    }
}
