namespace Marl.Native.Rl;

/// <summary>Options of off-policy algorithms, which learn from episodes sampled from a replay buffer.</summary>
public abstract record ReplayOptions : AlgorithmOptions
{
    /// <summary>Multiplied by any number of environments it is an integer that a double represents exactly.</summary>
    private const int MaxUpdatesPerEpisode = 1_000_000;

    /// <summary>Capacity of the replay buffer in episodes, at least batchSize.</summary>
    public int BufferSize { get; init; } = 5000;

    /// <summary>Episodes per batch, at least 1.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Updates per episode played; may be a fraction.</summary>
    public float UpdatesPerEpisode { get; init; } = 1f;

    /// <summary>Creates the networks and the loss.</summary>
    /// <param name="context">The environment and the run.</param>
    /// <exception cref="UsageException">The algorithm does not support the environment.</exception>
    public abstract Objective Create(LearningContext context);

    /// <inheritdoc/>
    protected override ILearner NewLearner(LearningContext context) => new ReplayLearner(this, context, Create(context));

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.Require(BatchSize >= 1, BatchSize, "at least 1");
        UsageException.Require(BufferSize >= BatchSize, BufferSize, $"at least batchSize, {BatchSize}");
        UsageException.Require(UpdatesPerEpisode is >= 0 and <= MaxUpdatesPerEpisode, UpdatesPerEpisode, $"in 0 .. {MaxUpdatesPerEpisode}");
    }
}

/// <summary>Options of algorithms that learn action values and act greedily.</summary>
public abstract record ValueOptions : ReplayOptions
{
    /// <summary>Double Q-learning: whether the online network selects the next action and the target network evaluates it (van Hasselt et al. 2016). false: the
    /// target network does both.</summary>
    public bool DoubleQ { get; init; } = true;
}
