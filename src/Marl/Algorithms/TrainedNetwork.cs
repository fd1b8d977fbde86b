using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>Parameters in training: what moves them, and the target that follows them.</summary>
public sealed class TrainedNetwork
{
    private readonly LearnerOptions options;
    private readonly Optimizer optimizer;
    private readonly GradientClip clip;
    private long steps;

    /// <summary>Fresh weights; the target has the same.</summary>
    /// <param name="name">see <see cref="Name"/>.</param>
    /// <param name="layout">its parameters.</param>
    /// <param name="options">optimiser, clipping, and how the target follows.</param>
    /// <param name="rng">draws the weights.</param>
    /// <param name="device">where they are.</param>
    internal TrainedNetwork(string name, ParameterLayout layout, LearnerOptions options, Rng rng, Device device)
    {
        (Name, this.options) = (name, options);
        Online = new Parameters(layout, device).Initialise(rng);
        Target = new Parameters(layout, device);
        Target.CopyFrom(Online);
        clip = new GradientClip(Online);
        optimizer = new Optimizer(Online, options.Optimizer == OptimizerKind.Adam
            ? new Adam { LearningRate = options.LearningRate, Epsilon = options.OptimizerEpsilon }
            : new RmsProp { LearningRate = options.LearningRate, Alpha = options.RmspropAlpha, Epsilon = options.OptimizerEpsilon });
    }

    /// <summary>Of it in checkpoints, errors and metrics.</summary>
    public string Name { get; }

    /// <summary>The parameters that learn.</summary>
    public Parameters Online { get; }

    /// <summary>Those that follow, for targets.</summary>
    public Parameters Target { get; }

    /// <summary>Global norm of the last gradient before clipping.</summary>
    public float GradientNorm { get; private set; }

    /// <summary>Clips the gradient, and moves the parameters against it. The target stays.</summary>
    /// <param name="loss">what was differentiated, for the error.</param>
    /// <exception cref="DivergedException">the loss or the gradient is no number any more; names the first tensor that is not.</exception>
    internal void Step(float loss)
    {
        GradientNorm = options.GradientClip > 0 ? clip.ByGlobalNorm(options.GradientClip) : clip.GlobalNorm();
        if (!float.IsFinite(loss) || !float.IsFinite(GradientNorm))
        {
            var where = clip.FirstNonFinite(Online.Values) ?? clip.FirstNonFinite(Online.Gradient);
            throw new DivergedException($"diverged at update {steps + 1}: loss {loss}, gradient norm {GradientNorm}; the first tensor that is not finite is " +
                $"'{where?.Name ?? "loss"}'");
        }
        optimizer.Step();
    }

    /// <summary>An update is done: from time to time the target follows.</summary>
    internal void Follow()
    {
        steps++;
        if (steps % options.TargetEvery == 0)
        {
            Target.Blend(Online, options.TargetTau);
        }
    }

    /// <summary>Saves or restores everything.</summary>
    internal void Archive(IArchive archive)
    {
        var scope = archive.Scope(Name);
        scope.Tensor("online", Online.Values);
        scope.Tensor("target", Target.Values);
        scope.Value("steps", ref steps);
        scope.Optimizer("optimizer", optimizer);
    }
}
