using System.CommandLine;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl resume: continues a run from its last checkpoint; the result is the same as without the interruption.</summary>
internal static class ResumeCommand
{
    public static Command Create()
    {
        Argument<string> path = new("run") { Description = "folder of the run" };
        var steps = CommonOptions.Integer<long>("--steps", "N", "total number of environment steps, by default as before; a larger number extends a finished run", minimum: 1);
        var threads = CommonOptions.Integer("--threads", "K", "number of worker threads; 0: one per processor; by default as before", minimum: 0);
        Option<string?> device = new("--device") { HelpName = "id", Description = $"device that trains: {Devices.Forms}; by default as before" };
        var program = CommonOptions.EnvironmentCommand("command of the external program that is the environment of the run; no program is started unless it is given here");
        var json = CommonOptions.Json();
        ExampledCommand command = new("resume", "Resume a run from its last checkpoint; the result is the same as without the interruption.",
            "marl resume runs/qmix-climbing-seed1",
            "marl resume runs/qmix-climbing-seed1 --steps 2e6")
        {
            path, steps, threads, device, program, json,
        };
        command.SetAction(parsed =>
        {
            using var run = new RunFolder(parsed.GetRequiredValue(path));
            string id = parsed.GetValue(device) ?? run.ReadConfiguration().Training.Device;
            var trainingDevice = Devices.Open(id);
            using var opened = trainingDevice as IDisposable;
            var choice = EnvironmentChoice.Of(null, parsed.GetValue(program));
            using var trainer = Trainer.Resume(run, () => choice.Create(run.ReadConfiguration().Environment), parsed.GetValue(threads), trainingDevice, parsed.GetValue(steps));
            if (trainer.CheckpointProblem is { } problem)
            {
                Terminal.WriteError($"{problem}; resuming from the previous checkpoint, at step {trainer.Steps}");
            }
            if (trainer.Steps >= trainer.Configuration.Training.Steps)
            {
                Terminal.WriteError($"the run is finished at step {trainer.Steps}; a larger total, --steps N, extends it");
            }
            return Session.Train(trainer, run, parsed.GetValue(json));
        });
        return command;
    }
}
