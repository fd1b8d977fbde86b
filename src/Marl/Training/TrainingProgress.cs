using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>The progress of a run at an evaluation: one row of the metrics.</summary>
/// <example><code>
/// Trainer.Train(new VdnOptions(), () => Catalog.CreateEnvironment("two-step"), new() { Steps = 20_000 },
///     progress => Console.WriteLine($"{progress.Steps} steps: return {progress.Evaluation.Mean:0.00}, loss {progress.Update.Loss:0.000}"));
/// </code></example>
public sealed record TrainingProgress
{
    /// <summary>Environment steps so far.</summary>
    public required long Steps { get; init; }

    /// <summary>Episodes so far.</summary>
    public required long Episodes { get; init; }

    /// <summary>Updates so far.</summary>
    public required long Updates { get; init; }

    /// <summary>The mean return of the training episodes that ended since the last row, with exploration; NaN if none ended.</summary>
    public required double TrainingReturn { get; init; }

    /// <summary>The mean length of the training episodes that ended since the last row, in steps; NaN if none ended.</summary>
    public required double EpisodeLength { get; init; }

    /// <summary>The exploration rate.</summary>
    public required float Exploration { get; init; }

    /// <summary>The statistics of the last update.</summary>
    public required UpdateStatistics Update { get; init; }

    /// <summary>The result of the evaluation.</summary>
    public required EvaluationResult Evaluation { get; init; }

    /// <summary>Seconds of training so far, without interruptions.</summary>
    public required double Seconds { get; init; }

    /// <summary>The columns of the metrics, in order; team returns only if there are several teams.</summary>
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

    /// <summary>Returns the row as a line of metrics.jsonl; NaN and infinite values are null.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        foreach (var (name, value) in Fields)
        {
            json[name] = double.IsFinite(value) ? value : null;
        }
        return json;
    }
}

/// <summary>The result of an evaluation: statistics of the returns of its episodes, summed over teams (<see cref="Episode.Return"/>).</summary>
/// <param name="Mean">The mean return.</param>
/// <param name="StandardDeviation">The sample standard deviation (divisor n - 1).</param>
/// <param name="Max">The maximum return.</param>
/// <param name="Length">The mean length in steps.</param>
/// <param name="TeamMeans">The mean return of each team, see <see cref="Episode.TeamReturns"/>.</param>
public sealed record EvaluationResult(double Mean, double StandardDeviation, double Max, double Length, double[] TeamMeans)
{
    /// <summary>Computes the statistics of episodes.</summary>
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

/// <summary>The summary of a run.</summary>
/// <example><code>
/// var (_, summary) = Trainer.Train(new VdnOptions(), () => Catalog.CreateEnvironment("two-step"), new() { Steps = 20_000 });
/// Console.WriteLine($"return {summary.ReturnMean:0.00} after {summary.Steps} steps and {summary.Seconds:0} s");
/// </code></example>
public sealed record TrainingSummary
{
    /// <summary>The name of the algorithm.</summary>
    public required string Algorithm { get; init; }

    /// <summary>The id of the environment.</summary>
    public required string Environment { get; init; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The number of environment steps.</summary>
    public required long Steps { get; init; }

    /// <summary>The number of episodes.</summary>
    public required long Episodes { get; init; }

    /// <summary>The number of updates; 0 if fewer episodes were played than a batch has (<see cref="ReplayOptions.BatchSize"/>).</summary>
    public required long Updates { get; init; }

    /// <summary>The mean return of the last evaluation; NaN, in JSON null, without an evaluation.</summary>
    [JsonConverter(typeof(NanAsNull))]
    public required double ReturnMean { get; init; }

    /// <summary>The mean return of each team in the last evaluation; empty without an evaluation.</summary>
    public required double[] TeamReturnMeans { get; init; }

    /// <summary>The maximum over evaluations of the mean return; NaN, in JSON null, without an evaluation.</summary>
    [JsonConverter(typeof(NanAsNull))]
    public required double ReturnMax { get; init; }

    /// <summary>Seconds of training, without interruptions.</summary>
    public required double Seconds { get; init; }

    /// <summary>Environment steps per second, evaluations and checkpoints included.</summary>
    [JsonConverter(typeof(NanAsNull))]
    public required double StepsPerSecond { get; init; }

    /// <summary>The SHA-256 hash of the final parameters, in hexadecimal.</summary>
    public required string WeightsSha256 { get; init; }

    /// <summary>Whether the run reached its last step and was evaluated there.</summary>
    public required bool Finished { get; init; }

    /// <summary>Returns the summary as the content of summary.json.</summary>
    public JsonObject ToJson() => OptionTree.Of(this).Json;

    /// <summary>Writes NaN and infinite values as null, because JSON has neither.</summary>
    internal sealed class NanAsNull : JsonConverter<double>
    {
        public override bool HandleNull => true;

        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
            => reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsFinite(value))
            {
                writer.WriteNumberValue(value);
            }
            else
            {
                writer.WriteNullValue();
            }
        }
    }
}
