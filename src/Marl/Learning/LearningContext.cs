namespace Marl.Native.Rl;

/// <summary>The environment and the settings of the run that a learner is created for.</summary>
public sealed record LearningContext
{
    internal LearningContext(EnvironmentSpec spec, Workers workers) => (Spec, Workers) = (spec, workers);

    /// <summary>The environment.</summary>
    public EnvironmentSpec Spec { get; }

    /// <summary>The threads that process the shards of a batch.</summary>
    internal Workers Workers { get; }

    /// <summary>With fewer episodes per shard, a step of a recurrent network reads many weights for few rows.</summary>
    private const int MinShardEpisodes = 4;

    /// <summary>The device that updates are computed on, and that plays the rounds where it can (docs/gpu.md).</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>The seed of the run.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Environment steps of the whole run.</summary>
    public long TotalSteps { get; init; } = 1;

    /// <summary>The number of environments: episodes, or segments, per round.</summary>
    public int Environments { get; init; } = 1;

    /// <summary>Shards per batch; 0: chosen by the number of episodes.</summary>
    public int Shards { get; init; }

    /// <summary>The rewards that are recorded.</summary>
    public RewardOptions Rewards { get; init; } = new();

    /// <summary>Steps per environment and round, see <see cref="TrainingOptions.RolloutLength"/>; 0: a whole episode.</summary>
    public int RolloutLength { get; init; }

    /// <summary>Returns the number of shards of a batch of <paramref name="count"/> episodes; 1 on a GPU.</summary>
    internal int ShardCount(int count) => Math.Min(count, Shards > 0 ? Shards
        : Device == Device.Cpu ? Math.Max(Math.Clamp(count / MinShardEpisodes, 1, 4), count / 8) : 1);

    /// <summary>The reward mode, with <see cref="RewardMode.Natural"/> resolved to that of the environment.</summary>
    public RewardMode Reward => Rewards.Mode.Of(Spec);

    /// <summary>The number R of reward streams: 1 for a common reward, else one per agent.</summary>
    public int RewardStreams => Reward.Streams(Spec);

    /// <summary>The run's random number generator, to be split by purpose.</summary>
    public Rng Rng => new(Seed);

    /// <summary>Throws if agents have different rewards.</summary>
    /// <param name="why">The start of the message: what needs a common reward.</param>
    /// <exception cref="UsageException">There are several reward streams.</exception>
    public void RequireCommonReward(string why)
    {
        if (RewardStreams > 1)
        {
            string rewards = Spec.Teams.Length > 1 ? $"the {Spec.Teams.Length} teams of {Spec.Id} have rewards of their own and" : "individual rewards";
            throw new UsageException($"{why}; {rewards} need independent learners, for example iql");
        }
    }

    /// <summary>Throws if actions have several discrete branches.</summary>
    /// <param name="why">The start of the message: what needs a single choice, and the remedy.</param>
    /// <exception cref="UsageException">There are several branches.</exception>
    internal void RequireOneBranch(string why)
    {
        if (Spec.ActionLayout.Branches > 1)
        {
            throw new UsageException($"{why}; the actions of {Spec.Id} have {Spec.ActionLayout.Branches} branches");
        }
    }

    /// <summary>Creates an empty episode or segment of this run.</summary>
    /// <param name="columns">The algorithm's columns, besides the common ones.</param>
    public Episode NewEpisode(params IEnumerable<Column> columns) => NewSchema(columns).CreateEpisode();

    /// <summary>Creates the schema of this run's episodes.</summary>
    /// <param name="columns">The algorithm's columns, besides the common ones.</param>
    internal Schema NewSchema(params IEnumerable<Column> columns) => new(Spec, RewardStreams, RolloutLength > 0 ? [.. columns, .. Segment.Columns] : columns);

    /// <summary>The maximum number of rows of an episode or a segment.</summary>
    internal long MaxRows => RolloutLength > 0 ? 2L * RolloutLength : Spec.EpisodeLimit + 1L;
}
