namespace Marl.Native.Rl;

/// <summary>
/// An algorithm at work: what acts, and how it learns from the episodes that were played. The trainer owns the clock; a learner owns its
/// networks, its memory of the past and its updates.
/// </summary>
public interface ILearner
{
    /// <summary>The network that acts.</summary>
    Agent Agent { get; }

    /// <summary>All parameters, the agent's among them; of the first network where there are several.</summary>
    Parameters Parameters { get; }

    /// <summary>What acts: one, or the members of an ensemble, of which each agent plays one in an episode.</summary>
    IReadOnlyList<Actor> Actors { get; }

    /// <summary>How actions are chosen from the network's output.</summary>
    IActionSelector Selector { get; }

    /// <summary>Whether it asks what would have been done where an episode was cut off: a critic that values actions goes on from there.</summary>
    bool NeedsNextAction => false;

    /// <summary>Updates so far.</summary>
    long Updates { get; }

    /// <summary>Numbers of the last update, for the metrics. Where it learns on a device, that is asked for them, as by <see cref="Settle"/>.</summary>
    /// <exception cref="DivergedException">numbers are no numbers any more.</exception>
    UpdateStatistics Statistics { get; }

    /// <summary>Asks a device how the last updates went, if it was not asked yet. Nothing that a learner saves is worth saving before.</summary>
    /// <exception cref="DivergedException">in one of them numbers stopped being numbers.</exception>
    void Settle()
    {
    }

    /// <summary>How much is left to chance after so many environment steps.</summary>
    float Exploration(long steps);

    /// <summary>Learns from episodes just played.</summary>
    /// <param name="episodes">those that the learner keeps are replaced by others to be written over.</param>
    /// <param name="steps">environment steps so far.</param>
    void Learn(Span<Episode> episodes, long steps);

    /// <summary>Saves or restores everything that the future depends on.</summary>
    void Archive(IArchive archive);
}

/// <summary>A network that acts.</summary>
/// <param name="Agent">what it is.</param>
/// <param name="Parameters">its weights, maybe among others.</param>
public readonly record struct Actor(Agent Agent, Parameters Parameters);

/// <summary>Numbers of one update.</summary>
/// <param name="Loss">the loss.</param>
/// <param name="GradientNorm">global norm before clipping.</param>
/// <param name="Metrics">what else the algorithm reports, by name.</param>
public sealed record UpdateStatistics(float Loss, float GradientNorm, IReadOnlyList<(string Name, float Value)> Metrics);

/// <summary>What a learner is built with besides its own options.</summary>
/// <param name="Spec">the environment.</param>
/// <param name="Training">how the run is conducted.</param>
/// <param name="Workers">who works on the shards.</param>
public sealed record LearnerContext(EnvironmentSpec Spec, TrainingOptions Training, Workers Workers)
{
    /// <summary>With fewer episodes a step of a recurrent network has too few rows for what it reads of weights.</summary>
    private const int ShortestShard = 4;

    /// <summary>Where it learns; acting is always the CPU's.</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>The parts that a batch of so many episodes is cut into: for the processors as many as they are worth; a GPU has enough to do with a
    /// whole batch at once.</summary>
    internal int ShardsOf(int count) => Math.Min(count, Training.Shards > 0 ? Training.Shards
        : Device == Device.Cpu ? Math.Max(Math.Clamp(count / ShortestShard, 1, 4), count / 8) : 1);

    /// <summary>What agents are rewarded with.</summary>
    public RewardMode Reward => Training.Reward.Of(Spec);

    /// <summary>The run's generator, to be split.</summary>
    public Rng Rng => new(Training.Seed);

    /// <summary>Refuses rewards that differ between agents.</summary>
    /// <param name="why">what needs a common one: begins the message.</param>
    /// <exception cref="UsageException">there are several reward streams.</exception>
    internal void RequireCommonReward(string why)
    {
        if (Reward.Streams(Spec) > 1)
        {
            string rewards = Spec.Teams.Length > 1 ? $"the {Spec.Teams.Length} teams of {Spec.Id} have rewards of their own and" : "individual rewards";
            throw new UsageException($"{why}; {rewards} need learners of their own, iql for example");
        }
    }

    /// <summary>An empty episode of this run.</summary>
    public Episode NewEpisode() => new(Spec, Reward, Training.TerminateAtLimit, Training.DefaultAction);
}

/// <summary>Numbers stopped being numbers. The message names the update and the tensor; the last checkpoint is good.</summary>
public sealed class DivergedException(string message) : Exception(message);
