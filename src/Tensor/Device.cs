namespace Marl.Native;

/// <summary>A device failed: no memory left, lost, or a kernel that its driver refuses. What it was computing is lost.</summary>
/// <param name="message">what failed, on which device, and what can be done.</param>
/// <param name="inner">what the device's own library said.</param>
public sealed class DeviceException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Where tensors live and the primitives that every op is written in. Results go to tensors that the caller allocated; shapes
/// were checked when the op was recorded. Primitives never start threads: parallelism is one level up, over shards of a batch.
/// Contract of the CPU: the same bits whatever the SIMD width (fixed virtual lanes, fixed trees, one order of summation).
/// </summary>
public abstract class Device
{
    /// <summary>This processor.</summary>
    public static Device Cpu { get; } = new CpuDevice();

    /// <summary>For people: what it is.</summary>
    public abstract string Name { get; }

    /// <summary>For configurations: what it is opened by.</summary>
    public abstract string Id { get; }

    /// <summary>How many numbers stay close while several primitives pass over them: ops cut long rows of work into such pieces.</summary>
    public abstract int CacheBlock { get; }

    /// <summary>Until the scope is disposed of, what is computed belongs together, like an update: a device may begin with it only then, and with all of it at once. Results
    /// do not depend on it, and nothing is forbidden meanwhile; what is read is there.</summary>
    public CaptureScope BeginCapture()
    {
        OnBeginCapture();
        return new(this);
    }

    /// <summary>See <see cref="BeginCapture"/>.</summary>
    protected virtual void OnBeginCapture()
    {
    }

    /// <inheritdoc cref="OnBeginCapture"/>
    protected virtual void OnEndCapture()
    {
    }

    /// <summary>Ends what <see cref="BeginCapture"/> began.</summary>
    public readonly ref struct CaptureScope(Device device)
    {
        /// <summary>Begins what has not begun yet.</summary>
        public void Dispose() => device.OnEndCapture();
    }

    // ---- memory ----

    /// <summary>Bytes that can still be allocated, as far as the device knows.</summary>
    public abstract long FreeMemory { get; }

    /// <summary>A block of zeros.</summary>
    public abstract Storage Allocate(int count);

    /// <summary>A tensor of zeros with its own storage.</summary>
    public Tensor Zeros(Shape shape) => new(Allocate(shape.Count), 0, shape);

    /// <summary>Copies from this process to the device.</summary>
    public abstract void Write(ReadOnlySpan<float> values, Tensor destination);

    /// <summary>Copies from the device to this process.</summary>
    public abstract void Read(Tensor source, Span<float> values);

    /// <summary>y = x, counts equal.</summary>
    public abstract void Copy(Tensor x, Tensor y);

    /// <summary>x = value.</summary>
    public abstract void Fill(Tensor x, float value);

    /// <summary>y[i, j, k, l] (+)= x[i, j, k, l] for all indices below <paramref name="lengths"/> (four of them), each side with
    /// its own four strides: slices, concatenations, permutations and broadcasts are this one copy.</summary>
    public abstract void CopyStrided(Tensor x, ReadOnlySpan<int> xStrides, Tensor y, ReadOnlySpan<int> yStrides,
        ReadOnlySpan<int> lengths, bool accumulate);

    // ---- pointwise ----

    /// <summary>y = f(x); y may be x.</summary>
    public abstract void Map<TOp>(TOp op, Tensor x, Tensor y) where TOp : unmanaged, IUnary;

    /// <summary>z = f'(x) dy, or z += f'(x) dy when <paramref name="accumulate"/>, rounded once; backward with z the gradient of x, forward mode with dy the tangent of x and z that
    /// of y.</summary>
    public abstract void MapDerivative<TOp>(TOp op, Tensor x, Tensor y, Tensor dy, Tensor z, bool accumulate = true)
        where TOp : unmanaged, IUnary;

    /// <summary>y = f(a, b), a and b broadcast to the shape of y; y may be one of them that has this shape.</summary>
    public abstract void Zip<TOp>(TOp op, Tensor a, Tensor b, Tensor y) where TOp : unmanaged, IBinary;

    /// <summary>z += df/da dy (or df/db dy when <paramref name="second"/>), rounded once; a, b and dy broadcast to the shape of
    /// y, which is z's.</summary>
    public abstract void ZipDerivative<TOp>(TOp op, bool second, Tensor a, Tensor b, Tensor y, Tensor dy, Tensor z)
        where TOp : unmanaged, IBinary;

    /// <summary>One optimizer step on every element; m and v may be none. The gradient counts scale[0] times, see <see cref="ClipScale"/>; where that is
    /// negative, nothing changes. No scale: it counts once.</summary>
    public abstract void Update<TRule>(TRule rule, Tensor p, Tensor g, Tensor m, Tensor v, Tensor scale = default) where TRule : unmanaged, IUpdate;

