using System.Collections.Concurrent;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Marl.Native.Gpu;

/// <summary>
/// The primitives on a GPU, through ILGPU: launches on one stream, in the order of the calls. Nothing is transferred but by <see cref="Read"/> and
/// <see cref="Write"/>, and nobody waits but in <see cref="Read"/>, and in <see cref="Write"/> when the room is full that numbers wait in. Results are the same from run to run; they are those of the CPU up to a few ulp (see docs/gpu.md),
/// for both run the same lanes, and sums are made in a fixed order.
/// </summary>
public sealed partial class GpuDevice : Device, IDisposable
{
    /// <summary>Threads of a group where the device has so many.</summary>
    private const int WideGroup = 256;

    /// <summary>Threads of a group on a processor that stands in for a GPU; as many as the CPU's virtual lanes.</summary>
    private const int NarrowGroup = 16;

    /// <summary>Groups that are enough to fill any device; more elements are looped over.</summary>
    private const int EnoughGroups = 4096;

    /// <summary>Groups that keep a large device about busy.</summary>
    private const int BusyGroups = 128;

    /// <summary>Terms from which on a sum may be made in parts, and the fewest of a part.</summary>
    private const int LongSum = 1024, ShortestSlice = 256;
    private readonly ConcurrentDictionary<Type, Delegate> kernels = new();
    private readonly Context context;
    private readonly Accelerator accelerator;
    private readonly AcceleratorStream stream;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> fault;
    private readonly Staging staging;
    private readonly IBlas? blas;
    private readonly ILaunchGraphs? graphs;
    private readonly Func<Tensor, nint> address;
    private readonly int threads, mostGroups;
    private readonly long? memory;
    private long allocated;
    private Arena? scratch;
    private bool collecting;
    private KernelClock? clock;

