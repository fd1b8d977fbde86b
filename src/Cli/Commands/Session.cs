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
    /// <param name="resume">The command that continues the run, for messages; by default marl resume.</param>
    /// <returns>The exit code.</returns>
    public static int Train(Trainer trainer, RunFolder run, bool json, string? resume = null)
    {
        run.EnsureWritable();
        using var signal = new StopSignal("terminated without saving");
        IReporter reporter = json ? new JsonReporter(Console.Out)
            : Terminal.CanDraw(LiveReporter.MinWidth, LiveReporter.MinHeight) ? new LiveReporter(AnsiConsole.Console)
            : new PlainReporter(Console.Out);
        signal.BeforeTermination = reporter is LiveReporter live ? live.Restore : null;
        using var registration = signal.Token.Register(() =>
        {
            if (reporter is not LiveReporter)
            {
                Console.Error.WriteLine($"marl: stopping: saving to {run.Path} .. ({Text.StopAgain})");
            }
        });
        resume ??= Text.Command("resume", run.Path, trainer.Spec.Id);
        try
        {
            var summary = reporter.Run(trainer, run.Path, signal.Token);
            if (summary.Finished)
            {
                return ExitCode.Success;
            }
            Console.Error.WriteLine(
                $"marl: stopped at step {summary.Steps} after saving a checkpoint; continue with: {resume}");
            return signal.ExitCode;
        }
        catch (EnvironmentException e)
        {
            // Ctrl-C signals all processes of a terminal, so the program of the environment may have ended first.
            string problem = signal.Token.IsCancellationRequested ? "stopped" : e.Message;
            Console.Error.WriteLine($"marl: {problem.ReplaceLineEndings(" ")}; the run is saved at step {trainer.Steps}; " +
                $"continue with: {resume}");
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
