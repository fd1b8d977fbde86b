using System.CommandLine;
using Marl.Native.Cli.Sweeps;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl sweep: trains algorithms x environments x seeds x options, several runs at a time.</summary>
internal static class SweepCommand
{
    public static Command Create()
    {
        Argument<string> file = new("sweep") { Description = "file of the sweep: algorithms, environments, seeds, training, options, runs (docs/sweeps.md)" };
        Option<string?> folder = new("--out") { HelpName = "DIR", Description = "folder of the runs, DIR/<environment>/<algorithm or label>/<seed>; by default runs/<name of the file>" };
        var jobs = Jobs();
        Option<bool> dry = new("--dry-run") { Description = "check the file and list the runs; nothing is trained" };
        var program = CommonOptions.EnvironmentCommand("command of the external program that is an environment of the sweep; no program is started unless it is given here");
        var json = CommonOptions.Json();
        ExampledCommand command = new("sweep", "Train every run of a sweep file; the same command resumes unfinished runs.",
            "marl sweep sweep.json --out runs/sweep",
            "marl sweep sweep.json --dry-run")
        {
            file, folder, jobs, dry, program, json,
        };
        command.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(file);
            var runs = SweepFile.Read(path, parsed.GetValue(folder) ?? Path.Combine("runs", Path.GetFileNameWithoutExtension(path)));
            if (!parsed.GetValue(dry))
            {
                return Sweep.Train(runs, EnvironmentChoice.Of(null, parsed.GetValue(program)).Program, JobsOf(parsed.GetValue(jobs), runs), parsed.GetValue(json));
            }
            foreach (var run in runs)
            {
                Console.Out.WriteLine($"{run.Folder} {(run.IsFinished ? "finished" : run.HasCheckpoint ? "begun" : "new")}: {Reporting.Text.Title(run.Configuration)}");
            }
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>--jobs</summary>
    public static Option<int?> Jobs()
        => CommonOptions.Integer("--jobs", "N", "how many runs are trained at a time, each in a process of its own; by default as many as there are processors for", minimum: 1);

    /// <summary>Returns how many runs are trained at a time.</summary>
    public static int JobsOf(int? given, IReadOnlyList<SweepRun> runs)
        => Math.Min(runs.Count, given ?? Math.Max(1, Environment.ProcessorCount / runs.Max(run => Math.Max(1, run.Configuration.Training.Threads))));
}
