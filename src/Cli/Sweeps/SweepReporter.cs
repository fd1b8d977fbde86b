using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Text = Marl.Native.Cli.Reporting.Text;

namespace Marl.Native.Cli.Sweeps;

/// <summary>Reports the progress of a sweep: a live table, a line per run that ends, or JSON.</summary>
internal sealed class SweepReporter(RunState[] states, TextWriter output, int jobs, bool json, bool live)
{
    private readonly Lock writing = new();

    /// <summary>Takes a line of a run's process.</summary>
    public void Receive(RunState state, JsonObject row)
    {
        string? type = (string?)row["type"];
        lock (writing)
        {
            if (row["steps"] is { } steps)
            {
                state.Reach((long)steps);
            }
            if (row["returnMean"] is { } mean)
            {
                state.Return = (double)mean;
            }
            if (json && type is "progress" or "summary")
            {
                row["run"] = state.Run.Folder;
                output.WriteLine(row.ToJsonString());
            }
        }
    }

    /// <summary>The process of a run has ended.</summary>
    public void Ended(RunState state)
    {
        lock (writing)
        {
            if (json)
            {
                if (state.Failure is { } code)
                {
                    output.WriteLine(new JsonObject
                    {
                        ["type"] = "failed",
                        ["run"] = state.Run.Folder,
                        ["exitCode"] = code,
                        ["error"] = state.Error,
                        ["log"] = state.Run.Log,
                    }.ToJsonString());
                }
            }
            else if (!live)
            {
                string how = state.IsFinished ? $"finished, return {Text.Number(state.Return)}, {Text.Count(state.Speed)} steps/s"
                    : state.Failure is { } code ? $"failed with exit code {code}" : $"saved at step {Text.Count(state.Steps)}";
                output.WriteLine($"{state.Run.Folder} {how}; {Overall()}");
            }
        }
    }

    /// <summary>Lays out the live view: the whole, the runs in progress, the failed ones.</summary>
    public Rows Frame(int width, int height)
    {
        lock (writing)
        {
            List<string> lines = [Overall(), Line("run", "steps", "of", "return", "steps/s")];
            lines.AddRange(states.Where(state => state.IsRunning).Select(state => Line(
                $"{state.Run.Task}/{state.Run.Label}/{state.Run.Configuration.Training.Seed}", Text.Count(state.Steps), Text.Count(state.Run.Configuration.Training.Steps),
                double.IsNaN(state.Return) ? "" : Text.Number(state.Return), double.IsNaN(state.Speed) ? "" : Text.Count(state.Speed))));
            lines.AddRange(states.Where(state => state.Failure is not null).Select(state => $"failed: {state.Run.Folder}: {state.Error}"));
            return new Rows(lines.Take(height - 1).Append("Ctrl-C saves and stops")
                .Select(line => new Paragraph(line.Length > width ? $"{line[..(width - 1)]}…" : line)));
        }

        string Line(string run, string steps, string total, string value, string speed) => string.Create(CultureInfo.InvariantCulture,
            $"{run.PadRight(Math.Max(4, width - 48))} {steps,12} {total,12} {value,10} {speed,9}");
    }

    /// <summary>"3 of 12 runs finished, 1 failed, 2 in progress, 1 h 02 min left"</summary>
    private string Overall()
    {
        int failed = states.Count(state => state.Failure is not null), running = states.Count(state => state.IsRunning);
        var open = states.Where(state => !state.IsFinished && state.Failure is null).ToArray();
        double seconds = open.Sum(state => Math.Max(0, state.Run.Configuration.Training.Steps - state.Steps) / Speed(state)) / Math.Min(jobs, Math.Max(1, open.Length));
        string left = open.Length > 0 && seconds > 0 ? $", {Text.Duration(seconds)} left" : "";
        return $"{states.Count(state => state.IsFinished)} of {states.Length} runs finished{(failed > 0 ? $", {failed} failed" : "")}, {running} in progress{left}";
    }

    /// <summary>The speed of a run, that of others of its label and environment, or of all.</summary>
    private double Speed(RunState state)
    {
        if (!double.IsNaN(state.Speed))
        {
            return state.Speed;
        }
        var known = states.Where(other => !double.IsNaN(other.Speed)).ToArray();
        var alike = known.Where(other => (other.Run.Task, other.Run.Label) == (state.Run.Task, state.Run.Label)).ToArray();
        return alike.Length > 0 ? alike.Average(other => other.Speed) : known.Select(other => other.Speed).DefaultIfEmpty(double.NaN).Average();
    }
}
