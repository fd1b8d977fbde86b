using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A network in training: online and target parameters, optimizer and gradient clipping. Losses and gradient norms stay on the device until they are read, or
/// the log is full. A step with a gradient that is not finite, and all steps after it, leave the parameters unchanged.
/// </summary>
internal sealed class TrainedNetwork
{
    /// <summary>The maximum number of steps between two reads of losses and norms from a GPU. On the CPU every step is checked.</summary>
    public const int StepsBetweenReads = 64;

    private readonly AlgorithmOptions options;
    private readonly Optimizer optimizer;
    private readonly GradientClip clip;

    // The log of unread steps: sums of squares of the gradient's slices and the loss, see Device.ClipScale, and the number of the update.
    private readonly Tensor log;
    private readonly float[] hostLog;
    private readonly long[] updates;
    private float norm;
    private int unreadSteps, logRow;
    private long steps;

    /// <summary>Creates a network with newly initialized weights; the target has the same.</summary>
    /// <param name="name">The name in checkpoints, errors and metrics.</param>
    /// <param name="layout">The layout of its parameters.</param>
    /// <param name="options">Optimizer, gradient clipping and target updates.</param>
    /// <param name="rng">The random number generator of the weights.</param>
    /// <param name="device">The device of the parameters.</param>
    internal TrainedNetwork(string name, ParameterLayout layout, AlgorithmOptions options, Rng rng, Device device)
    {
        (Name, this.options) = (name, options);
        Online = new Parameters(layout, device).Initialize(rng);
        Target = new Parameters(layout, device);
        Target.CopyFrom(Online);
        clip = new GradientClip(Online);
        updates = new long[device == Device.Cpu ? 1 : StepsBetweenReads];
        log = device.Zeros(new Shape(1 + updates.Length * (layout.Slices.Count + 1)));
        hostLog = new float[log.Count];
        optimizer = new Optimizer(Online, options.Optimizer with { LearningRate = options.LearningRate });
    }

    /// <summary>The name in checkpoints, errors and metrics.</summary>
    public string Name { get; }

    /// <summary>The parameters that are trained.</summary>
    public Parameters Online { get; }

    /// <summary>The parameters of the target network.</summary>
    public Parameters Target { get; }

    /// <summary>The global L2 norm of the last gradient before clipping.</summary>
    /// <exception cref="DivergedException">A loss or a gradient was not finite.</exception>
    public float GradientNorm
    {
        get
        {
            Synchronize();
            return norm;
        }
    }

    /// <summary>Takes an optimizer step with the clipped gradient. The target does not change.</summary>
    /// <param name="loss">The loss [1].</param>
    /// <exception cref="DivergedException">A loss or a gradient was not finite.</exception>
    internal void Step(Tensor loss)
    {
        var scale = clip.ByGlobalNorm(options.MaxGradientNorm > 0 ? options.MaxGradientNorm : float.PositiveInfinity, loss, log);
        updates[logRow] = steps + 1;
        logRow = (logRow + 1) % updates.Length;
        unreadSteps++;
        if (unreadSteps == updates.Length)
        {
            Synchronize();
        }
        optimizer.Step(scale: scale);
    }

    /// <summary>Reads losses and norms of the last steps from the device.</summary>
    /// <exception cref="DivergedException">A loss or a gradient was not finite; the message names the first tensor.</exception>
    internal void Synchronize()
    {
        if (unreadSteps == 0)
        {
            return;
        }
        int rows = updates.Length, width = (log.Count - 1) / rows, first = logRow + rows - unreadSteps, unread = unreadSteps;
        unreadSteps = 0;
        log.Device.Read(log, hostLog);
        for (int i = 0; i < unread; i++)
        {
            int row = (first + i) % rows;
            var squares = hostLog.AsSpan(1 + row * width, width - 1);
            float loss = hostLog[(row + 1) * width];
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

    /// <summary>Counts an update, and updates the target every <see cref="AlgorithmOptions.TargetUpdateInterval"/> updates.</summary>
    internal void UpdateTarget()
    {
        steps++;
        if (steps % options.TargetUpdateInterval == 0)
        {
            Target.PolyakUpdate(Online, options.TargetTau);
        }
    }

    /// <summary>Saves or restores parameters, counters and optimizer.</summary>
    internal void Archive(IArchive archive)
    {
        Synchronize();
        var scope = archive.Scope(Name);
        scope.Tensor("online", Online.Values);
        scope.Tensor("target", Target.Values);
        scope.Value("steps", ref steps, 0, ArchiveExtensions.MaxUpdates);
        scope.Optimizer("optimizer", optimizer);
    }
}
