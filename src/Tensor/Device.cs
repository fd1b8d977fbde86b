namespace Marl.Native;

/// <summary>
/// The exception thrown when a device fails: it is out of memory, was lost, or rejected a kernel. Results of the failed operation are undefined.
/// </summary>
/// <param name="message">What failed, on which device, and the remedy.</param>
/// <param name="inner">The exception of the device's own library.</param>
public sealed class DeviceException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// A processor with its memory, and the primitives on which all operations are built. Results are written to tensors that the caller allocated; most shapes are
/// checked when an operation is recorded. Primitives never start threads: parallelism is over shards of a batch, one level up. On the CPU, results are bitwise
/// identical at every SIMD width: all sums use the same virtual lanes, the same tree and the same order.
/// </summary>
/// <example>
/// <code>
/// Tensor x = Tensor.Of([1, 2, 3, 4, 5, 6], 2, 3), w = Tensor.Of([1, 0, -1], 3, 1);
/// var device = Device.Cpu;
/// Tensor y = device.Zeros(new Shape(2, 1)), sum = device.Zeros(new Shape(2));
/// device.Gemm(Matrix.Of(x), Matrix.Of(w), Matrix.Of(y));   // y = x w = [-2, -2]
/// device.Reduce(default(Sum), x, axis: 1, sum);            // sum = [6, 15]
/// device.Map(default(Relu), y, y);                         // y = max(y, 0), in place
/// </code>
/// </example>
public abstract partial class Device
{
    /// <summary>The CPU.</summary>
    public static Device Cpu { get; } = new CpuDevice();

    /// <summary>The display name.</summary>
    public abstract string Name { get; }

    /// <summary>The identifier that opens this device, as in configuration files: "cpu", "cuda:0".</summary>
    public abstract string Id { get; }

    /// <summary>The number of elements that stay in cache between consecutive primitives. Operations process longer inputs in blocks of this size.</summary>
    public abstract int CacheBlock { get; }

    /// <summary>
    /// Begins a capture. Until the scope is disposed, the device may collect kernel launches and submit them together, for example as one CUDA graph. Results
    /// do not depend on it; reading a tensor submits what was collected.
    /// </summary>
    public CaptureScope BeginCapture()
    {
        OnBeginCapture();
        return new(this);
    }

    /// <summary>Called by <see cref="BeginCapture"/>.</summary>
    protected virtual void OnBeginCapture()
    {
    }

    /// <summary>Called when a <see cref="CaptureScope"/> is disposed.</summary>
    protected virtual void OnEndCapture()
    {
    }

    /// <summary>The scope of a capture, see <see cref="BeginCapture"/>.</summary>
    /// <param name="device">The capturing device.</param>
    public readonly ref struct CaptureScope(Device device)
    {
        /// <summary>Ends the capture and submits the collected launches.</summary>
        public void Dispose() => device.OnEndCapture();
    }

    // ---- memory ----

    /// <summary>An estimate of the memory that can still be allocated, in bytes.</summary>
    public abstract long FreeMemory { get; }

    /// <summary>Allocates a block of <paramref name="count"/> zeros.</summary>
    /// <exception cref="DeviceException">The device is out of memory.</exception>
    public abstract Storage Allocate(int count);

    /// <summary>Allocates a tensor of zeros.</summary>
    /// <exception cref="DeviceException">The device is out of memory.</exception>
    public Tensor Zeros(Shape shape) => new(Allocate(shape.Count), 0, shape);

    /// <summary>Copies values from host memory to a tensor on the device.</summary>
    public abstract void Write(ReadOnlySpan<float> values, Tensor destination);

    /// <summary>Copies a tensor on the device to host memory, after all preceding operations have completed.</summary>
    public abstract void Read(Tensor source, Span<float> values);

    /// <summary>y = x, for equal element counts.</summary>
    public abstract void Copy(Tensor x, Tensor y);

    /// <summary>x = value, in every element.</summary>
    public abstract void Fill(Tensor x, float value);

    /// <summary>
    /// y[i, j, k, l] = x[i, j, k, l], or y += x when <paramref name="accumulate"/>, over four nested loops. Slices, concatenations, permutations and broadcasts
    /// are this copy.
    /// </summary>
    /// <param name="x">The source.</param>
    /// <param name="xStrides">Four strides of x, in elements.</param>
    /// <param name="y">The destination.</param>
    /// <param name="yStrides">Four strides of y, in elements.</param>
    /// <param name="lengths">The lengths of the four loops.</param>
    /// <param name="accumulate">Whether to add to y.</param>
    /// <exception cref="ArgumentException">An index lies outside a tensor.</exception>
    public abstract void CopyStrided(Tensor x, ReadOnlySpan<int> xStrides, Tensor y, ReadOnlySpan<int> yStrides,
        ReadOnlySpan<int> lengths, bool accumulate);

    // ---- pointwise ----

    /// <summary>y = f(x), elementwise. y may be x.</summary>
    public abstract void Map<TOp>(TOp op, Tensor x, Tensor y) where TOp : unmanaged, IUnary;

