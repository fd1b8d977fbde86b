using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>
/// Launches that are recorded while a capture lasts, and submitted together at its end. Launches of one kernel that do not depend on each other become one
/// launch. The plan of what is launched in which order is made once per sequence of launches, and kept. On CUDA a plan is one graph, which is launched as it is
/// if no argument has changed.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="graphs">Launches a plan as a graph, or null.</param>
internal sealed class LaunchQueue(GpuDevice device, ILaunchGraphs? graphs)
{
    /// <summary>The most plans that are kept. Batches of other lengths have plans of their own.</summary>
    private const int MostPlans = 256;
    private readonly List<RecordedLaunch> launches = [];
    private readonly Dictionary<ulong, int[][]> plans = [];
    private readonly Dictionary<Type, Stack<RecordedLaunch>> unused = [];
    private readonly LaunchArrays transfer = new();
    private bool isSubmitting;

    /// <summary>Whether launches are recorded.</summary>
    public bool IsRecording { get; set; }

    /// <summary>Whether launches wait to be submitted.</summary>
    public bool IsWaiting => launches.Count > 0 && !isSubmitting;

    /// <summary>Records a launch.</summary>
    public void Add<TKernel>(TKernel kernel, int groups, int threads) where TKernel : struct, IKernel
    {
        var launch = (RecordedKernel<TKernel>)(Unused(typeof(TKernel)) ?? new RecordedKernel<TKernel>());
        launch.Set(kernel, groups, threads);
        launches.Add(launch);
    }

    /// <summary>Records a product of a library.</summary>
    public void Add(in Sgemm product, IBlas blas, Action<LaunchArrays> arrays)
    {
        var launch = (RecordedProduct)(Unused(typeof(Sgemm)) ?? new RecordedProduct());
        launch.Set(product, blas, arrays);
        launches.Add(launch);
    }

    /// <summary>Whether a recorded launch accesses an array.</summary>
    public bool Accesses(ArrayView<float> array)
    {
        transfer.Clear();
        transfer.Write(ref array);
        return launches.Exists(launch => launch.Arrays.ConflictsWith(transfer));
    }

    /// <summary>Submits the recorded launches.</summary>
    public void Submit()
    {
        bool wasRecording = IsRecording;
        (IsRecording, isSubmitting) = (false, true);
        try
        {
            ulong shape = 0, arguments = 0;
            foreach (var launch in launches)
            {
                shape = LaunchArrays.Combine(shape, launch.Shape);
                arguments = LaunchArrays.Combine(arguments, launch.Arrays.Arguments);
            }
            bool isKnown = plans.TryGetValue(shape, out int[][]? plan);
            if (!isKnown)
            {
                if (plans.Count == MostPlans)
                {
                    plans.Clear();
                    graphs?.Clear();
                }
                plans.Add(shape, plan = LaunchPlan.Of(launches));
            }
            // The first time launches are not captured, for kernels may have to be compiled, and neither are launches that are measured one by one.
            var captured = isKnown && !device.IsMeasuring ? graphs : null;
            if (captured?.TryReplay(shape, arguments) == true)
            {
                device.CountLaunches(plan!.Length);
                return;
            }
            captured?.Begin();
            try
            {
                foreach (int[] joined in plan!)
                {
                    launches[joined[0]].Issue(device, launches, joined);
                }
            }
            catch
            {
                captured?.Abandon();
                throw;
            }
            captured?.Launch(shape, arguments);
        }
        finally
        {
            foreach (var launch in launches)
            {
                unused[launch.Kind].Push(launch);
            }
            launches.Clear();
            (IsRecording, isSubmitting) = (wasRecording, false);
        }
    }

    private RecordedLaunch? Unused(Type kind)
    {
        if (!unused.TryGetValue(kind, out var stack))
        {
            unused.Add(kind, stack = []);
        }
        return stack.TryPop(out var launch) ? launch : null;
    }
}

