using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Marl.Native.Rl;

/// <summary>
/// The instruments of the meter "Marl.Native" for one run, tagged with its algorithm and environment. Without a listener nothing is recorded. Listening does
/// not affect results.
/// </summary>
internal sealed class TrainingMeter(RunConfiguration configuration)
{
    private static readonly Meter Meter = new("Marl.Native", typeof(TrainingMeter).Assembly.GetName().Version?.ToString(3));

    // Default histogram buckets, from updates of small networks to rounds of long episodes.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60],
    };

    private static readonly Counter<long> Steps = Meter.CreateCounter<long>("marl.env.steps", "{step}", "Environment steps of training.");
    private static readonly Counter<long> Episodes = Meter.CreateCounter<long>("marl.env.episodes", "{episode}", "Episodes of training that ended.");
    private static readonly Counter<long> Updates = Meter.CreateCounter<long>("marl.updates", "{update}", "Updates of the networks.");

    private static readonly Histogram<double> UpdateDuration = Meter.CreateHistogram("marl.update.duration", "s",
        "Duration of an update; of a round with several updates their mean, recorded once per update.", tags: null, Seconds);

    private static readonly Histogram<double> RolloutDuration = Meter.CreateHistogram("marl.rollout.duration", "s",
        "Duration of playing a round: an episode or a segment in each environment.", tags: null, Seconds);

    private static readonly Histogram<double> EpisodeReturn = Meter.CreateHistogram<double>("marl.episode.return", "{reward}",
        "Return of an episode of training, with exploration.");

    private static readonly Gauge<double> EvaluationReturn = Meter.CreateGauge<double>("marl.evaluation.return", "{reward}",
        "Mean return of the episodes of an evaluation, without exploration.");

    private readonly KeyValuePair<string, object?> algorithm = new("marl.algorithm.name", configuration.Algorithm);
    private readonly KeyValuePair<string, object?> environment = new("marl.env.id", configuration.Environment);

    /// <summary>Records a round.</summary>
    /// <param name="round">The episodes or segments.</param>
    /// <param name="start">The timestamp before the round, see <see cref="Stopwatch.GetTimestamp"/>.</param>
    public void RecordRollout(ReadOnlySpan<Episode> round, long start)
    {
        RolloutDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, algorithm, environment);
        if (!Steps.Enabled && !Episodes.Enabled && !EpisodeReturn.Enabled)
        {
            return;
        }
        long steps = 0, ended = 0;
        foreach (var episode in round)
        {
            steps += episode.Steps;
            ended += episode.EndedEpisodes;
            for (int i = 0; i < episode.EndedEpisodes && EpisodeReturn.Enabled; i++)
            {
                // A segment has only the sum of the returns of the episodes that ended in it.
                EpisodeReturn.Record(episode.Return / episode.EndedEpisodes, algorithm, environment);
            }
        }
        Steps.Add(steps, algorithm, environment);
        Episodes.Add(ended, algorithm, environment);
    }

    /// <summary>Records the updates after a round.</summary>
    /// <param name="updates">The number of updates.</param>
    /// <param name="start">The timestamp before the updates.</param>
    public void RecordUpdates(long updates, long start)
    {
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds / Math.Max(1, updates);
        for (long i = 0; i < updates && UpdateDuration.Enabled; i++)
        {
            UpdateDuration.Record(seconds, algorithm, environment);
        }
        Updates.Add(updates, algorithm, environment);
    }

    /// <summary>Records an evaluation.</summary>
    public void RecordEvaluation(EvaluationResult evaluation) => EvaluationReturn.Record(evaluation.Mean, algorithm, environment);
}
