using System.Text.Json;

namespace Marl.Native.Rl;

/// <summary>How a run is conducted, whatever the algorithm.</summary>
public sealed record TrainingOptions
{
    /// <summary>The device of this process.</summary>
    public const string Cpu = "cpu";

    private const int LongestRollout = 1 << 16;

    /// <summary>Of a run that is shorter than its preset's.</summary>
    private const int Evaluations = 40, LeastInterval = 10_000;

    /// <summary>Environment steps: the last round is the one in which they are reached. A round is an episode, or <see cref="RolloutLength"/> steps, in each of
    /// the <see cref="Environments"/>, so a run takes less than one round more.</summary>
    public long Steps { get; init; } = 2_000_000;

    /// <summary>Everything left to chance follows from it.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Workers; changes how long a run takes, not what it gives. 0: as many as there are processors.</summary>
    public int Threads { get; init; }

    /// <summary>What learns: cpu, cuda, cuda:i, opencl or opencl:i. A GPU gives the CPU's results up to rounding; agents always act on the CPU. With "+tf32" after
    /// it a CUDA device rounds the factors of matrix products to ten bits, with "+cublas" NVIDIA's library makes them, and with "+graphs" it takes an update as one CUDA graph.</summary>
    public string Device { get; init; } = Cpu;

    /// <summary>Environments that play side by side.</summary>
    public int Environments { get; init; } = 8;

    /// <summary>Parts that a batch of episodes is cut into, by their lengths. Their number belongs to the result; who works on them does not.
    /// 0: one for every eight, whose numbers about fit a core's cache, and four at least, of a batch not beyond four episodes each; on a GPU batches are not
    /// cut.</summary>
    public int Shards { get; init; }

    /// <summary>What agents are rewarded with.</summary>
    public RewardMode Reward { get; init; } = RewardMode.Natural;

    /// <summary>With <see cref="RewardMode.Difference"/>: what an agent would have done that is not there; the first available action where that is not.</summary>
    public int DefaultAction { get; init; }

    /// <summary>Whether a time limit counts as the end of the future, as in peers that do not tell the two apart.</summary>
    public bool TerminateAtLimit { get; init; }

    /// <summary>Steps that each environment contributes to a round, for algorithms that learn from the last round alone: episodes go on in the next round where they
    /// were cut. 0: a whole episode.</summary>
    public int RolloutLength { get; init; }

    /// <summary>Environment steps between two evaluations; 0: only at the end. Of a run with fewer steps than the preset's the default is a fortieth of them, if that
    /// is less than the preset's and at least 10,000.</summary>
    public long EvaluationInterval { get; init; } = 10_000;

    /// <summary>Episodes of an evaluation.</summary>
    public int EvaluationEpisodes { get; init; } = 100;

    /// <summary>Environment steps between two checkpoints; 0: only at the end.</summary>
    public long CheckpointInterval { get; init; } = 50_000;

    /// <summary>What a learner of this run is built with.</summary>
    internal LearningContext Context(EnvironmentSpec spec, Workers workers, Device? device = null) => new(spec, workers)
    {
        Device = device ?? Marl.Native.Device.Cpu,
        Seed = Seed,
        TotalSteps = Steps,
        Environments = Environments,
        Shards = Shards,
        Rewards = new() { Mode = Reward, DefaultAction = DefaultAction, TerminateAtLimit = TerminateAtLimit },
        RolloutLength = RolloutLength,
    };

    /// <summary>The options of a run that differs from its preset: one that is shorter is evaluated more often, unless the interval was given.</summary>
    internal TrainingOptions Fit(TrainingOptions preset, IEnumerable<string> given)
        => Steps >= preset.Steps || given.Contains(JsonNamingPolicy.CamelCase.ConvertName(nameof(EvaluationInterval))) ? this
        : this with { EvaluationInterval = Math.Min(EvaluationInterval, Math.Max(LeastInterval, Steps / Evaluations)) };

    /// <summary>Refuses what cannot be run.</summary>
    /// <exception cref="UsageException">names the option and its range.</exception>
    internal void Validate()
    {
        UsageException.Require(Steps >= 1, Steps, "at least 1");
        UsageException.Require(Threads is >= 0 and <= 1024, Threads, "in 0 .. 1024");
        UsageException.Require(Environments >= 1, Environments, "at least 1");
        UsageException.Require(Shards >= 0, Shards, "at least 0");
        UsageException.Require(DefaultAction >= 0, DefaultAction, "at least 0");
        UsageException.Require(RolloutLength is >= 0 and <= LongestRollout, RolloutLength, $"in 0 .. {LongestRollout}");
        UsageException.Require(EvaluationInterval >= 0, EvaluationInterval, "at least 0");
        UsageException.Require(EvaluationEpisodes >= 1, EvaluationEpisodes, "at least 1");
        UsageException.Require(CheckpointInterval >= 0, CheckpointInterval, "at least 0");
        long round = (long)Environments * Math.Max(1, RolloutLength);
        if (round > Steps)
        {
            string length = RolloutLength > 0 ? $" and rolloutLength={RolloutLength}" : "";
            throw new UsageException($"a round of environments={Environments}{length} takes at least {round} steps, more than steps={Steps}; lower environments or raise steps");
        }
    }
}
