using System.Collections.Concurrent;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Marl.Native.Gpu;

/// <summary>
/// A GPU, through ILGPU. Kernels are launched on one stream, in the order of the calls. Data is transferred only by <see cref="Read"/> and <see cref="Write"/>;
/// the host waits for the device in <see cref="Read"/>, in <see cref="Synchronize"/>, and in <see cref="Write"/> when the staging buffer is full. Results are
/// reproducible from run to run, because sums have a fixed order, and equal those of the CPU up to a few ulp, because both use the same lanes (docs/gpu.md).
/// </summary>
public sealed partial class GpuDevice : Device, IDisposable
{
    /// <summary>Threads per group, where the device supports it.</summary>
    private const int WideGroup = 256;

    /// <summary>Threads per group of an emulated device: the number of the CPU's virtual lanes.</summary>
    private const int NarrowGroup = 16;

    /// <summary>The most groups of a launch, enough for any device; threads loop over further elements.</summary>
    private const int MaxGroups = 4096;

    /// <summary>The number of groups that keeps a large device busy.</summary>
    private const int TargetGroups = 128;

    /// <summary>The number of terms from which a sum may be split, and the fewest terms of a slice.</summary>
    private const int MinSplitLength = 1024, MinSliceLength = 256;

    /// <summary>The number of elements from which a row may be split; a whole group reduces shorter ones.</summary>
    private const int MinRowSplitLength = 1 << 14;
    private readonly ConcurrentDictionary<Type, Delegate> kernels = new();
    private readonly Context context;
    private readonly Accelerator accelerator;
    private readonly AcceleratorStream stream;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> fault;
    private readonly StagingBuffer staging;
    private readonly IBlas? blas;
    private readonly ILaunchGraphs? graphs;
    private readonly LaunchQueue queue;
    private readonly Func<Tensor, nint> address;
    private readonly int threads, maxGroups;
    private readonly long? memory;
    private long allocated;
    private Arena? scratch;
    private KernelProfiler? profiler;