    /// <summary>
    /// How many times a gradient counts whose norm must not exceed <paramref name="max"/>: scale[0] = min(1, max / (n + 1e-6)) (Pascanu et al. 2013, in
    /// PyTorch's form), n = sqrt(sum_i squares[i]), added up in double precision in the order of i. Where n or the loss is not finite, or scale[0] was
    /// negative before, it is -1: after a step that was none, no other is taken.
    /// </summary>
    /// <param name="squares">[S] sums of squares of the parts of the gradient.</param>
    /// <param name="loss">[1] what was differentiated, or none.</param>
    /// <param name="max">infinite: the gradient always counts once.</param>
    /// <param name="scale">[1]</param>
    public abstract void ClipScale(Tensor squares, Tensor loss, float max, Tensor scale);

    // ---- reductions and rows ----

    /// <summary>y (+)= x folded along <paramref name="axis"/>. Where only axes of length 1 follow: sixteen virtual lanes, element
    /// i to lane i mod 16, then lane i with i + 8, + 4, + 2, + 1; elsewhere: four virtual lanes, row k to lane k mod 4, then (0 +
    /// 1) + (2 + 3). Accumulation folds the result onto y at the end.</summary>
    public abstract void Reduce<TOp>(TOp op, Tensor x, int axis, Tensor y, bool accumulate = false) where TOp : unmanaged, IReduction;

    /// <summary>Segments of so many numbers each for <see cref="SumSquares"/>, to be made once: a device may keep with them how it goes about it.</summary>
    public virtual Segments Split(ReadOnlySpan<int> lengths) => new(lengths);

    /// <summary>sums[s] = sum of x^2 over segment s, in the order of <see cref="Reduce"/> along a last axis.</summary>
    /// <param name="x">[P], the segments one behind the other.</param>
    /// <param name="segments">of this device's <see cref="Split"/>.</param>
    /// <param name="sums">[S]</param>
    public abstract void SumSquares(Tensor x, Segments segments, Tensor sums);

    /// <summary>index[row] = the first greatest of x[row, ..] among those whose mask is not 0 (mask none: all), as a float. A row
    /// without any available entry, or of NaNs, gives 0.</summary>
    public abstract void ArgMax(Tensor x, Tensor mask, Tensor index);

    /// <summary>y[row, k] = x[row, k] - log sum_j e^x[row, j] over the entries whose mask is not 0 (mask none: all); 0 at the
    /// others.</summary>
    public abstract void LogSoftmax(Tensor x, Tensor mask, Tensor y);

    /// <summary>dx += dy - e^y sum_j dy over the available entries; others get nothing.</summary>
    public abstract void LogSoftmaxBackward(Tensor y, Tensor mask, Tensor dy, Tensor dx);

    /// <summary>z += dx - sum_j e^y dx over the available entries: the tangent of <see cref="LogSoftmax"/>.</summary>
    public abstract void LogSoftmaxTangent(Tensor y, Tensor mask, Tensor dx, Tensor z);

    /// <summary>y[t] = a[t] + b[t] y[t+1] from the last t to the first, y[T] = 0; all [T, ..].</summary>
    public abstract void Scan(Tensor a, Tensor b, Tensor y);

    // ---- indexing: indices are whole numbers stored as floats ----

    /// <summary>y[row, j] = x[row, index[row, j]]</summary>
    /// <exception cref="ArgumentOutOfRangeException">an index outside the row.</exception>
    public abstract void Gather(Tensor x, Tensor index, Tensor y);

    /// <summary>x[row, index[row, j]] += y[row, j]</summary>
    public abstract void ScatterAdd(Tensor y, Tensor index, Tensor x);

    /// <summary>y[i, ..] = w[index[i], ..], w [V, F], index [..], y [.., F].</summary>
    /// <exception cref="ArgumentOutOfRangeException">an index outside w.</exception>
    public abstract void GatherRows(Tensor w, Tensor index, Tensor y);

    /// <summary>w[index[i], ..] += y[i, ..]</summary>
    public abstract void ScatterAddRows(Tensor y, Tensor index, Tensor w);

    // ---- contraction ----

    /// <summary>c = a b, or c += a b when <paramref name="accumulate"/>, or c = a b + bias [batch, columns] in every row. Each
    /// element is one chain of fused multiply-adds in the order of k, starting from 0, c or the bias, whatever the
    /// tile.</summary>
    public abstract void Gemm(Matrix a, Matrix b, Matrix c, bool accumulate = false, Tensor bias = default);

    // ---- fused ----

    /// <summary>
    /// One step of a GRU (Cho et al. 2014, in PyTorch's form): r = sigmoid(s_r), z = sigmoid(s_z), n = tanh(s_n + r m), y = (1 - z) n + z h.
    /// </summary>
    /// <param name="gates">[R, 4H]: the sums s_r = W_ir x + b_ir + W_hr h + b_hr, s_z likewise, s_n = W_in x + b_in, m = W_hn h + b_hn; overwritten
    /// with r, z, n, m, which the derivatives need.</param>
    /// <param name="h">[R, H] the state before.</param>
    /// <param name="y">[R, H] the state after.</param>
    public abstract void GruGates(Tensor gates, Tensor h, Tensor y);

    /// <summary>From dL/dy = dy + dh, where dh [R, H] came back through the state: d [R, 4H] by the four sums (overwritten), and dh, overwritten
    /// with the direct part z dL/dy.</summary>
    public abstract void GruGatesBackward(Tensor gates, Tensor h, Tensor dy, Tensor d, Tensor dh);