    /// <summary>
    /// z = f'(x) dy, or z += f'(x) dy when <paramref name="accumulate"/>, rounded once. In reverse mode dy is the gradient of y and z that of x; in forward
    /// mode dy is the tangent of x and z that of y.
    /// </summary>
    public abstract void MapDerivative<TOp>(TOp op, Tensor x, Tensor y, Tensor dy, Tensor z, bool accumulate = true)
        where TOp : unmanaged, IUnary;

    /// <summary>y = f(a, b), elementwise, with a and b broadcast to the shape of y. y may be an operand of the same shape.</summary>
    public abstract void Zip<TOp>(TOp op, Tensor a, Tensor b, Tensor y) where TOp : unmanaged, IBinary;

    /// <summary>z += df/da dy, or z += df/db dy when <paramref name="second"/>, rounded once. a, b and dy are broadcast to the shape of y and z.</summary>
    public abstract void ZipDerivative<TOp>(TOp op, bool second, Tensor a, Tensor b, Tensor y, Tensor dy, Tensor z)
        where TOp : unmanaged, IBinary;

    /// <summary>Applies one optimizer step to every element.</summary>
    /// <param name="rule">The update rule.</param>
    /// <param name="p">[P] the parameters.</param>
    /// <param name="g">[P] their gradient.</param>
    /// <param name="m">[P] the first state of the rule, or none.</param>
    /// <param name="v">[P] the second state of the rule, or none.</param>
    /// <param name="scale">[1] a factor on the gradient, see <see cref="ClipScale"/>; none: 1. A negative factor skips the step.</param>
    public abstract void Update<TRule>(TRule rule, Tensor p, Tensor g, Tensor m, Tensor v, Tensor scale = default) where TRule : unmanaged, IUpdate;

    /// <summary>
    /// Computes the factor that clips a gradient to a maximum norm (Pascanu et al. 2013, as in PyTorch): scale[0] = min(1, max / (n + 1e-6)) with n =
    /// sqrt(sum_i squares[i]), summed in double precision in the order of i. If n or the loss is not finite, or scale[0] was negative before, the result is -1:
    /// no further step is taken.
    /// </summary>
    /// <param name="squares">[S] the squared norms of the parts of the gradient.</param>
    /// <param name="loss">[1] the loss, or none.</param>
    /// <param name="max">The maximum norm; infinity disables clipping.</param>
    /// <param name="scale">[1] the factor, overwritten.</param>
    /// <param name="log">[1 + R (S + 1)] or none: the squares and the loss (0 if there is none) are written to row log[0] of R rows that begin at log[1], and
    /// log[0] becomes the next row, modulo R. The position is in the memory of the device, so that the arguments are those of every step.</param>
    public abstract void ClipScale(Tensor squares, Tensor loss, float max, Tensor scale, Tensor log = default);

    // ---- loops ----

    /// <summary>Whether loops may read and write doubles.</summary>
    public virtual bool HasDoubles => true;

    /// <summary>Runs the iterations 0 .. <paramref name="count"/> - 1 of a loop over the elements of tensors, in any order or at the same time.</summary>
    /// <param name="body">The body of the loop.</param>
    /// <param name="count">The number of iterations.</param>
    /// <param name="memory">The elements that the body reads and writes.</param>
    /// <param name="second">Further elements; none: those of <paramref name="memory"/>.</param>
    /// <param name="third">Further elements; none: those of <paramref name="memory"/>.</param>
    public abstract void ForEach<TBody>(TBody body, int count, Tensor memory, Tensor second = default, Tensor third = default)
        where TBody : unmanaged, ILoopBody;

    // ---- reductions and rows ----

    /// <summary>
    /// Reduces x along <paramref name="axis"/>: y = fold(x), or y = fold(y, fold(x)) when <paramref name="accumulate"/>. The order is fixed. Along the
    /// innermost axis there are sixteen virtual lanes: element i goes to lane i mod 16, then lane i is folded with lane i + 8, + 4, + 2, + 1. Along other axes
    /// there are four: row k goes to lane k mod 4, then (0 + 1) + (2 + 3).
    /// </summary>
    public abstract void Reduce<TOp>(TOp op, Tensor x, int axis, Tensor y, bool accumulate = false) where TOp : unmanaged, IReduction;

    /// <summary>y[0] = sum_i x_i w_i, each product rounded, in the order of <see cref="Reduce"/> along the innermost axis.</summary>
    /// <param name="x">The values.</param>
    /// <param name="w">The weights, broadcast to the shape of x.</param>
    /// <param name="y">[1] the sum, overwritten.</param>
    /// <param name="scratch">Working memory of the shape of x, which a device may not need.</param>
    public virtual void WeightedSum(Tensor x, Tensor w, Tensor y, Tensor scratch)
    {
        Zip(default(Multiply), x, w, scratch);
        Reduce(default(Sum), scratch.Reshape(scratch.Count), 0, y);
    }