    /// <param name="context">The ILGPU context that owns the device.</param>
    /// <param name="accelerator">The ILGPU accelerator.</param>
    /// <param name="id">The identifier that opens the device.</param>
    /// <param name="name">The display name.</param>
    /// <param name="memory">The memory of the device in bytes, if less than it reports.</param>
    /// <param name="backends">Creates a library for matrix products and a recorder of launches on a stream; either may be null.</param>
    internal GpuDevice(Context context, Accelerator accelerator, string id, string name, long? memory = null,
        Func<Accelerator, AcceleratorStream, (IBlas? Blas, ILaunchGraphs? Graphs)>? backends = null)
    {
        (this.context, this.accelerator, Id, Name, this.memory) = (context, accelerator, id, name, memory);
        staging = new StagingBuffer(accelerator);
        stream = accelerator.CreateStream();
        threads = accelerator.MaxNumThreadsPerGroup >= WideGroup ? WideGroup : NarrowGroup;
        // An emulated device runs groups one after another on the same threads: use one.
        maxGroups = threads == WideGroup ? MaxGroups : 1;
        fault = accelerator.Allocate1D<float>(1);
        fault.View.MemSetToZero(stream);
        address = x => View(x).LoadEffectiveAddressAsPtr();
        (blas, graphs) = backends?.Invoke(accelerator, stream) ?? default;
        queue = new LaunchQueue(this, graphs);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override string Id { get; }

    /// <summary>Whether matrix products use tensor cores, with factors rounded to TF32. Requires CUDA with compute capability 8.0.</summary>
    public bool Tf32Products { get; internal init; }

    /// <summary>The capacity of the working memory, see <see cref="Scratch"/>, in elements.</summary>
    internal int ScratchCapacity => scratch?.Capacity ?? 0;

    /// <summary>Unlimited: a launch costs more than memory traffic.</summary>
    public override int CacheBlock => int.MaxValue;

    /// <summary>Releases the device and all its memory.</summary>
    public void Dispose()
    {
        try
        {
            blas?.Dispose();
            graphs?.Dispose();
            staging.Dispose();
            fault.Dispose();
            stream.Dispose();
            accelerator.Dispose();
            context.Dispose();
        }
        catch (AcceleratorException)
        {
            // A lost device cannot be released; the first failure has been reported.
        }
    }

    /// <summary>Counters for tests and benchmarks.</summary>
    internal TransferCounters Transfers { get; private set; }

    /// <summary>
    /// The peak float32 operations and bytes of memory traffic per second, from the clocks, multiprocessors and memory width that the device reports; null if
    /// it reports none.
    /// </summary>
    internal (double Flops, double Bytes)? Nominal => accelerator is CudaAccelerator { Device: CudaDevice cuda }
        ? (2.0 * cuda.NumMultiprocessors * Lanes(cuda.Architecture!.Value) * cuda.ClockRate * 1e3,
            2.0 * cuda.MemoryClockRate * 1e3 * cuda.MemoryBusWidth / 8) : null;

    /// <summary>Measures the time of each kernel that <paramref name="action"/> launches. The device must be opened for profiling.</summary>
    internal IReadOnlyList<KernelTime> Profile(Action action)
    {
        var times = profiler = new KernelProfiler(stream);
        try
        {
            action();
        }
        finally
        {
            profiler = null;
        }
        Synchronize();
        return times.Times();
    }

    /// <summary>Called after each launch and each copy on the device, for counting.</summary>
    internal Action<LaunchRecord>? Launched { get; set; }

    /// <summary>Whether each launch is measured or counted.</summary>
    internal bool IsMeasuring => profiler is not null || Launched is not null;

    /// <summary>Waits until all launched kernels have completed.</summary>
    /// <exception cref="DeviceException">The device failed.</exception>
    public void Synchronize()
    {
        Flush();
        try
        {
            stream.Synchronize();
            Synchronized();
        }
        catch (AcceleratorException error)
        {
            throw Failed(error, "synchronizing");
        }
    }

    // ---- launches ----

    /// <inheritdoc/>
    /// <remarks>On OpenCL launches are not recorded: its kernels take fewer arguments than joined launches have.</remarks>
    protected override void OnBeginCapture() => queue.IsRecording = accelerator is not CLAccelerator;

    /// <inheritdoc/>
    protected override void OnEndCapture()
    {
        Flush();
        queue.IsRecording = false;
    }

    /// <summary>Submits the recorded launches.</summary>
    internal void Flush()
    {
        if (!queue.IsWaiting)
        {
            return;
        }
        try
        {
            queue.Submit();
        }
        catch (AcceleratorException error)
        {
            throw Failed(error, "launching captured kernels");
        }
        scratch?.Reset();
    }

    /// <summary>Accounts for launches of a graph.</summary>
    internal void CountLaunches(int count) => Transfers = Transfers with { Launches = Transfers.Launches + count };

    /// <summary>Launches one thread per element, or fewer that loop over <paramref name="n"/> elements.</summary>
    private void ForEachElement<TKernel>(TKernel kernel, int n) where TKernel : struct, IKernel
    {
        if (n > 0)
        {
            Launch(kernel, GroupsFor(n));
        }
    }

    /// <summary>The number of groups for n elements.</summary>
    private int GroupsFor(int n) => Math.Min((n + threads - 1) / threads, maxGroups);

    /// <summary>Launches <paramref name="lanes"/> threads per row; the kernel uses <see cref="SharedRow"/>.</summary>
    private void ForEachRow<TKernel>(TKernel kernel, int rows, int lanes) where TKernel : struct, IKernel
    {
        int perGroup = threads / lanes;
        if (rows > 0)
        {
            Launch(kernel, (rows + perGroup - 1) / perGroup);
        }
    }

    private void Launch<TKernel>(TKernel kernel, int groups) where TKernel : struct, IKernel => Launch(kernel, groups, threads);

    /// <summary>Launches a kernel, or records the launch.</summary>
    private void Launch<TKernel>(TKernel kernel, int groups, int threads) where TKernel : struct, IKernel
    {
        if (queue.IsRecording)
        {
            queue.Add(kernel, groups, threads);
        }
        else
        {
            Issue(kernel, groups, threads);
        }
    }

    /// <summary>Launches a kernel.</summary>
    internal void Issue<TKernel>(TKernel kernel, int groups, int threads) where TKernel : struct, IKernel
    {
        try
        {
            var launch = GetKernel<TKernel>();
            var begin = profiler?.Mark();
            launch(stream, new KernelConfig(groups, threads), kernel);
            profiler?.Add(typeof(TKernel), begin!);
            Transfers = Transfers with { Launches = Transfers.Launches + 1 };
            Launched?.Invoke(new(kernel, groups, threads));
        }
        catch (Exception error) when (error is AcceleratorException or InternalCompilerException or NotSupportedException)
        {
            throw Failed(error, $"kernel {typeof(TKernel).Name}");
        }
    }

    /// <summary>Returns a kernel, compiled on first use.</summary>
    private Action<AcceleratorStream, KernelConfig, TKernel> GetKernel<TKernel>() where TKernel : struct, IKernel
        => (Action<AcceleratorStream, KernelConfig, TKernel>)kernels.GetOrAdd(typeof(TKernel),
            static (_, device) => device.accelerator.LoadKernel<TKernel>(KernelEntry.Run), this);

    /// <summary>
    /// The number of slices into which sums of <paramref name="length"/> terms are split when only <paramref name="groups"/> groups would compute them: enough
    /// to keep a device busy. It depends on shapes alone, so that every GPU sums in the same order.
    /// </summary>
    private static int Slices(int length, int groups)
        => length < MinSplitLength ? 1 : Math.Clamp(TargetGroups / Math.Max(1, groups), 1, length / MinSliceLength);

    /// <summary>Allocates working memory that is valid until the next call, or while launches are recorded, until they are submitted. It grows to the largest
    /// size requested.</summary>
    private Tensor Scratch(Shape shape)
    {
        scratch ??= new Arena(this);
        if (!queue.IsRecording)
        {
            scratch.Reset();
        }
        return scratch.AllocateLow(shape);
    }

    /// <summary>The number of threads per row: the CPU's sixteen lanes, or the whole group for a long row.</summary>
    private int LanesFor(int columns) => columns > 1024 ? threads : NarrowGroup;

    /// <summary>float32 multiply-adds per clock and multiprocessor (CUDA programming guide, arithmetic instructions).</summary>
    private static int Lanes(CudaArchitecture architecture) => (architecture.Major, architecture.Minor) is (7, _) or (8, 0) or (6, 0) ? 64 : 128;

    private DeviceException Failed(Exception error, string operation) => GpuFailure.Of(Name, error, operation);

    // ---- arguments ----

    /// <summary>The elements of a tensor that must have <paramref name="count"/> elements.</summary>
    /// <exception cref="ArgumentException">The tensor has another number of elements.</exception>
    private ArrayView<float> View(Tensor x, int count)
    {
        if (x.Count != count)
        {
            throw new ArgumentException($"{x}: {count} elements are required");
        }
        return View(x);
    }

    private ArrayView<float> View(Tensor x)
        // An empty tensor may be at the end of its storage, where no view may begin.
        => x.Storage is GpuStorage storage && ReferenceEquals(storage.Device, this) ? storage.View.SubView(x.Count == 0 ? 0 : x.Offset, x.Count)
        : throw new InvalidOperationException($"{x} is on {x.Device.Name}, not on {Name}; copy it with Tensor.CopyTo");

    /// <summary>The elements as integers, see <see cref="Integers(List{int})"/>.</summary>
    private ArrayView<int> Integers(Tensor x) => View(x).Cast<int>();

    /// <summary>The elements of a tensor, or <paramref name="otherwise"/> if it is none.</summary>
    private ArrayView<float> ViewOr(Tensor x, int count, ArrayView<float> otherwise) => x.IsNone ? otherwise : View(x, count);

    private static int Flag(bool value) => value ? 1 : 0;
}
