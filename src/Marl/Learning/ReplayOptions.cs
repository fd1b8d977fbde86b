namespace Marl.Native.Rl;

/// <summary>An algorithm that learns from replayed episodes: it creates the objective that is minimized, the replay learner does the rest.</summary>
public abstract record ReplayOptions : AlgorithmOptions
{
    /// <summary>Times any number of environments, an integer that a double holds exactly.</summary>
    private const int MostUpdates = 1_000_000;

    /// <summary>Episodes kept for replay.</summary>
    public int BufferSize { get; init; } = 5000;

    /// <summary>Episodes per update.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Updates per episode played.</summary>
    public float UpdatesPerEpisode { get; init; } = 1f;

    /// <summary>The networks and the loss.</summary>
    /// <exception cref="UsageException">The environment has something that it cannot learn; names it and the remedy.</exception>
    public abstract Objective Create(LearningContext context);

    /// <inheritdoc/>
    protected override ILearner NewLearner(LearningContext context) => new ReplayLearner(this, context, Create(context));

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.Require(BatchSize >= 1, BatchSize, "at least 1");
        UsageException.Require(BufferSize >= BatchSize, BufferSize, $"at least batchSize, {BatchSize}");
        UsageException.Require(UpdatesPerEpisode is >= 0 and <= MostUpdates, UpdatesPerEpisode, $"in 0 .. {MostUpdates}");
    }
}

/// <summary>An algorithm that learns action values and acts greedily by them.</summary>
public abstract record ValueOptions : ReplayOptions
{
    /// <summary>Whether the online network chooses the action that the target network values (van Hasselt et al. 2016).</summary>
    public bool DoubleQ { get; init; } = true;
}
