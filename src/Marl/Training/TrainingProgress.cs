using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>Where a run stands after a round of episodes: one row of the metrics.</summary>
public sealed record TrainingProgress
{
    /// <summary>Environment steps so far.</summary>
    public required long Steps { get; init; }

    /// <summary>Episodes so far.</summary>
    public required long Episodes { get; init; }

    /// <summary>Updates so far.</summary>
    public required long Updates { get; init; }

    /// <summary>Mean return of the episodes since the last row: with exploration.</summary>
    public required double TrainingReturn { get; init; }

    /// <summary>Mean length of the episodes since the last row.</summary>
    public required double EpisodeLength { get; init; }

    /// <summary>How much is left to chance.</summary>
    public required float Exploration { get; init; }

    /// <summary>Numbers of the last update.</summary>
    public required UpdateStatistics Update { get; init; }

    /// <summary>Evaluation.</summary>
    public required EvaluationResult Evaluation { get; init; }

    /// <summary>Seconds of training so far, interruptions left out.</summary>
    public required double Seconds { get; init; }

    /// <summary>The columns of the metrics, in order; those of single teams only where there are several.</summary>
    internal IEnumerable<(string Name, double Value)> Fields =>
    [
        ("steps", Steps),
        ("episodes", Episodes),
        ("updates", Updates),
        ("returnMean", Evaluation.Mean),
        ("returnStd", Evaluation.StandardDeviation),
        ("returnMax", Evaluation.Max),
        .. Evaluation.TeamMeans is { Length: > 1 } means ? means.Select((mean, team) => ($"returnMeanTeam{team}", mean)) : [],
        ("trainingReturn", TrainingReturn),
        ("episodeLength", EpisodeLength),
        ("exploration", Exploration),
        ("loss", Update.Loss),
        ("gradientNorm", Update.GradientNorm),
        ("seconds", Seconds),
        .. Update.Metrics.Select(metric => (metric.Name, (double)metric.Value)),
    ];

    /// <summary>A line of metrics.jsonl.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        foreach (var (name, value) in Fields)
        {
            json[name] = double.IsFinite(value) ? value : 0;
        }
        return json;
    }
}

/// <summary>Returns of evaluated episodes, the teams' together, see <see cref="Episode.Return"/>.</summary>
/// <param name="Mean">their mean.</param>
/// <param name="StandardDeviation">their spread (divisor n - 1).</param>
/// <param name="Max">the best of them.</param>
/// <param name="Length">mean number of steps.</param>
/// <param name="TeamMeans">the mean of each team's own return, see <see cref="Episode.TeamReturns"/>.</param>
public sealed record EvaluationResult(double Mean, double StandardDeviation, double Max, double Length, double[] TeamMeans)
{
    /// <summary>Of episodes played.</summary>
    public static EvaluationResult Of(ReadOnlySpan<Episode> episodes)
    {
        double sum = 0, squares = 0, length = 0, max = double.NegativeInfinity;
        double[] teams = new double[episodes[0].TeamReturns.Length];
        foreach (var episode in episodes)
        {
            sum += episode.Return;
            length += episode.Length;
            max = Math.Max(max, episode.Return);
            for (int team = 0; team < teams.Length; team++)
            {
                teams[team] += episode.TeamReturns[team] / episodes.Length;
            }
        }
        double mean = sum / episodes.Length;
        foreach (var episode in episodes)
        {
            squares += (episode.Return - mean) * (episode.Return - mean);
        }
        return new(mean, Math.Sqrt(squares / Math.Max(1, episodes.Length - 1)), max, length / episodes.Length, teams);
    }
}

/// <summary>How a run ended.</summary>
public sealed record TrainingSummary
{
    /// <summary>The algorithm's name.</summary>
    public required string Algorithm { get; init; }

    /// <summary>The environment's id.</summary>
    public required string Environment { get; init; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Environment steps.</summary>
    public required long Steps { get; init; }

    /// <summary>Episodes.</summary>
    public required long Episodes { get; init; }

    /// <summary>Updates.</summary>
    public required long Updates { get; init; }

    /// <summary>Mean return of the last evaluation; NaN, in JSON null, if the run was stopped before any.</summary>
    [JsonConverter(typeof(NanAsNull))]
    public required double ReturnMean { get; init; }

    /// <summary>The same of each team by itself; one number where all agents are one team, none without an evaluation.</summary>
    public required double[] TeamReturnMeans { get; init; }

    /// <summary>The greatest mean return of all evaluations: the maximum that papers report; NaN, in JSON null, without any.</summary>
    [JsonConverter(typeof(NanAsNull))]
    public required double ReturnMax { get; init; }

    /// <summary>Seconds of training, interruptions left out.</summary>
    public required double Seconds { get; init; }

    /// <summary>Environment steps per second, everything included.</summary>
    public required double StepsPerSecond { get; init; }

    /// <summary>Of the final parameters' bits, in the order of their flat block.</summary>
    public required string WeightsSha256 { get; init; }

    /// <summary>False if it was stopped before its last step.</summary>
    public required bool Finished { get; init; }

    /// <summary>summary.json</summary>
    public JsonObject ToJson() => OptionTree.Of(this).Json;

    /// <summary>JSON has no NaN.</summary>
    internal sealed class NanAsNull : JsonConverter<double>
    {
        public override bool HandleNull => true;

        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
            => reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsNaN(value))
            {
                writer.WriteNullValue();
            }
            else
            {
                writer.WriteNumberValue(value);
            }
        }
    }
}
