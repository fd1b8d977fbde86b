using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Learning from replayed episodes with a target network (Mnih et al. 2015): everything of the value-based family but its <see cref="Objective"/>.
/// </summary>
public sealed class ReplayLearner : ILearner
{
    private readonly ReplayOptions options;
    private readonly LearnerContext context;
    private readonly Objective objective;
    private readonly TrainedNetwork network;
    private readonly BatchGradient gradient;
    private readonly ReplayBuffer replay;
    private readonly RunningStatistics? rewards;
    private readonly Episode[] sample;
    private readonly Func<Shard, Var> lossOf;
    private readonly Schedule epsilon;
    private float owed, loss;
    private long updates, steps;
    private Rng sampling;

    /// <summary>Networks with fresh weights and an empty memory.</summary>
    /// <param name="options">how it learns.</param>
    /// <param name="context">where.</param>
    /// <param name="objective">what it learns: adds its parameters to a layout.</param>
    public ReplayLearner(ReplayOptions options, LearnerContext context, Func<ParameterLayout, Objective> objective)
    {
        options.Validate();
        (this.options, this.context) = (options, context);
        var layout = new ParameterLayout();
        this.objective = objective(layout);
        network = new TrainedNetwork("network", layout, options, context.Rng, context.Device);
        gradient = new BatchGradient(context, options.BatchSize, [network], this.objective.Metrics.Count);
        replay = new ReplayBuffer(options.BufferSize);
        rewards = options.StandardiseRewards ? new RunningStatistics(context.Reward.Streams(context.Spec)) : null;
        sample = new Episode[options.BatchSize];
        lossOf = this.objective.Loss;
        epsilon = Schedule.Linear(options.EpsilonStart, options.EpsilonFinish, options.EpsilonAnneal);
        sampling = context.Rng.Split(RngPurpose.Sampling);
    }

    /// <inheritdoc/>
    public Agent Agent => objective.Agent;

    /// <inheritdoc/>
    public Parameters Parameters => network.Online;

    /// <summary>The parameters that targets are computed with.</summary>
    public Parameters TargetParameters => network.Target;

    /// <inheritdoc/>
    public IActionSelector Selector { get; } = new EpsilonGreedy();

    /// <inheritdoc/>
    public long Updates => updates;

    /// <inheritdoc/>
    public UpdateStatistics Statistics => new(loss, network.GradientNorm, [.. objective.Metrics.Zip(gradient.Metrics.ToArray())]);

    /// <inheritdoc/>
    public float Exploration(long steps) => epsilon.At(steps);

    /// <inheritdoc/>
    public void Learn(Span<Episode> episodes, long steps)
    {
        this.steps = steps;
        foreach (ref var episode in episodes)
        {
            episode = replay.Add(episode) ?? context.NewEpisode();
            owed += options.UpdatesPerEpisode;
        }
        for (; owed >= 1; owed--)
        {
            if (replay.Count >= options.BatchSize)
            {
                replay.Sample(sample, ref sampling);
                Update(sample);
            }
        }
    }

    /// <summary>One update from the given episodes, as many as the batch size: the training call of the papers.</summary>
    /// <exception cref="DivergedException">the loss or a gradient is no number any more.</exception>
    public void Update(ReadOnlySpan<Episode> episodes)
    {
        foreach (var episode in episodes)
        {
            rewards?.Update(episode.Rewards.AsSpan(0, episode.Length * episode.RewardStreams));
        }
        loss = gradient.Of(lossOf, episodes, new(rewards, steps, epsilon.At(steps)));
        float scale = objective.Complete(gradient.Metrics);
        if (scale != 1f)
        {
            loss *= scale;
            var g = network.Online.Gradient;
            g.Device.Map(new Affine(scale, 0f), g, g);
        }
        network.Step(loss);
        network.Follow();
        updates++;
    }

    /// <inheritdoc/>
    public void Archive(IArchive archive)
    {
        network.Archive(archive);
        gradient.Archive(archive.Scope("gradient"));
        archive.Value("updates", ref updates);
        archive.Value("owed", ref owed);
        archive.Rng("sampling", ref sampling);
        archive.Statistics("rewards", rewards);
        replay.Archive(archive.Scope("replay"), context.NewEpisode);
    }
}
