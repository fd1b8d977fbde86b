using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Marl.Native.Rl;

/// <summary>What a run has behind it, and what of that came after the last row of its metrics.</summary>
internal sealed class RunProgress
{
    private readonly Stopwatch watch = new();
    private Counts counts = new() { RoundReturn = double.NaN }, before;
    private double secondsBefore, bestReturn = double.NegativeInfinity;

    /// <summary>Environment steps, of whole rounds.</summary>
    public long Steps => counts.Steps;

    /// <summary>Those of them that came after the last row.</summary>
    public long RowSteps => counts.RowSteps;

    /// <summary>Seconds of training, interruptions left out.</summary>
    private double Seconds => secondsBefore + watch.Elapsed.TotalSeconds;

    /// <summary>The run begins, or goes on.</summary>
    public void Start() => watch.Start();

    /// <summary>It is over.</summary>
    public void Stop() => watch.Stop();

    /// <summary>Adds a round.</summary>
    /// <returns>the mean return of the episodes that ended in it; of segments in which none did, that of the last round with any; NaN before the first.</returns>
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
            ended += episode.Ended;
        }
        counts.Episodes += ended;
        counts.RowEpisodes += ended;
        counts.RowReturns += returns;
        counts.RoundReturn = ended > 0 ? returns / ended : counts.RoundReturn;
        return counts.RoundReturn;
    }

    /// <summary>Takes the last round back.</summary>
    public void Rewind() => counts = before;

    /// <summary>Whether a multiple of <paramref name="every"/> steps lies behind that did not when <paramref name="before"/> did.</summary>
    public bool Passed(long every, long before) => every > 0 && Steps / every > before / every;

    /// <summary>A row of the metrics; the next one begins.</summary>
    public TrainingProgress Row(ILearner learner, EvaluationResult evaluation)
    {
        bestReturn = Math.Max(bestReturn, evaluation.Mean);
        var row = new TrainingProgress
        {
            Steps = counts.Steps,
            Episodes = counts.Episodes,
            Updates = learner.Updates,
            TrainingReturn = counts.RowReturns / Math.Max(1, counts.RowEpisodes),
            EpisodeLength = (double)counts.RowLengths / Math.Max(1, counts.RowEpisodes),
            Exploration = learner.ExplorationRate(counts.Steps),
            Update = learner.Statistics,
            Evaluation = evaluation,
            Seconds = Seconds,
        };
        (counts.RowReturns, counts.RowEpisodes, counts.RowSteps, counts.RowLengths) = (0, 0, 0, 0);
        return row;
    }

    /// <summary>How the run ended.</summary>
    /// <param name="configuration">what was run.</param>
    /// <param name="learner">what learned.</param>
    /// <param name="last">the last evaluation, if there was any.</param>
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

    /// <summary>Everything that an exact resume needs.</summary>
    public void Archive(IArchive archive)
    {
        archive.Value("steps", ref counts.Steps);
        archive.Value("episodes", ref counts.Episodes);
        double seconds = Seconds;
        archive.Value("seconds", ref seconds);
        secondsBefore = archive.Loading ? seconds : secondsBefore;
        archive.Value("bestReturn", ref bestReturn);
        archive.Value("rowReturns", ref counts.RowReturns);
        archive.Value("rowEpisodes", ref counts.RowEpisodes);
        archive.Value("rowSteps", ref counts.RowSteps);
        archive.Value("rowLengths", ref counts.RowLengths);
    }

    /// <summary>What a round adds to. Those named after a row are of the rounds that came after the last one.</summary>
    private struct Counts
    {
        public long Steps, Episodes, RowEpisodes, RowSteps, RowLengths;
        public double RowReturns, RoundReturn;
    }
}