    /// <param name="context">what it was found in.</param>
    /// <param name="accelerator">the device.</param>
    /// <param name="id">for configurations.</param>
    /// <param name="name">for people.</param>
    /// <param name="memory">bytes, for a device that has fewer than it says.</param>
    /// <param name="tools">what it works with on its stream: a library for matrix products, if not kernels, and graphs, if launches are to be taken together.</param>
    internal GpuDevice(Context context, Accelerator accelerator, string id, string name, long? memory = null,
        Func<Accelerator, AcceleratorStream, (IBlas? Blas, ILaunchGraphs? Graphs)>? tools = null)
    {
        (this.context, this.accelerator, Id, Name, this.memory) = (context, accelerator, id, name, memory);
        staging = new Staging(accelerator);
        stream = accelerator.CreateStream();
        threads = accelerator.MaxNumThreadsPerGroup >= WideGroup ? WideGroup : NarrowGroup;
        // Where every group is a meeting of the same few threads, one is best.
        mostGroups = threads == WideGroup ? EnoughGroups : 1;
        fault = accelerator.Allocate1D<float>(1);
        fault.View.MemSetToZero(stream);
        address = x => View(x).LoadEffectiveAddressAsPtr();
        (blas, graphs) = tools?.Invoke(accelerator, stream) ?? default;
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override string Id { get; }

    /// <summary>Whether matrix products are made on tensor cores, of factors rounded to TF32; only on CUDA, from sm_80 on.</summary>
    public bool Tf32Products { get; internal init; }

    /// <summary>Numbers that <see cref="Scratch"/> has room for.</summary>
    internal int ScratchCapacity => scratch?.Capacity ?? 0;

    /// <summary>All: a launch costs more than a way to memory.</summary>
    public override int CacheBlock => int.MaxValue;

    /// <summary>Gives the device back, and all memory on it.</summary>
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
            // Of a device that is lost there is nothing to give back; what failed first has been said.
        }
    }

    /// <summary>For tests and measurements.</summary>
    internal Traffic Traffic { get; private set; }

    /// <summary>Operations in float32 per second, and bytes to and from memory, that the device can do by what it says of itself (clocks, multiprocessors, width of its memory); none
    /// where it says nothing.</summary>
    internal (double Flops, double Bytes)? Nominal => accelerator is CudaAccelerator { Device: CudaDevice cuda }
        ? (2.0 * cuda.NumMultiprocessors * Lanes(cuda.Architecture!.Value) * cuda.ClockRate * 1e3, 2.0 * cuda.MemoryClockRate * 1e3 * cuda.MemoryBusWidth / 8) : null;

    /// <summary>How long the device works on each kernel of some work; it was opened for profiling.</summary>
    internal IReadOnlyList<KernelTime> Time(Action work)
    {
        var times = clock = new KernelClock(stream);
        try
        {
            work();
        }
        finally
        {
            clock = null;
        }
        Synchronize();
        return times.Times();
    }

    /// <summary>Waits until everything that was launched is done.</summary>
    /// <exception cref="DeviceException">the device failed.</exception>
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
            throw Failed(error, "waiting for it");
        }
    }

    // ---- launches ----

    /// <inheritdoc/>
    protected override void OnBeginCapture()
    {
        // What is timed kernel by kernel cannot be taken together.
        if (graphs is null || clock is not null)
        {
            return;
        }
        try
        {
            graphs.Begin();
            collecting = true;
        }
        catch (AcceleratorException error)
        {
            throw Failed(error, "collecting launches");
        }
    }

    /// <inheritdoc/>
    protected override void OnEndCapture() => Flush();

    /// <summary>What was collected is begun: that was all, or something comes that cannot be collected. What follows is launched as it comes.</summary>
    private void Flush()
    {
        if (!collecting)
        {
            return;
        }
        collecting = false;
        try
        {
            graphs!.Launch();
        }
        catch (AcceleratorException error)
        {
            throw Failed(error, "launching what was collected");
        }
    }

    /// <summary>One thread per element of <paramref name="n"/>, or a loop over them.</summary>
    private void Each<TKernel>(TKernel kernel, int n) where TKernel : struct, IKernel
    {
        if (n > 0)
        {
            Launch(kernel, Math.Min((n + threads - 1) / threads, mostGroups));
        }
    }

    /// <summary>Some threads per row; the kernel's row is a <see cref="SharedRow"/>.</summary>
    private void Rows<TKernel>(TKernel kernel, int rows, int lanes) where TKernel : struct, IKernel
    {
        int perGroup = threads / lanes;
        if (rows > 0)
        {
            Launch(kernel, (rows + perGroup - 1) / perGroup);
        }
    }

    private void Launch<TKernel>(TKernel kernel, int groups) where TKernel : struct, IKernel => Launch(kernel, groups, threads);

    private void Launch<TKernel>(TKernel kernel, int groups, int threads) where TKernel : struct, IKernel
    {
        try
        {
            var launch = Loaded<TKernel>();
            var begin = clock?.Mark();
            launch(stream, new KernelConfig(groups, threads), kernel);
            clock?.Add(typeof(TKernel), begin!);
            Traffic = Traffic with { Launches = Traffic.Launches + 1 };
        }
        catch (Exception error) when (error is AcceleratorException or InternalCompilerException or NotSupportedException)
        {
            throw Failed(error, $"kernel {typeof(TKernel).Name}");
        }
    }

    /// <summary>The kernel, compiled the first time it is asked for.</summary>
    private Action<AcceleratorStream, KernelConfig, TKernel> Loaded<TKernel>() where TKernel : struct, IKernel
        => (Action<AcceleratorStream, KernelConfig, TKernel>)kernels.GetOrAdd(typeof(TKernel), static (_, device) =>
        {
            device.Flush();
            return device.accelerator.LoadKernel<TKernel>(Thread.Enter);
        }, this);

    /// <summary>How many parts a sum of <paramref name="length"/> terms is made in where there are only so many groups at work on all sums: enough to keep a device
    /// busy, and not so many that a part is soon done. That depends on shapes alone, so that every GPU sums in the same order.</summary>
    private static int Slices(int length, int groups)
        => length < LongSum ? 1 : Math.Clamp(BusyGroups / Math.Max(1, groups), 1, length / ShortestSlice);

    /// <summary>Room for results of parts, until the next call. It grows to the most that was ever needed, and is then there for good.</summary>
    private Tensor Scratch(Shape shape)
    {
        scratch ??= new Arena(this);
        scratch.Reset();
        return scratch.TakeLow(shape);
    }

    /// <summary>As many threads as a row is worth: the CPU's sixteen lanes, or for a long one the whole group.</summary>
    private int LanesFor(int columns) => columns > 1024 ? threads : NarrowGroup;

    /// <summary>Multiply-adds in float32 that a multiprocessor begins per clock (CUDA programming guide, arithmetic instructions).</summary>
    private static int Lanes(CudaArchitecture architecture) => (architecture.Major, architecture.Minor) is (7, _) or (8, 0) or (6, 0) ? 64 : 128;

    private DeviceException Failed(Exception error, string doing)
    {
        if (collecting)
        {
            collecting = false;
            graphs!.Abandon();
        }
        return GpuFailure.Of(Name, error, doing);
    }

    // ---- arguments ----

    /// <summary>The numbers of a tensor of which a kernel will touch <paramref name="count"/>.</summary>
    private ArrayView<float> View(Tensor x, int count)
    {
        if (x.Count != count)
        {
            throw new ArgumentException($"{x} where {count} elements are needed");
        }
        return View(x);
    }

    private ArrayView<float> View(Tensor x)
        // An empty tensor may lie at the end of its storage, where no view may begin.
        => x.Storage is GpuStorage storage && ReferenceEquals(storage.Device, this) ? storage.View.SubView(x.Count == 0 ? 0 : x.Offset, x.Count)
        : throw new InvalidOperationException($"{x} is on {x.Device.Name}, and {Name} computes only with numbers of its own; copy them with Tensor.CopyTo");

    /// <summary>See <see cref="Integers(List{int})"/>.</summary>
    private ArrayView<int> Integers(Tensor x) => View(x).Cast<int>();

    /// <summary>A tensor that may be none, which the kernel then does not look at.</summary>
    private ArrayView<float> ViewOr(Tensor x, int count, ArrayView<float> otherwise) => x.IsNone ? otherwise : View(x, count);

    private static int Flag(bool value) => value ? 1 : 0;
}
