namespace Marl.Native.Rl;

/// <summary>What a learner is built with besides its own options: the environment, and how the run is conducted.</summary>
/// <param name="Spec">The environment.</param>
/// <param name="Workers">Who works on the shards of a batch.</param>
public sealed record LearningContext(EnvironmentSpec Spec, Workers Workers)
{
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

    /// <summary>The reward of each agent.</summary>
    public RewardMode RewardMode { get; init; } = RewardMode.Natural;

    /// <summary>With <see cref="RewardMode.Difference"/>: the action that takes the place of an agent's own.</summary>
    public int DefaultAction { get; init; }

    /// <summary>Whether a time limit is recorded as a termination.</summary>
    public bool TerminateAtLimit { get; init; }

    /// <summary>The number of shards that a batch of <paramref name="count"/> episodes is cut into. On the CPU as many as are worth it; a GPU takes a
    /// whole batch at once.</summary>
    internal int ShardsOf(int count) => Math.Min(count, Shards > 0 ? Shards
        : Device == Device.Cpu ? Math.Max(Math.Clamp(count / ShortestShard, 1, 4), count / 8) : 1);

    /// <summary>The reward of each agent, the environment's own choice resolved.</summary>
    public RewardMode Reward => RewardMode.Of(Spec);

    /// <summary>The run's generator, to be split.</summary>
    public Rng Rng => new(Seed);

    /// <summary>Refuses rewards that differ between agents.</summary>
    /// <param name="why">What needs a common one: begins the message.</param>
    /// <exception cref="UsageException">There are several reward streams.</exception>
    public void RequireCommonReward(string why)
    {
        if (Reward.Streams(Spec) > 1)
        {
            string rewards = Spec.Teams.Length > 1 ? $"the {Spec.Teams.Length} teams of {Spec.Id} have rewards of their own and" : "individual rewards";
            throw new UsageException($"{why}; {rewards} need learners of their own, iql for example");
        }
    }

    /// <summary>An empty episode of this run.</summary>
    public Episode NewEpisode() => new(Spec, Reward, TerminateAtLimit, DefaultAction);
}
