using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Marl.Native.Rl;

/// <summary>The counters of a run: totals, and sums since the last row of the metrics.</summary>
internal sealed class RunProgress
{
    // Far from an overflow, whatever a round adds.
    private const long MaxSteps = long.MaxValue / 4;

    private readonly Stopwatch watch = new();
    private Counts counts = new() { RoundReturn = double.NaN }, before;
    private double secondsBefore, bestReturn = double.NegativeInfinity;
    private int evaluations;

    /// <summary>The environment steps of all rounds.</summary>
    public long Steps => counts.Steps;

    /// <summary>The environment steps since the last row.</summary>
    public long RowSteps => counts.RowSteps;

    /// <summary>The number of evaluations.</summary>
    public int Evaluations => evaluations;

    /// <summary>Seconds of training, without interruptions.</summary>
    private double Seconds => secondsBefore + watch.Elapsed.TotalSeconds;

    /// <summary>Starts the clock.</summary>
    public void Start() => watch.Start();

    /// <summary>Stops the clock.</summary>
    public void Stop() => watch.Stop();

    /// <summary>Adds a round.</summary>
    /// <returns>The mean return of the episodes that ended in the last round in which any ended; NaN before the first.</returns>
    public double Add(ReadOnlySpan<Episode> round)
    {
        before = counts;
        double returns = 0;
        int ended = 0;
        foreach (var episode in round)
        {
            counts.Steps += episode.Steps;
            counts.RowSteps += episode.Steps;
            counts.RowLengths += episode.EndedSteps;
            returns += episode.Return;
            ended += episode.EndedEpisodes;
        }
        counts.Episodes += ended;
        counts.RowEpisodes += ended;
        counts.RowReturns += returns;
        counts.RoundReturn = ended > 0 ? returns / ended : counts.RoundReturn;
        return counts.RoundReturn;
    }

    /// <summary>Removes the last round.</summary>
    public void Rewind() => counts = before;

    /// <summary>Returns whether a multiple of <paramref name="interval"/> steps was reached since <paramref name="previousSteps"/>.</summary>
    public bool Passed(long interval, long previousSteps) => interval > 0 && Steps / interval > previousSteps / interval;

    /// <summary>Creates a row of the metrics, and resets the sums since the last row.</summary>
    public TrainingProgress NextRow(ILearner learner, EvaluationResult evaluation)
    {
        bestReturn = Math.Max(bestReturn, evaluation.Mean);
        evaluations++;
        var row = new TrainingProgress
        {
            Steps = counts.Steps,
            Episodes = counts.Episodes,
            Updates = learner.Updates,
            // Without an episode that ended, 0 / 0 is NaN.
            TrainingReturn = counts.RowReturns / counts.RowEpisodes,
            EpisodeLength = (double)counts.RowLengths / counts.RowEpisodes,
            Exploration = learner.ExplorationRate(counts.Steps),
            Update = learner.Statistics,
            Evaluation = evaluation,
            Seconds = Seconds,
        };
        (counts.RowReturns, counts.RowEpisodes, counts.RowSteps, counts.RowLengths) = (0, 0, 0, 0);
        return row;
    }

    /// <summary>Creates the summary of the run.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="learner">The learner.</param>
    /// <param name="last">The last evaluation, if there was one.</param>
    public TrainingSummary Summarize(RunConfiguration configuration, ILearner learner, EvaluationResult? last) => new()
    {
        Algorithm = configuration.Algorithm,
        Environment = configuration.Environment,
        Seed = configuration.Training.Seed,
        Steps = counts.Steps,
        Episodes = counts.Episodes,
        Updates = learner.Updates,
        ReturnMean = last?.Mean ?? double.NaN,
        TeamReturnMeans = last?.TeamMeans ?? [],
        ReturnMax = last is null && double.IsInfinity(bestReturn) ? double.NaN : Math.Max(bestReturn, last?.Mean ?? bestReturn),
        Seconds = Seconds,
        StepsPerSecond = counts.Steps / Seconds,
        WeightsSha256 = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(learner.Parameters.Values.ToArray().AsSpan()))),
        Finished = counts.Steps >= configuration.Training.Steps && counts.RowSteps == 0,
    };

    /// <summary>Saves or restores all counters.</summary>
    public void Archive(IArchive archive)
    {
        archive.Value("steps", ref counts.Steps, 0, MaxSteps);
        archive.Value("episodes", ref counts.Episodes, 0, counts.Steps);
        double seconds = Seconds;
        archive.Value("seconds", ref seconds, 0, double.MaxValue);
        secondsBefore = archive.IsLoading ? seconds : secondsBefore;
        archive.Value("bestReturn", ref bestReturn);
        archive.Value("evaluations", ref evaluations, 0, int.MaxValue);
        archive.Value("rowReturns", ref counts.RowReturns);
        archive.Value("rowEpisodes", ref counts.RowEpisodes, 0, counts.Episodes);
        archive.Value("rowSteps", ref counts.RowSteps, 0, counts.Steps);
        archive.Value("rowLengths", ref counts.RowLengths, 0, counts.Steps);
    }

    /// <summary>The counters. Those with the prefix Row count since the last row.</summary>
    private struct Counts
    {
        public long Steps, Episodes, RowEpisodes, RowSteps, RowLengths;
        public double RowReturns, RoundReturn;
    }
}
