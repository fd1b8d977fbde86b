using Marl.Native.Cli.Reporting;
using Marl.Native.Rl;
using Spectre.Console;
using Text = Marl.Native.Cli.Reporting.Text;

namespace Marl.Native.Cli.Commands;

/// <summary>Conducts a run, new or resumed, under the eyes of whoever watches, until it is done or told to stop.</summary>
internal static class Session
{
    /// <returns>the exit code.</returns>
    public static int Conduct(Trainer trainer, RunFolder run, bool json)
    {
        run.EnsureWritable();
        using var signal = new StopSignal("ended without saving");
        IReporter reporter = json ? new JsonReporter(Console.Out)
            : Terminal.CanDraw(LiveReporter.LeastWidth, LiveReporter.LeastHeight) ? new LiveReporter(AnsiConsole.Console)
            : new PlainReporter(Console.Out);
        signal.BeforeLastWords = reporter is LiveReporter live ? live.GiveBack : null;
        using var heard = signal.Token.Register(() =>
        {
            if (reporter is not LiveReporter)
            {
                Console.Error.WriteLine($"marl: stopping: saving to {run.Path} .. ({Text.StopAgain})");
            }
        });
        string resume = Text.Command("resume", run.Path, trainer.Spec.Id);
        try
        {
            var summary = reporter.Watch(trainer, run.Path, signal.Token);
            if (summary.Finished)
            {
                if (trainer.Configuration.Options is ReplayOptions { BatchSize: var size } && summary.Episodes < size)
                {
                    Console.Error.WriteLine($"marl: nothing was learned: {summary.Episodes} episodes were played, and a batch has {size}; " +
                        "lower batchSize or raise steps");
                }
                return ExitCode.Success;
            }
            Console.Error.WriteLine(
                $"marl: stopped at step {summary.Steps} with a checkpoint; go on with: {resume}");
            return signal.ExitCode;
        }
        catch (EnvironmentException e)
        {
            // Ctrl-C reaches every program of a terminal, so the environment's may have ended by it sooner than we.
            string problem = signal.Token.IsCancellationRequested ? "stopped" : e.Message;
            Console.Error.WriteLine($"marl: {problem.ReplaceLineEndings(" ")}; the run is saved at step {trainer.Steps}, " +
                $"go on with: {resume}");
            return signal.Token.IsCancellationRequested ? signal.ExitCode : ExitCode.Failed;
        }
        catch (DivergedException e)
        {
            throw new DivergedException($"{e.Message}; {Rest("the last good checkpoint")}");
        }
        catch (DeviceException e)
        {
            string saved = trainer.SavedSteps > 0 && trainer.SavedSteps == trainer.Steps
                ? $"the run is saved at step {trainer.SavedSteps}, as its last finished update left it"
                : $"what was on the device is lost; {Rest($"the last checkpoint, of step {trainer.SavedSteps},")}";
            throw new DeviceException($"{e.Message}; {saved}; go on {(trainer.SavedSteps > 0 ? "from there" : "from the beginning")} with: " +
                $"{resume}, and --device cpu to do without the device", e);
        }

        string Rest(string what) => File.Exists(run.Checkpoint) ? $"{what} is '{run.Checkpoint}'" : "there is no checkpoint yet";
    }
}
