using System.Diagnostics;
using System.Text.Json.Nodes;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Reporting;

/// <summary>Writes a line of JSON per evaluation, {"type":"progress",..}, and at the end {"type":"summary",..}.</summary>
/// <param name="output">The output.</param>
/// <param name="rounds">Whether the steps are written too, {"type":"start",..} at the beginning and {"type":"round",..} at most once per second.</param>
internal sealed class JsonReporter(TextWriter output, bool rounds = false) : IReporter
{
    private readonly Stopwatch sinceRound = Stopwatch.StartNew();

    /// <inheritdoc/>
    public TrainingSummary Run(Trainer trainer, string folder, CancellationToken stop)
    {
        if (rounds)
        {
            Write("start", new() { ["steps"] = trainer.Steps });
        }
        var summary = trainer.Run(row => Write("progress", row.ToJson()), rounds ? WriteRound : null, stop);
        var last = summary.ToJson();
        last["run"] = folder;
        Write("summary", last);
        return summary;
    }

    private void WriteRound(long steps, double mean)
    {
        if (sinceRound.Elapsed.TotalSeconds >= 1)
        {
            sinceRound.Restart();
            Write("round", new() { ["steps"] = steps });
        }
    }

    private void Write(string type, JsonObject line)
    {
        line.Insert(0, "type", type);
        output.WriteLine(line.ToJsonString());
    }
}
