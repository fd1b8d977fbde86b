using System.Diagnostics;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Reliability;

/// <summary>A short run that saves several times, whose saving is made to fail at the k-th operation on the disk, or whose process is killed there.</summary>
/// <param name="Algorithm">The algorithm.</param>
/// <param name="Environment">The environment.</param>
internal sealed record SavingRun(string Algorithm, string Environment)
{
    /// <summary>Runs of four algorithms.</summary>
    public static IReadOnlyList<SavingRun> All { get; } =
        [new("vdn", "two-step"), new("qmix", "climbing"), new("mappo", "lbf:5x5-2p-1f?steps=10"), new("maddpg", "mpe:spread?steps=10")];

    private RunConfiguration Configuration
    {
        get
        {
            var options = RunConfiguration.Of(Algorithm, Environment);
            string[] replay = options.ListOptions().Any(option => option.Name == "bufferSize") ? ["batchSize=2", "bufferSize=8"] : [];
            return RunConfiguration.Of(Algorithm, Environment, null,
                [.. replay, "hidden=4", "environments=2", "evaluationEpisodes=1", "threads=1", "steps=160", "checkpointInterval=40", "evaluationInterval=40"]);
        }
    }

    /// <summary>Trains to the end in a folder.</summary>
    /// <returns>The hash of the weights.</returns>
    public string Train(string folder)
    {
        using var run = RunFolder.New(folder);
        using var trainer = new Trainer(Configuration, folder: run);
        return trainer.Run().WeightsSha256;
    }

    /// <summary>Trains in a folder without a failure.</summary>
    /// <returns>What is compared, and the operations on the disk.</returns>
    public (string Outcome, IReadOnlyList<(DiskOperation Operation, string Path)> Operations) TrainWhole(string folder)
    {
        List<(DiskOperation, string)> operations = [];
        using (Disk.Observe((operation, path) => operations.Add((operation, path))))
        {
            string weights = Train(folder);
            return ($"{weights}\n{Metrics(folder)}", operations);
        }
    }

    /// <summary>Trains in a folder; the k-th operation on the disk fails, or it and all after it.</summary>
    public void TrainFailing(string folder, int k, bool forever)
    {
        int count = 0;
        using (Disk.Observe((operation, path) =>
        {
            count++;
            if (count == k || (forever && count > k))
            {
                throw new IOException($"{operation} of '{path}' failed");
            }
        }))
        {
            try
            {
                Train(folder);
            }
            catch (IOException)
            {
                // Documented; the folder is what counts.
            }
        }
    }

    /// <summary>Trains in a folder, and kills this process before the k-th operation on the disk.</summary>
    public void TrainKilled(string folder, int k)
    {
        int count = 0;
        using (Disk.Observe((_, _) =>
        {
            if (++count == k)
            {
                Process.GetCurrentProcess().Kill();
                Thread.Sleep(Timeout.Infinite);
            }
        }))
        {
            Train(folder);
        }
    }

    /// <summary>Resumes the run of a folder to its end.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="outcome">That of the run without a failure.</param>
    /// <param name="resumed">Whether there was a checkpoint.</param>
    /// <returns>What is wrong with the folder or the outcome; null: nothing.</returns>
    public static string? Resume(string folder, string outcome, out bool resumed)
    {
        resumed = false;
        string[] names = ["checkpoint.safetensors", "checkpoint.previous.safetensors"];
        string? torn = names.Append(Rl.Policy.FileName).Select(name => Path.Combine(folder, name)).Where(File.Exists).Select(Torn).FirstOrDefault(problem => problem is not null);
        if (torn is not null)
        {
            return torn;
        }
        if (!names.Any(name => File.Exists(Path.Combine(folder, name))))
        {
            return null;
        }
        resumed = true;
        using (var run = new RunFolder(folder))
        {
            using var trainer = Trainer.Resume(run);
            string now = trainer.Run().WeightsSha256;
            if ($"{now}\n{Metrics(folder)}" != outcome)
            {
                return "the weights or the metrics differ from those of the run without a failure";
            }
        }
        return Directory.EnumerateFiles(folder, "*.part").FirstOrDefault() is { } left ? $"'{left}' is left" : null;

        static string? Torn(string file)
        {
            try
            {
                _ = Safetensors.Read(file);
                return null;
            }
            catch (InvalidDataException e)
            {
                return e.Message;
            }
        }
    }

    /// <summary>The metrics without the time.</summary>
    private static string Metrics(string folder)
    {
        string[][] rows = [.. File.ReadAllLines(Path.Combine(folder, "metrics.csv")).Select(line => line.Split(','))];
        int seconds = Array.IndexOf(rows[0], "seconds");
        return string.Join('\n', rows.Select(row => string.Join(',', row.Where((_, i) => i != seconds))));
    }
}