/// <summary>A recorded launch.</summary>
internal abstract class RecordedLaunch
{
    /// <summary>The type of the kernel.</summary>
    public abstract Type Kind { get; }

    /// <summary>What it reads and writes.</summary>
    public LaunchArrays Arrays { get; } = new();

    /// <summary>A hash of the kernel, the grid and the addresses.</summary>
    public ulong Shape { get; protected set; }

    /// <summary>The number of launches of this kind that one launch may join.</summary>
    public abstract int MostJoined { get; }

    /// <summary>Whether the other launch may be joined with this one.</summary>
    public abstract bool Matches(RecordedLaunch other);

    /// <summary>Launches some of the recorded launches, of which this is the first, as one.</summary>
    public abstract void Issue(GpuDevice device, List<RecordedLaunch> launches, int[] joined);
}

/// <summary>A recorded launch of a kernel.</summary>
internal sealed class RecordedKernel<TKernel> : RecordedLaunch where TKernel : struct, IKernel
{
    private TKernel kernel;
    private int groups, threads;

    /// <inheritdoc/>
    public override Type Kind => typeof(TKernel);

    /// <inheritdoc/>
    public override int MostJoined => JoinedKernel<TKernel>.Most;

    /// <summary>Sets the arguments.</summary>
    public void Set(TKernel kernel, int groups, int threads)
    {
        (this.kernel, this.groups, this.threads) = (kernel, groups, threads);
        Arrays.Set(kernel);
        Shape = LaunchArrays.Combine(LaunchArrays.Combine((ulong)typeof(TKernel).GetHashCode(), (ulong)groups << 32 | (uint)threads), Arrays.Addresses);
    }

    /// <inheritdoc/>
    public override bool Matches(RecordedLaunch other) => other is RecordedKernel<TKernel> same && same.threads == threads;

    /// <inheritdoc/>
    public override void Issue(GpuDevice device, List<RecordedLaunch> launches, int[] joined)
    {
        if (joined.Length == 1)
        {
            device.Issue(kernel, groups, threads);
            return;
        }
        int end = 0;
        JoinedKernel<TKernel> all = new()
        {
            K0 = Next(0, out int end0),
            K1 = Next(1, out int end1),
            K2 = Next(2, out int end2),
            K3 = Next(3, out int end3),
            K4 = Next(4, out int end4),
            K5 = Next(5, out int end5),
            K6 = Next(6, out int end6),
            K7 = Next(7, out int _),
            End0 = end0,
            End1 = end1,
            End2 = end2,
            End3 = end3,
            End4 = end4,
            End5 = end5,
            End6 = end6,
        };
        device.Issue(all, end, threads);

        TKernel Next(int place, out int endOfPlace)
        {
            // Unused places have no groups.
            var launch = (RecordedKernel<TKernel>)launches[joined[Math.Min(place, joined.Length - 1)]];
            endOfPlace = end += place < joined.Length ? launch.groups : 0;
            return launch.kernel;
        }
    }
}

/// <summary>A recorded product of a library.</summary>
internal sealed class RecordedProduct : RecordedLaunch
{
    private Sgemm product;
    private IBlas? blas;

    /// <inheritdoc/>
    public override Type Kind => typeof(Sgemm);

    /// <inheritdoc/>
    public override int MostJoined => 1;

    /// <summary>Sets the arguments.</summary>
    public void Set(in Sgemm product, IBlas blas, Action<LaunchArrays> arrays)
    {
        (this.product, this.blas) = (product, blas);
        Arrays.Clear();
        arrays(Arrays);
        // A replayed graph has these arguments: another product is another plan.
        Shape = (ulong)product.GetHashCode();
    }

    /// <inheritdoc/>
    public override bool Matches(RecordedLaunch other) => false;

    /// <inheritdoc/>
    public override void Issue(GpuDevice device, List<RecordedLaunch> launches, int[] joined) => blas!.Multiply(product);
}
