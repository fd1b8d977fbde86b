using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Learning from replayed episodes with a target network (Mnih et al. 2015): everything of the value-based family but its <see cref="Objective"/>. Episodes go
/// to the replay buffer; a batch drawn from it is cut into shards, whose gradients are summed by a fixed tree; the target network follows.
/// </summary>
public sealed class ReplayLearner : ILearner
{
    private readonly ReplayOptions options;
    private readonly LearnerContext context;
    private readonly Objective objective;
    private readonly Parameters online, target;
    private readonly Optimizer optimizer;
    private readonly GradientClip clip;
    private readonly ReplayBuffer replay;
    private readonly RunningStatistics? rewards;
    private readonly Part[] parts;
    private readonly Shard[] shards;
    private readonly Episode[] sample;
    private readonly Action<int, int> differentiate;
    private readonly Schedule epsilon;
    private readonly float[] metrics;
    private Shard.Setting setting;
    private float owed, loss, gradientNorm;
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
        var (spec, layout) = (context.Spec, new ParameterLayout());
        this.objective = objective(layout);
        online = new Parameters(layout).Initialise(context.Rng);
        target = new Parameters(layout);
        target.CopyFrom(online);
        clip = new GradientClip(online);
        optimizer = new Optimizer(online, options.Optimizer == OptimizerKind.Adam
            ? new Adam { LearningRate = options.LearningRate, Epsilon = options.OptimizerEpsilon }
            : new RmsProp { LearningRate = options.LearningRate, Alpha = options.RmspropAlpha, Epsilon = options.OptimizerEpsilon });
        replay = new ReplayBuffer(options.BufferSize);
        int streams = context.Reward.Streams(spec);
        rewards = options.StandardiseRewards ? new RunningStatistics(streams) : null;
        sample = new Episode[options.BatchSize];
        metrics = new float[this.objective.Metrics.Count];
        parts = new Part[context.Training.ShardsOf(options.BatchSize)];
        for (int s = 0; s < parts.Length; s++)
        {
            int first = s * options.BatchSize / parts.Length, end = (s + 1) * options.BatchSize / parts.Length;
            parts[s] = new Part(first, end - first, layout.Count, metrics.Length);
        }
        int largest = parts.Max(part => part.Count);
        shards = [.. Enumerable.Range(0, context.Workers.Count).Select(_ => new Shard(spec, largest, streams))];
        differentiate = Differentiate;
        epsilon = Schedule.Linear(options.EpsilonStart, options.EpsilonFinish, options.EpsilonAnneal);
        sampling = context.Rng.Split(RngPurpose.Sampling);
    }

    /// <inheritdoc/>
    public Agent Agent => objective.Agent;

    /// <inheritdoc/>
    public Parameters Parameters => online;

    /// <summary>The parameters that targets are computed with.</summary>
    public Parameters TargetParameters => target;

    /// <inheritdoc/>
    public IActionSelector Selector { get; } = new EpsilonGreedy();

    /// <inheritdoc/>
    public long Updates => updates;

    /// <inheritdoc/>
    public UpdateStatistics Statistics => new(loss, gradientNorm, [.. objective.Metrics.Zip(metrics)]);

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
        if (episodes.Length != sample.Length)
        {
            throw new ArgumentException($"{episodes.Length} episodes for a batch of {sample.Length}");
        }
        episodes.CopyTo(sample);
        // What concerns the whole batch comes first; then the shards are on their own.
        int transitions = 0;
        foreach (var episode in sample)
        {
            transitions += episode.Length;
            rewards?.Update(episode.Rewards.AsSpan(0, episode.Length * episode.RewardStreams));
        }
        setting = new(online, target, rewards, transitions, steps, epsilon.At(steps));
        context.Workers.Run(parts.Length, differentiate);

        loss = 0;
        metrics.AsSpan().Clear();
        foreach (var part in parts)
        {
            loss += part.Loss;
            for (int metric = 0; metric < metrics.Length; metric++)
            {
                metrics[metric] += part.Metrics[metric];
            }
        }
        ShardSum.Reduce(parts, static part => part.Gradient, online.Gradient);
        float scale = objective.Complete(metrics);
        if (scale != 1f)
        {
            loss *= scale;
            online.Gradient.Device.Map(new Affine(scale, 0f), online.Gradient, online.Gradient);
        }
        gradientNorm = options.GradientClip > 0 ? clip.ByGlobalNorm(options.GradientClip) : clip.GlobalNorm();
        if (!float.IsFinite(loss) || !float.IsFinite(gradientNorm))
        {
            var where = clip.FirstNonFinite(online.Values) ?? clip.FirstNonFinite(online.Gradient);
            throw new DivergedException($"diverged at update {updates + 1}: loss {loss}, gradient norm {gradientNorm}; the first tensor that is not " +
                $"finite is '{where?.Name ?? "loss"}'");
        }
        optimizer.Step();
        updates++;
        if (updates % options.TargetEvery == 0)
        {
            target.Blend(online, options.TargetTau);
        }
    }

    /// <inheritdoc/>
    public void Archive(IArchive archive)
    {
        archive.Tensor("online", online.Values);
        archive.Tensor("target", target.Values);
        archive.Value("updates", ref updates);
        archive.Value("owed", ref owed);
        archive.Rng("sampling", ref sampling);
        archive.Optimizer("optimizer", optimizer);
        archive.Statistics("rewards", rewards);
        replay.Archive(archive.Scope("replay"), context.NewEpisode);
    }

    private void Differentiate(int index, int worker)
    {
        var part = parts[index];
        var chance = context.Rng.Split(RngPurpose.Loss, (int)updates, index);
        part.Loss = shards[worker].Differentiate(objective, sample.AsSpan(part.First, part.Count), setting, part.Gradient, part.Metrics, chance);
    }

    /// <summary>Which episodes of the batch are a shard, and what came of it.</summary>
    private sealed class Part(int first, int count, int parameters, int metrics)
    {
        public int First { get; } = first;
        public int Count { get; } = count;
        public Tensor Gradient { get; } = Tensor.Zeros(parameters);
        public float[] Metrics { get; } = new float[metrics];
        public float Loss;
    }
}
