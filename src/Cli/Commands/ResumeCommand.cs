using System.CommandLine;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl resume: a run goes on from its last checkpoint, and ends as if it had never been stopped.</summary>
internal static class ResumeCommand
{
    public static Command Create()
    {
        Argument<string> path = new("run") { Description = "the run's folder" };
        var steps = CommonOptions.Whole<long>("--steps", "N", "environment steps of the whole run, by default as many as before; more let a finished run go on", least: 1);
        var threads = CommonOptions.Whole("--threads", "K", "workers; 0: all processors. By default as many as before", least: 0);
        Option<string?> device = new("--device") { HelpName = "id", Description = $"what learns: {Devices.Forms}. By default what did before" };
        var program = CommonOptions.EnvironmentCommand("the program that is the run's environment: a program is started only if it is named here");
        var json = CommonOptions.Json();
        ExampledCommand command = new("resume", "Resume a run from its last checkpoint; the result is that of a run that was never stopped.",
            "marl resume runs/qmix-climbing-seed1",
            "marl resume runs/qmix-climbing-seed1 --steps 2e6")
        {
            path, steps, threads, device, program, json,
        };
        command.SetAction(parsed =>
        {
            using var run = new RunFolder(parsed.GetRequiredValue(path));
            string id = parsed.GetValue(device) ?? run.ReadConfiguration().Training.Device;
            var learnsOn = Devices.Open(id);
            using var opened = learnsOn as IDisposable;
            var choice = EnvironmentChoice.Of(null, parsed.GetValue(program));
            using var trainer = Trainer.Resume(run, () => choice.Create(run.ReadConfiguration().Environment), parsed.GetValue(threads), learnsOn, parsed.GetValue(steps));
            if (trainer.CheckpointProblem is { } problem)
            {
                Terminal.WriteError($"{problem}; the run goes on from the checkpoint before, of step {trainer.Steps}");
            }
            if (trainer.Steps >= trainer.Configuration.Training.Steps)
            {
                Terminal.WriteError($"the run is finished after {trainer.Steps} steps; --steps N, the steps of the whole run, lets it go on");
            }
            return Session.Conduct(trainer, run, parsed.GetValue(json));
        });
        return command;
    }
}
