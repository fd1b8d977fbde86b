using System.CommandLine;
using Marl.Native.Cli.Reporting;
using Marl.Native.Cli.Sweeps;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl worker: trains or resumes one run of a sweep. The configuration is the first line of the standard input; when the input ends, it saves and
/// stops.</summary>
internal static class WorkerCommand
{
    public static Command Create()
    {
        Argument<string> path = new("run") { Description = "folder of the run" };
        var program = CommonOptions.EnvironmentCommand();
        ExampledCommand command = new("worker", "Train one run of a sweep, whose configuration is the first line of the standard input.", "marl worker runs/qmix")
        {
            path, program,
        };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            var configuration = RunConfiguration.Parse(Console.In.ReadLine() ?? "", "the standard input");
            using CancellationTokenSource ended = new();
            new Thread(() =>
            {
                while (Console.In.ReadLine() is not null)
                {
                }
                ended.Cancel();
            })
            { IsBackground = true }.Start();
            using RunFolder run = new(parsed.GetRequiredValue(path));
            SweepRun one = new("", "", run.Path, configuration);
            if (!run.TryLock())
            {
                Console.Out.WriteLine("""{"type":"busy"}""");
                return ExitCode.Success;
            }
            if (one.IsFinished)
            {
                return ExitCode.Success;
            }
            var choice = EnvironmentChoice.Of(null, parsed.GetValue(program));
            IEnvironment Open() => choice.Create(configuration.Environment);
            var device = Devices.Open(configuration.Training.Device);
            using var opened = device as IDisposable;
            using var trainer = one.HasCheckpoint ? Trainer.Resume(run, Open, configuration.Training.Threads, device, configuration.Training.Steps)
                : new Trainer(configuration, Open, run, device);
            return Session.Train(trainer, run, output => new JsonReporter(output, rounds: true), "the same command", ended.Token);
        });
        return command;
    }
}
