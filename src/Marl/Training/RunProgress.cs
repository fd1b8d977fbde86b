using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Marl.Native.Rl;

/// <summary>What a run has behind it, and what of that came after the last row of its metrics.</summary>
internal sealed class RunProgress
{
    private readonly Stopwatch watch = new();
    private long steps, episodes, rowEpisodes, rowSteps, rowLengths;
    private double secondsBefore, rowReturns, roundReturn, bestReturn = double.NegativeInfinity;

    /// <summary>Environment steps, of whole rounds.</summary>
    public long Steps => steps;

    /// <summary>Those of them that came after the last row.</summary>
    public long RowSteps => rowSteps;

    /// <summary>Seconds of training, interruptions left out.</summary>
    private double Seconds => secondsBefore + watch.Elapsed.TotalSeconds;

    /// <summary>The run begins, or goes on.</summary>
    public void Start() => watch.Start();

    /// <summary>It is over.</summary>
    public void Stop() => watch.Stop();

    /// <summary>Adds a round.</summary>
    /// <returns>the mean return of the episodes that ended in it; of segments in which none did, that of the last round with any.</returns>
    public double Add(ReadOnlySpan<Episode> round)
    {
        double returns = 0;
        int ended = 0;
        foreach (var episode in round)
        {
            steps += episode.Steps;
            rowSteps += episode.Steps;
            rowLengths += episode.EndedSteps;
            returns += episode.Return;
            ended += episode.Ended;
        }
        episodes += ended;
        rowEpisodes += ended;
        rowReturns += returns;
        roundReturn = ended > 0 ? returns / ended : roundReturn;
        return roundReturn;
    }

    /// <summary>Whether a multiple of <paramref name="every"/> steps lies behind that did not when <paramref name="before"/> did.</summary>
    public bool Passed(long every, long before) => every > 0 && steps / every > before / every;

    /// <summary>A row of the metrics; the next one begins.</summary>
    public TrainingProgress Row(ILearner learner, EvaluationResult evaluation)
    {
        bestReturn = Math.Max(bestReturn, evaluation.Mean);
        var row = new TrainingProgress
        {
            Steps = steps,
            Episodes = episodes,
            Updates = learner.Updates,
            TrainingReturn = rowReturns / Math.Max(1, rowEpisodes),
            EpisodeLength = (double)rowLengths / Math.Max(1, rowEpisodes),
            Exploration = learner.ExplorationRate(steps),
            Update = learner.Statistics,
            Evaluation = evaluation,
            Seconds = Seconds,
        };
        (rowReturns, rowEpisodes, rowSteps, rowLengths) = (0, 0, 0, 0);
        return row;
    }

    /// <summary>How the run ended.</summary>
    public TrainingSummary Summarize(RunConfiguration configuration, ILearner learner, EvaluationResult last) => new()
    {
        Algorithm = configuration.Algorithm,
        Env = configuration.Environment,
        Seed = configuration.Training.Seed,
        Steps = steps,
        Episodes = episodes,
        Updates = learner.Updates,
        ReturnMean = last.Mean,
        TeamReturnMeans = last.TeamMeans,
        ReturnMax = Math.Max(bestReturn, last.Mean),
        Seconds = Seconds,
        StepsPerSecond = steps / Seconds,
        WeightsSha256 = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(learner.Parameters.Values.ToArray().AsSpan()))),
        Finished = steps >= configuration.Training.Steps,
    };

    /// <summary>Everything that an exact resume needs.</summary>
    public void Archive(IArchive archive)
    {
        archive.Value("steps", ref steps);
        archive.Value("episodes", ref episodes);
        double seconds = Seconds;
        archive.Value("seconds", ref seconds);
        secondsBefore = archive.Loading ? seconds : secondsBefore;
        archive.Value("bestReturn", ref bestReturn);
        archive.Value("rowReturns", ref rowReturns);
        archive.Value("rowEpisodes", ref rowEpisodes);
        archive.Value("rowSteps", ref rowSteps);
        archive.Value("rowLengths", ref rowLengths);
    }
}
