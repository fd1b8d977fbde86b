using System.Text.Json;

namespace Marl.Native.Rl;

/// <summary>The options of a run that do not depend on the algorithm: its length, seed, environments, evaluations and checkpoints.</summary>
/// <example><code>
/// var training = new TrainingOptions
/// {
///     Steps = 200_000,
///     Seed = 7,
///     Environments = 10,
///     EvaluationInterval = 20_000,
///     EvaluationEpisodes = 50,
/// };
/// var (policy, summary) = Trainer.Train(new VdnOptions(), () => Catalog.CreateEnvironment("two-step"), training);
/// </code></example>
public sealed record TrainingOptions
{
    /// <summary>The <see cref="Device"/> of this process.</summary>
    public const string Cpu = "cpu";

    private const int MaxRolloutLength = 1 << 16;

    /// <summary>The number of evaluations of a run that is shorter than its preset's, and the minimum interval between them.</summary>
    private const int Evaluations = 40, MinInterval = 10_000;

    /// <summary>Environment steps of the run. The last round may exceed them: a round is an episode, or <see cref="RolloutLength"/> steps, in each of the
    /// <see cref="Environments"/>.</summary>
    public long Steps { get; init; } = 2_000_000;

    /// <summary>Seed of all random numbers.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads, 0 to 1024. 0: one per processor. The result does not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>Device of the updates, and of rounds that can be played there (docs/gpu.md): cpu, cuda, cuda:i, opencl or opencl:i. A CUDA device may have suffixes: +tf32
    /// (matrix products with operands rounded to TF32), +cublas (matrix products by cuBLAS), +nographs (kernels one by one, not as a CUDA
    /// graph per update).</summary>
    public string Device { get; init; } = Cpu;

    /// <summary>Environments that are stepped in parallel: episodes, or segments, per round.</summary>
    public int Environments { get; init; } = 8;

    /// <summary>Shards per batch, which threads process concurrently. It affects rounding, so the result depends on it. 0: one per 8 episodes and at least 4,
    /// but not more than one per 4 episodes; on a GPU 1.</summary>
    public int Shards { get; init; }

    /// <summary>Rewards that the agents learn from. natural: the environment's own; sum, mean: one common reward; individual: each agent's own; difference,
    /// aristocratic: each agent's contribution to the team's reward.</summary>
    public RewardMode Reward { get; init; } = RewardMode.Natural;

    /// <summary>With reward=difference: index of the action that replaces the agent's; the first available action if it is not available.</summary>
    public int DefaultAction { get; init; }

    /// <summary>With reward=difference or aristocratic: whether a model that is learned from the rewards predicts those of other actions (Castellini et al.
    /// 2021). false: the environment is saved, and steps again with each of them.</summary>
    public bool RewardModel { get; init; }

    /// <summary>Whether the time limit terminates episodes, so that returns do not bootstrap there, as in implementations that do not distinguish
    /// truncation.</summary>
    public bool TerminateAtLimit { get; init; }

    /// <summary>Steps per environment and round of on-policy algorithms; episodes continue in the next round. 0: a whole episode.</summary>
    public int RolloutLength { get; init; }

    /// <summary>Environment steps between two evaluations, the first of which follows the first round. 0: only at the end. If steps is below the preset's, the
    /// default is steps / 40, but at least 10,000 and at most the preset's.</summary>
    public long EvaluationInterval { get; init; } = 10_000;

    /// <summary>Episodes per evaluation, at least 1.</summary>
    public int EvaluationEpisodes { get; init; } = 100;

    /// <summary>Whether evaluations take the most probable or highest-valued actions. false: policies are sampled, and action values are explored with
    /// evaluationEpsilon. The saved policy samples its actions or is greedy likewise.</summary>
    public bool GreedyEvaluation { get; init; }

    /// <summary>Environment steps between two checkpoints. 0: only at the end.</summary>
    public long CheckpointInterval { get; init; } = 50_000;

    /// <summary>Returns the context that a learner of this run is created with.</summary>
    internal LearningContext Context(EnvironmentSpec spec, Workers workers, Device? device = null) => new(spec, workers)
    {
        Device = device ?? Marl.Native.Device.Cpu,
        Seed = Seed,
        TotalSteps = Steps,
        Environments = Environments,
        Shards = Shards,
        Rewards = new() { Mode = Reward, DefaultAction = DefaultAction, IsModeled = RewardModel, TerminateAtLimit = TerminateAtLimit },
        RolloutLength = RolloutLength,
    };

    /// <summary>Returns these options with a shorter evaluation interval if the run is shorter than its preset's and the interval was not given.</summary>
    internal TrainingOptions Fit(TrainingOptions preset, IEnumerable<string> given)
        => Steps >= preset.Steps || given.Contains(JsonNamingPolicy.CamelCase.ConvertName(nameof(EvaluationInterval))) ? this
        : this with { EvaluationInterval = Math.Min(EvaluationInterval, Math.Max(MinInterval, Steps / Evaluations)) };

    /// <summary>Checks that all options are in range.</summary>
    /// <exception cref="UsageException">An option is out of range; the message names it and the range.</exception>
    internal void Validate()
    {
        UsageException.Require(Steps >= 1, Steps, "at least 1");
        UsageException.Require(Threads is >= 0 and <= 1024, Threads, "in 0 .. 1024");
        UsageException.Require(Environments >= 1, Environments, "at least 1");
        UsageException.Require(Shards >= 0, Shards, "at least 0");
        UsageException.Require(DefaultAction >= 0, DefaultAction, "at least 0");
        if (RewardModel && !Reward.IsDifference())
        {
            throw new UsageException("rewardModel=true is for difference rewards; set reward=difference or reward=aristocratic");
        }
        UsageException.Require(RolloutLength is >= 0 and <= MaxRolloutLength, RolloutLength, $"in 0 .. {MaxRolloutLength}");
        UsageException.Require(EvaluationInterval >= 0, EvaluationInterval, "at least 0");
        UsageException.Require(EvaluationEpisodes >= 1, EvaluationEpisodes, "at least 1");
        UsageException.Require(CheckpointInterval >= 0, CheckpointInterval, "at least 0");
        long round = (long)Environments * Math.Max(1, RolloutLength);
        if (round > Steps)
        {
            string length = RolloutLength > 0 ? $" and rolloutLength={RolloutLength}" : "";
            throw new UsageException($"a round of environments={Environments}{length} takes at least {round} steps, more than steps={Steps}; " +
                "lower environments or raise steps");
        }
    }
}
