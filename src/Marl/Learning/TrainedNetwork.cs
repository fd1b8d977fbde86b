using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Parameters in training: what moves them, and the target that follows them. How a step went stays on the device until somebody asks, or there is no more
/// room for it; a step against a gradient that is no number, and all after it, leave the parameters as they are.
/// </summary>
internal sealed class TrainedNetwork
{
    /// <summary>After so many steps, at the latest, a device is asked how they went. On the CPU asking is free, and each is.</summary>
    public const int StepsBetweenReads = 64;

    private readonly AlgorithmOptions options;
    private readonly Optimizer optimizer;
    private readonly GradientClip clip;

    // How the steps went that nobody has asked about yet: sums of squares of the gradient's slices and the loss, and the update that each belongs to.
    private readonly Tensor log;
    private readonly float[] hostLog;
    private readonly long[] updates;
    private float norm;
    private int taken;
    private long steps;

    /// <summary>Fresh weights; the target has the same.</summary>
    /// <param name="name">see <see cref="Name"/>.</param>
    /// <param name="layout">its parameters.</param>
    /// <param name="options">optimizer, clipping, and how the target follows.</param>
    /// <param name="rng">draws the weights.</param>
    /// <param name="device">where they are.</param>
    internal TrainedNetwork(string name, ParameterLayout layout, AlgorithmOptions options, Rng rng, Device device)
    {
        (Name, this.options) = (name, options);
        Online = new Parameters(layout, device).Initialize(rng);
        Target = new Parameters(layout, device);
        Target.CopyFrom(Online);
        clip = new GradientClip(Online);
        updates = new long[device == Device.Cpu ? 1 : StepsBetweenReads];
        log = device.Zeros(new Shape(updates.Length, layout.Slices.Count + 1));
        hostLog = new float[log.Count];
        optimizer = new Optimizer(Online, options.Optimizer with { LearningRate = options.LearningRate });
    }

    /// <summary>Of it in checkpoints, errors and metrics.</summary>
    public string Name { get; }

    /// <summary>The parameters that learn.</summary>
    public Parameters Online { get; }

    /// <summary>Those that follow, for targets.</summary>
    public Parameters Target { get; }

    /// <summary>Global norm of the last gradient before clipping.</summary>
    /// <exception cref="DivergedException">see <see cref="Synchronize"/>.</exception>
    public float GradientNorm
    {
        get
        {
            Synchronize();
            return norm;
        }
    }

    /// <summary>Moves the parameters against the gradient, which counts less where it is too long. The target stays.</summary>
    /// <param name="loss">[1] what was differentiated.</param>
    /// <exception cref="DivergedException">see <see cref="Synchronize"/>.</exception>
    internal void Step(Tensor loss)
    {
        var scale = clip.ByGlobalNorm(options.MaxGradientNorm > 0 ? options.MaxGradientNorm : float.PositiveInfinity, loss);
        var row = log[taken];
        clip.SquaredNorms.CopyTo(row.Slice(0, row.Count - 1));
        loss.CopyTo(row.Slice(row.Count - 1, 1));
        updates[taken++] = steps + 1;
        if (taken == updates.Length)
        {
            Synchronize();
        }
        optimizer.Step(scale: scale);
    }

    /// <summary>Asks the device how the last steps went.</summary>
    /// <exception cref="DivergedException">a loss or a gradient was no number any more; names the first tensor that is not.</exception>
    internal void Synchronize()
    {
        if (taken == 0)
        {
            return;
        }
        int rows = taken, width = log.Shape[1];
        taken = 0;
        log.Device.Read(log.Slice(0, rows), hostLog.AsSpan(0, rows * width));
        for (int row = 0; row < rows; row++)
        {
            var squares = hostLog.AsSpan(row * width, width - 1);
            float loss = hostLog[(row + 1) * width - 1];
            norm = GradientClip.Norm(squares);
            if (!float.IsFinite(loss) || !float.IsFinite(norm))
            {
                clip.Reset();
                var where = clip.FirstNonFinite(Online.Values) ?? clip.FirstNonFinite(squares);
                throw new DivergedException($"diverged at update {updates[row]}: loss {loss}, gradient norm {norm}; the first tensor that is not finite is " +
                    $"'{where?.Name ?? "loss"}'");
            }
        }
    }

    /// <summary>An update is done: from time to time the target follows.</summary>
    internal void UpdateTarget()
    {
        steps++;
        if (steps % options.TargetUpdateInterval == 0)
        {
            Target.PolyakUpdate(Online, options.TargetTau);
        }
    }

    /// <summary>Saves or restores everything.</summary>
    internal void Archive(IArchive archive)
    {
        Synchronize();
        var scope = archive.Scope(Name);
        scope.Tensor("online", Online.Values);
        scope.Tensor("target", Target.Values);
        scope.Value("steps", ref steps);
        scope.Optimizer("optimizer", optimizer);
    }
}
