using Marl.Native.Cli.Reporting;
using Marl.Native.Rl;
using Spectre.Console;
using Text = Marl.Native.Cli.Reporting.Text;

namespace Marl.Native.Cli.Commands;

/// <summary>Trains a new or resumed run and reports its progress, until it is finished or a signal stops it.</summary>
internal static class Session
{
    /// <summary>Trains a run.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="run">The folder of the run.</param>
    /// <param name="json">Whether progress is reported as JSON.</param>
    /// <returns>The exit code.</returns>
    public static int Train(Trainer trainer, RunFolder run, bool json) => Train(trainer, run, output => json ? new JsonReporter(output)
        : Terminal.CanDraw(LiveReporter.MinWidth, LiveReporter.MinHeight) ? new LiveReporter(AnsiConsole.Console)
        : new PlainReporter(output));

    /// <summary>Trains a run.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="run">The folder of the run.</param>
    /// <param name="report">Creates the reporter of an output.</param>
    /// <param name="resume">The command that continues the run, for messages; by default marl resume.</param>
    /// <param name="ended">Stops the run as a signal does.</param>
    /// <returns>The exit code.</returns>
    public static int Train(Trainer trainer, RunFolder run, Func<TextWriter, IReporter> report, string? resume = null, CancellationToken ended = default)
    {
        run.EnsureWritable();
        using var signal = new StopSignal("terminated without saving");
        using var output = new GuardedOutput(() => Console.Out);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(signal.Token, output.Failed, ended);
        var reporter = report(output);
        signal.BeforeTermination = reporter is LiveReporter live ? live.Restore : null;
        using var registration = signal.Token.Register(() =>
        {
            if (reporter is not LiveReporter)
            {
                Terminal.WriteError($"stopping: saving to {run.Path} .. ({Text.StopAgain})");
            }
        });
        resume ??= Text.Command("resume", run.Path, trainer.Spec.Id);
        try
        {
            var summary = reporter.Run(trainer, run.Path, stop.Token);
            if (output.Problem is { } problem)
            {
                Terminal.WriteError($"the standard output cannot be written to: {problem}; " +
                    (summary.Finished ? $"the run is finished, in {run.Path}" : $"the run is saved at step {summary.Steps}; continue with: {resume}"));
                return ExitCode.Failed;
            }
            if (summary.Finished)
            {
                if (trainer.Configuration.Options is ReplayOptions { BatchSize: var size } && summary.Episodes < size)
                {
                    Terminal.WriteError($"nothing was learned: {summary.Episodes} episodes were played, and a batch has {size}; " +
                        "lower batchSize or raise steps");
                }
                return ExitCode.Success;
            }
            Terminal.WriteError($"stopped and saved at step {summary.Steps}; continue with: {resume}");
            return signal.ExitCode;
        }
        catch (EnvironmentException e)
        {
            // Ctrl-C signals all processes of a terminal, so the program of the environment may have ended first.
            string reason = signal.Token.IsCancellationRequested ? "stopped" : e.Message;
            Terminal.WriteError($"{reason}; the run is saved at step {trainer.Steps}; continue with: {resume}");
            return signal.Token.IsCancellationRequested ? signal.ExitCode : ExitCode.Failed;
        }
        catch (DivergedException e)
        {
            throw new DivergedException($"{e.Message}; {DescribeCheckpoint("the last checkpoint")}");
        }
        catch (DeviceException e)
        {
            string saved = trainer.SavedSteps > 0 && trainer.SavedSteps == trainer.Steps
                ? $"the run is saved at step {trainer.SavedSteps}, after its last completed update"
                : $"the state on the device is lost; {DescribeCheckpoint($"the last checkpoint, of step {trainer.SavedSteps},")}";
            throw new DeviceException($"{e.Message}; {saved}; {(trainer.SavedSteps > 0 ? "continue" : "start again")} with: " +
                $"{resume}, and --device cpu to train without the device", e);
        }

        string DescribeCheckpoint(string name) => File.Exists(run.Checkpoint) ? $"{name} is '{run.Checkpoint}'" : "there is no checkpoint yet";
    }
}
