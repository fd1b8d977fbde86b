namespace Marl.Native.Rl;

/// <summary>What a learner is built with besides its own options: the environment, and how the run is conducted.</summary>
public sealed record LearningContext
{
    internal LearningContext(EnvironmentSpec spec, Workers workers) => (Spec, Workers) = (spec, workers);

    /// <summary>The environment.</summary>
    public EnvironmentSpec Spec { get; }

    /// <summary>The threads that the shards of a batch are distributed to.</summary>
    internal Workers Workers { get; }

    /// <summary>With fewer episodes a step of a recurrent network has too few rows for what it reads of weights.</summary>
    private const int ShortestShard = 4;

    /// <summary>Where it learns; acting is always on the CPU.</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>The seed of the run.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Environment steps of the whole run.</summary>
    public long TotalSteps { get; init; } = 1;

    /// <summary>Episodes of a round.</summary>
    public int Environments { get; init; } = 1;

    /// <summary>Shards of a batch; 0: chosen by the number of episodes.</summary>
    public int Shards { get; init; }

    /// <summary>What is recorded of rewards.</summary>
    public RewardOptions Rewards { get; init; } = new();

    /// <summary>Steps that each environment contributes to a round, see <see cref="TrainingOptions.RolloutLength"/>; 0: a whole episode.</summary>
    public int RolloutLength { get; init; }

    /// <summary>The number of shards that a batch of <paramref name="count"/> episodes is cut into. On the CPU as many as are worth it; a GPU takes a
    /// whole batch at once.</summary>
    internal int ShardsOf(int count) => Math.Min(count, Shards > 0 ? Shards
        : Device == Device.Cpu ? Math.Max(Math.Clamp(count / ShortestShard, 1, 4), count / 8) : 1);

    /// <summary>The reward of each agent, the environment's own choice resolved.</summary>
    public RewardMode Reward => Rewards.Mode.Of(Spec);

    /// <summary>R</summary>
    public int RewardStreams => Reward.Streams(Spec);

    /// <summary>The run's generator, to be split.</summary>
    public Rng Rng => new(Seed);

    /// <summary>Refuses rewards that differ between agents.</summary>
    /// <param name="why">What needs a common one: begins the message.</param>
    /// <exception cref="UsageException">There are several reward streams.</exception>
    public void RequireCommonReward(string why)
    {
        if (RewardStreams > 1)
        {
            string rewards = Spec.Teams.Length > 1 ? $"the {Spec.Teams.Length} teams of {Spec.Id} have rewards of their own and" : "individual rewards";
            throw new UsageException($"{why}; {rewards} need learners of their own, iql for example");
        }
    }

    /// <summary>An empty episode or segment of this run.</summary>
    /// <param name="columns">more than the common ones.</param>
    public Episode NewEpisode(params IEnumerable<Column> columns) => NewSchema(columns).CreateEpisode();

    /// <summary>The columns of this run.</summary>
    /// <param name="more">declared by the algorithm.</param>
    internal Schema NewSchema(params IEnumerable<Column> more) => new(Spec, RewardStreams, RolloutLength > 0 ? [.. more, .. Segment.Columns] : more);

    /// <summary>Rows that an episode or a segment can have.</summary>
    internal long MostRows => RolloutLength > 0 ? 2L * RolloutLength : Spec.EpisodeLimit + 1L;
}