    /// <summary>From tangents d [R, 4H] of the four sums and dh of h: that of y, [R, H] (overwritten).</summary>
    public abstract void GruGatesTangent(Tensor gates, Tensor h, Tensor d, Tensor dh, Tensor dy);

    /// <summary>
    /// All steps of a GRU, see <see cref="GruGates"/>: h = keep[t] y[t-1], to the sums of r and z comes the state's part, m = W_hn h + b_hn. By default
    /// step by step; a device for which launches count may do it as one.
    /// </summary>
    /// <param name="gates">[T, .., 4H]: the input's part of the sums r, z, n, overwritten with the gates.</param>
    /// <param name="h0">[.., H] y before the first step.</param>
    /// <param name="keep">[T, ..] or none: 1 everywhere.</param>
    /// <param name="w">W_hh^T, H x 3H, or one such per copy of the interleaved rows.</param>
    /// <param name="biasN">b_hn, [H] or [N, H].</param>
    /// <param name="y">[T, .., H]</param>
    /// <param name="kept">[.., H] of room.</param>
    public virtual void GruSteps(Tensor gates, Tensor h0, Tensor keep, Matrix w, Tensor biasN, Tensor y, Tensor kept)
    {
        int hidden = w.M;
        for (int t = 0; t < gates.Shape[0]; t++)
        {
            var h = t == 0 ? h0 : y[t - 1];
            if (!keep.IsNone)
            {
                Keep(h, keep[t], kept);
                h = kept;
            }
            var sums = GruRows(gates[t], w);
            Gemm(GruRows(h, w), w.SliceColumns(0, 2 * hidden), sums.SliceColumns(0, 2 * hidden), accumulate: true);
            Gemm(GruRows(h, w), w.SliceColumns(2 * hidden, hidden), sums.SliceColumns(3 * hidden, hidden), bias: biasN);
            GruGates(gates[t], h, y[t]);
        }
    }

    /// <summary>
    /// The same backward, see <see cref="GruGatesBackward"/>: from dL/dy above and dh, which comes from the steps after, to the derivatives by all sums
    /// and to dh by the state before the first step.
    /// </summary>
    /// <param name="gates">[T, .., 4H] of the forward pass.</param>
    /// <param name="h0">[.., H]</param>
    /// <param name="keep">[T, ..] or none.</param>
    /// <param name="w">W_hh, 3H x H, or one per copy.</param>
    /// <param name="y">[T, .., H]</param>
    /// <param name="dy">[T, .., H]</param>
    /// <param name="d">[T, .., 4H] (overwritten).</param>
    /// <param name="before">[T, .., H]: the states h that each step began with (overwritten).</param>
    /// <param name="dh">[.., H], overwritten.</param>
    public virtual void GruStepsBackward(Tensor gates, Tensor h0, Tensor keep, Matrix w, Tensor y, Tensor dy, Tensor d, Tensor before, Tensor dh)
    {
        int hidden = w.N;
        for (int t = gates.Shape[0] - 1; t >= 0; t--)
        {
            Tensor h = before[t], last = t == 0 ? h0 : y[t - 1];
            if (keep.IsNone)
            {
                Copy(last, h);
            }
            else
            {
                Keep(last, keep[t], h);
            }
            GruGatesBackward(gates[t], h, dy[t], d[t], dh);
            var sums = GruRows(d[t], w);
            Gemm(sums.SliceColumns(0, 2 * hidden), w.SliceRows(0, 2 * hidden), GruRows(dh, w), accumulate: true);
            Gemm(sums.SliceColumns(3 * hidden, hidden), w.SliceRows(2 * hidden, hidden), GruRows(dh, w), accumulate: true);
            if (!keep.IsNone)
            {
                Keep(dh, keep[t], dh);
            }
        }
    }

    /// <summary>The rows of x as one matrix, or as one per copy of the weights.</summary>
    private static Matrix GruRows(Tensor x, Matrix w) => w.Batch > 1 ? Matrix.Interleaved(x) : Matrix.Of(x);

    /// <summary>y = keep h, row by row.</summary>
    private void Keep(Tensor h, Tensor keep, Tensor y)
    {
        int rows = h.Shape.Rows, columns = h.Shape[-1];
        Zip(default(Multiply), h.Reshape(rows, columns), keep.Reshape(rows, 1), y.Reshape(rows, columns));
    }

    /// <summary>y[r, e] = sum_n |w[r, n, e]| x[r, n] + b[r, e]: a layer that grows with every x (Rashid et al. 2018, section
    /// 4), one weight matrix per row.</summary>
    public abstract void MonotoneMix(Tensor w, Tensor x, Tensor b, Tensor y);

    /// <summary>dw [R, N, E] = sign(w) x dy, or that added to it when <paramref name="accumulate"/>, and dx [R, N] += sum_e |w| dy; either may be
    /// none.</summary>
    public abstract void MonotoneMixBackward(Tensor w, Tensor x, Tensor dy, Tensor dw, Tensor dx, bool accumulate = true);
}
