namespace Marl.Native.Rl;

/// <summary>Hyper-parameters that all who learn from replayed episodes have.</summary>
public abstract record ReplayOptions : LearnerOptions
{
    /// <summary>Episodes kept for replay.</summary>
    public int BufferSize { get; init; } = 5000;

    /// <summary>Episodes per update.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Updates per episode played.</summary>
    public float UpdatesPerEpisode { get; init; } = 1f;

    internal override void Validate()
    {
        base.Validate();
        UsageException.Require(BatchSize >= 1, BatchSize, "at least 1");
        UsageException.Require(BufferSize >= BatchSize, BufferSize, $"at least batchSize, {BatchSize}");
        UsageException.Require(UpdatesPerEpisode >= 0, UpdatesPerEpisode, "at least 0");
    }
}

/// <summary>Hyper-parameters that all of the value-based family have.</summary>
public abstract record ValueOptions : ReplayOptions
{
    /// <summary>Whether the online network chooses the action that the target network values (van Hasselt et al. 2016).</summary>
    public bool DoubleQ { get; init; } = true;

    /// <summary>Epsilon at the beginning ..</summary>
    public float EpsilonStart { get; init; } = 1f;

    /// <summary>.. and from then on ..</summary>
    public float EpsilonFinish { get; init; } = 0.05f;

    /// <summary>.. so many environment steps, linearly.</summary>
    public long EpsilonAnneal { get; init; } = 200_000;

    internal override void Validate()
    {
        base.Validate();
        UsageException.Require(EpsilonStart is >= 0 and <= 1, EpsilonStart, "in 0 .. 1");
        UsageException.Require(EpsilonFinish is >= 0 and <= 1, EpsilonFinish, "in 0 .. 1");
        UsageException.Require(EpsilonAnneal >= 0, EpsilonAnneal, "at least 0");
    }
}
