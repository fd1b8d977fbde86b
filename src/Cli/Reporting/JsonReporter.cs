using System.Text.Json.Nodes;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Reporting;

/// <summary>Writes a line of JSON per evaluation, {"type":"progress",..}, and at the end {"type":"summary",..}.</summary>
internal sealed class JsonReporter(TextWriter output) : IReporter
{
    /// <inheritdoc/>
    public TrainingSummary Run(Trainer trainer, string folder, CancellationToken stop)
    {
        var summary = trainer.Run(progress: row => Write("progress", row.ToJson()), cancellationToken: stop);
        var last = summary.ToJson();
        last["run"] = folder;
        Write("summary", last);
        return summary;
    }

    private void Write(string type, JsonObject line)
    {
        line.Insert(0, "type", type);
        output.WriteLine(line.ToJsonString());
    }
}
