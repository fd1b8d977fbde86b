using Marl.Native.Rl;

namespace Marl.Native.Cli.Sweeps;

/// <summary>A run of a sweep.</summary>
/// <param name="Task">The environment, as the name of a folder.</param>
/// <param name="Label">The algorithm, or a variant of it.</param>
/// <param name="Folder">The folder of the run.</param>
/// <param name="Configuration">The configuration.</param>
internal sealed record SweepRun(string Task, string Label, string Folder, RunConfiguration Configuration)
{
    /// <summary>The longest name of a folder; the command of a program can be longer than a file name may be.</summary>
    private const int MaxNameLength = 100;

    /// <summary>The file to which the process of the run writes.</summary>
    public string Log => Path.Combine(Folder, "run.log");

    /// <summary>Returns a text as the name of a folder: letters, digits, '-', '_' and '.'; a path in an environment's id is relative to the working directory, if it
    /// is inside of it.</summary>
    public static string FolderName(string id)
    {
        id = id.Replace(Environment.CurrentDirectory + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
        string name = string.Concat(id.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-').Take(MaxNameLength));
        return name.All(c => c == '.') ? $"-{name}" : name;
    }

    /// <summary>Whether summary.json says that the run is finished, with at least the steps of the configuration.</summary>
    public bool IsFinished => new RunFolder(Folder).ReadSummary() is { Finished: true } summary && summary.Steps >= Configuration.Training.Steps;

    /// <summary>Whether there is a checkpoint from which the run goes on.</summary>
    public bool HasCheckpoint => Directory.Exists(Folder) && Directory.EnumerateFiles(Folder, "checkpoint*.safetensors").Any();

    /// <summary>Requires that a run in the folder has the same configuration; the number of steps and threads and the device may differ.</summary>
    /// <exception cref="UsageException">It has another one.</exception>
    public void RequireSame()
    {
        RunFolder run = new(Folder);
        if (!File.Exists(run.Configuration))
        {
            return;
        }
        var (wanted, present) = (Configuration.Training, run.ReadConfiguration());
        present = present with
        {
            Libraries = Configuration.Libraries,
            Training = present.Training with { Steps = wanted.Steps, Threads = wanted.Threads, Device = wanted.Device },
        };
        if (present.ToJson() != Configuration.ToJson())
        {
            throw new UsageException($"'{Folder}' contains a run with other settings; choose another --out");
        }
    }
}