    /// <summary>Creates the segments that <see cref="SumSquares"/> takes. Create them once: a device may store its execution plan in them.</summary>
    /// <param name="lengths">The number of elements of each segment.</param>
    public virtual Segments CreateSegments(ReadOnlySpan<int> lengths) => new(lengths);

    /// <summary>sums[s] = the sum of x^2 over segment s, in the order of <see cref="Reduce"/> along the innermost axis.</summary>
    /// <param name="x">[P] the concatenated segments.</param>
    /// <param name="segments">The result of <see cref="CreateSegments"/> of this device.</param>
    /// <param name="sums">[S] the sums, overwritten.</param>
    public abstract void SumSquares(Tensor x, Segments segments, Tensor sums);

    /// <summary>
    /// index[row] = the index of the first maximum of x[row, ..] among the entries whose mask is nonzero, as a float. Without a mask all entries are
    /// considered. A row that is fully masked or consists of NaNs gives 0.
    /// </summary>
    public abstract void ArgMax(Tensor x, Tensor mask, Tensor index);

    /// <summary>y[row, k] = x[row, k] - log sum_j e^x[row, j] over the entries whose mask is nonzero (no mask: all); masked entries are 0.</summary>
    public abstract void LogSoftmax(Tensor x, Tensor mask, Tensor y);

    /// <summary>dx += dy - e^y sum_j dy over the unmasked entries; masked entries get no gradient.</summary>
    public abstract void LogSoftmaxBackward(Tensor y, Tensor mask, Tensor dy, Tensor dx);

    /// <summary>z += dx - sum_j e^y dx over the unmasked entries: the tangent of <see cref="LogSoftmax"/>.</summary>
    public abstract void LogSoftmaxTangent(Tensor y, Tensor mask, Tensor dx, Tensor z);

    /// <summary>The reverse linear recurrence y[t] = a[t] + b[t] y[t + 1], with y[T] = 0. All tensors are [T, ..].</summary>
    public abstract void Scan(Tensor a, Tensor b, Tensor y);

    // ---- indexing: indices are integers stored as floats ----

    /// <summary>y[row, j] = x[row, index[row, j]]</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index lies outside the row; a GPU reports it in the next <see cref="Read"/>.</exception>
    public abstract void Gather(Tensor x, Tensor index, Tensor y);

    /// <summary>x[row, index[row, j]] += y[row, j]</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index lies outside the row; a GPU reports it in the next <see cref="Read"/>.</exception>
    public abstract void ScatterAdd(Tensor y, Tensor index, Tensor x);

    /// <summary>y[i, ..] = w[index[i], ..], for w [V, F], index [..] and y [.., F].</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index lies outside w; a GPU reports it in the next <see cref="Read"/>.</exception>
    public abstract void GatherRows(Tensor w, Tensor index, Tensor y);

    /// <summary>w[index[i], ..] += y[i, ..]</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index lies outside w; a GPU reports it in the next <see cref="Read"/>.</exception>
    public abstract void ScatterAddRows(Tensor y, Tensor index, Tensor w);

    // ---- contraction ----

    /// <summary>
    /// The batched matrix product c = a b, or c += a b when <paramref name="accumulate"/>, or c = a b + bias. Each element is one chain of fused multiply-adds
    /// in the order of k that starts from 0, c or the bias, whatever the tiling.
    /// </summary>
    /// <param name="a">The left factors.</param>
    /// <param name="b">The right factors.</param>
    /// <param name="c">The products.</param>
    /// <param name="accumulate">Whether to add to c.</param>
    /// <param name="bias">[columns], added to every row, or [batch, columns], or none.</param>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    public abstract void Gemm(Matrix a, Matrix b, Matrix c, bool accumulate = false, Tensor bias = default);

    /// <summary>c = max(a b + bias, 0), or c = max(c + a b, 0) when <paramref name="accumulate"/>, see <see cref="Gemm"/>.</summary>
    /// <param name="a">The left factors.</param>
    /// <param name="b">The right factors.</param>
    /// <param name="c">The results, all elements of their tensor.</param>
    /// <param name="accumulate">Whether to add to c.</param>
    /// <param name="bias">[columns], added to every row, or [batch, columns], or none.</param>
    public virtual void GemmRelu(Matrix a, Matrix b, Matrix c, bool accumulate = false, Tensor bias = default)
    {
        Gemm(a, b, c, accumulate, bias);
        Map(default(Relu), c.Data, c.Data);
    }

    // ---- fused, see also Device.Gru.cs ----

    /// <summary>
    /// y[r, e] = sum_n |w[r, n, e]| x[r, n] + b[r, e]: a layer that is monotone in x and has one weight matrix per row (Rashid et al. 2018, section 4).
    /// </summary>
    public abstract void MonotoneMix(Tensor w, Tensor x, Tensor b, Tensor y);

    /// <summary>dw [R, N, E] = sign(w) x dy, or dw += that when <paramref name="accumulate"/>, and dx [R, N] += sum_e |w| dy. dw or dx may be none.</summary>
    public abstract void MonotoneMixBackward(Tensor w, Tensor x, Tensor dy, Tensor dw, Tensor dx, bool accumulate = true);
}
