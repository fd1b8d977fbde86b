using System.Globalization;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Reporting;

/// <summary>Writes a title, a row of aligned columns per evaluation, and the summary.</summary>
internal sealed class PlainReporter(TextWriter output) : IReporter
{
    /// <inheritdoc/>
    public TrainingSummary Run(Trainer trainer, string folder, CancellationToken stop)
    {
        output.WriteLine(Text.Title(trainer.Configuration));
        output.WriteLine(Row("steps", "episodes", "updates", "return", "std", "training", "explore", "loss", "steps/s", "left"));
        long total = trainer.Configuration.Training.Steps;
        var summary = trainer.Run(progress: row => output.WriteLine(Row(row, total)), cancellationToken: stop);
        foreach (string line in Text.Summary(summary, folder))
        {
            output.WriteLine(line);
        }
        return summary;
    }

    private static string Row(TrainingProgress row, long total)
    {
        double speed = row.Steps / row.Seconds;
        return Row(
            Digits(row.Steps), Digits(row.Episodes), Digits(row.Updates),
            Text.Number(row.Evaluation.Mean), Text.Number(row.Evaluation.StandardDeviation), Text.Number(row.TrainingReturn),
            Text.Number(row.Exploration), Text.Number(row.Update.Loss),
            Digits((long)speed), Text.Duration(Math.Max(0, total - row.Steps) / speed));
    }

    private static string Row(string steps, string episodes, string updates, string mean, string std, string training,
        string exploration, string loss, string speed, string left)
        => $"{steps,10} {episodes,9} {updates,9} {mean,10} {std,10} {training,10} {exploration,8} {loss,10} {speed,9} {left,12}";

    /// <summary>Formats an integer without separators, so that programs can parse it.</summary>
    private static string Digits(long value) => value.ToString(CultureInfo.InvariantCulture);
}
