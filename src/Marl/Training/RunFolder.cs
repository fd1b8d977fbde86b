using System.Globalization;
using System.Text.Json;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A run on disk: config.json (everything decided), metrics.jsonl and metrics.csv (a row per evaluation), checkpoint.safetensors (everything that an
/// exact resume needs), policy.safetensors (the agents' weights), summary.json. Files other than the metrics are replaced in one piece.
/// </summary>
public sealed class RunFolder(string path) : IDisposable
{
    private StreamWriter? lines, table;
    private FileStream? held;
    private bool isNew, isNumbered;

    /// <summary>The folder itself.</summary>
    public string Path { get; private set; } = path;

    /// <summary>Where its parts are.</summary>
    public string Configuration => File("config.json");

    /// <inheritdoc cref="Configuration"/>
    public string Checkpoint => File("checkpoint.safetensors");

    /// <inheritdoc cref="Configuration"/>
    public string Policy => File(Rl.Policy.FileName);

    /// <inheritdoc cref="Configuration"/>
    public string Summary => File("summary.json");

    private string MetricsJson => File("metrics.jsonl");

    private string MetricsCsv => File("metrics.csv");

    /// <summary>A folder for a new run.</summary>
    /// <exception cref="UsageException">there is a run in it.</exception>
    public static RunFolder New(string path)
    {
        var folder = new RunFolder(path) { isNew = true };
        folder.RequireNoRun();
        return folder;
    }

    /// <summary>A folder for a new run: the first of path, path-2, path-3, .. that does not exist when the run begins. Processes that begin at the same time
    /// get folders of their own.</summary>
    public static RunFolder NewNumbered(string path) => new(path) { isNew = true, isNumbered = true };

    /// <summary>What the run was configured with.</summary>
    /// <exception cref="UsageException">there is no run here.</exception>
    public RunConfiguration ReadConfiguration() => System.IO.File.Exists(Configuration)
        ? RunConfiguration.Parse(System.IO.File.ReadAllText(Configuration))
        : throw new UsageException($"'{Path}' holds no run: there is no config.json in it");

    /// <summary>Makes the folder, holds it against other processes and makes, for a moment, a file in it: better to know now than at the first checkpoint.</summary>
    /// <exception cref="UsageException">another process trains in the folder, or a new run's folder holds a run.</exception>
    /// <exception cref="IOException">it cannot be written to; names it.</exception>
    public void EnsureWritable()
    {
        try
        {
            Claim();
            string probe = File("probe.tmp");
            WriteText(probe, "");
            System.IO.File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"the folder '{Path}' cannot be written to: {e.Message}", e);
        }
    }

    /// <summary>Makes the folder and writes the configuration, if that was not done before, with the device that learns now and the steps that are asked for now, and opens the metrics. Rows that lie after
    /// <paramref name="steps"/> are taken back: they will be written again.</summary>
    /// <exception cref="UsageException">another process trains in the folder.</exception>
    public void Begin(RunConfiguration configuration, long steps = 0)
    {
        Claim();
        foreach (string unfinished in Directory.EnumerateFiles(Path, "*.tmp"))
        {
            System.IO.File.Delete(unfinished);
        }
        Record(configuration);
        Rewind(steps);
        (lines, table) = (Append(MetricsJson), Append(MetricsCsv));
    }

    /// <summary>Adds a row to the metrics.</summary>
    public void WriteMetrics(TrainingProgress row)
    {
        if (table!.BaseStream.Length == 0)
        {
            table.WriteLine(string.Join(',', row.Fields.Select(field => field.Name)));
        }
        lines!.WriteLine(row.ToJson().ToJsonString());
        table.WriteLine(string.Join(',', row.Fields.Select(field => field.Value.ToString("R", CultureInfo.InvariantCulture))));
        lines.Flush();
        table.Flush();
    }

    /// <summary>Replaces the checkpoint and the policy.</summary>
    public void WriteCheckpoint(Action<IArchive> archive, Policy policy)
    {
        var writer = new SafetensorsWriter();
        archive(writer);
        writer.Save(Checkpoint);
        policy.Save(Policy);
    }

    /// <summary>Reads the checkpoint into a fresh run; without one the run begins at its beginning.</summary>
    public void ReadCheckpoint(Action<IArchive> archive)
    {
        if (System.IO.File.Exists(Checkpoint))
        {
            var reader = new SafetensorsReader(Checkpoint);
            archive(reader);
            reader.EnsureAllRead();
        }
    }

    /// <summary>Writes how the run ended.</summary>
    public void WriteSummary(TrainingSummary summary) => WriteText(Summary, summary.ToJson().ToJsonString(OptionsJson.Present));

    /// <inheritdoc/>
    public void Dispose()
    {
        lines?.Dispose();
        table?.Dispose();
        held?.Dispose();
        (lines, table, held) = (null, null, null);
    }

    /// <summary>A run may go on elsewhere, and for longer: the configuration says where it learned last, and how far it is to go.</summary>
    private void Record(RunConfiguration configuration)
    {
        if (System.IO.File.Exists(Configuration))
        {
            var recorded = ReadConfiguration();
            var training = recorded.Training with { Device = configuration.Training.Device, Steps = configuration.Training.Steps };
            if (training == recorded.Training)
            {
                return;
            }
            configuration = recorded with { Training = training };
        }
        WriteText(Configuration, configuration.ToJson());
    }

    private void Rewind(long steps)
    {
        Keep(MetricsJson, line => JsonDocument.Parse(line).RootElement.GetProperty("steps").GetInt64() <= steps);
        Keep(MetricsCsv, line => !char.IsAsciiDigit(line[0]) || long.Parse(line[..line.IndexOf(',')], CultureInfo.InvariantCulture) <= steps);

        static void Keep(string file, Func<string, bool> valid)
        {
            if (System.IO.File.Exists(file))
            {
                // The last line may have been cut by the stop.
                string text = System.IO.File.ReadAllText(file);
                string[] whole = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
                WriteText(file, string.Concat(whole.Where(valid).Select(line => line + "\n")));
            }
        }
    }

    /// <summary>Makes the folder and holds it: of processes that want it at the same time one gets it.</summary>
    private void Claim()
    {
        if (held is not null)
        {
            return;
        }
        if (!isNumbered)
        {
            Directory.CreateDirectory(Path);
            held = TryHold(FileMode.OpenOrCreate) ?? throw new UsageException($"another process trains in '{Path}'");
            if (isNew)
            {
                RequireNoRun();
            }
            return;
        }
        string name = Path;
        for (int number = 1; held is null; number++)
        {
            Path = number == 1 ? name : $"{name}-{number}";
            if (!System.IO.Path.Exists(Path))
            {
                Directory.CreateDirectory(Path);
                // The process that creates the file has the folder; another that also found no folder takes the next.
                held = TryHold(FileMode.CreateNew);
            }
        }
    }

    /// <summary>A file that one process at a time can hold; the system lets go of it when the process ends, however that comes about. Null: another process holds it.</summary>
    private FileStream? TryHold(FileMode mode)
    {
        string file = File("run.lock");
        try
        {
            return new FileStream(file, mode, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (System.IO.File.Exists(file))
        {
            return null;
        }
    }

    private void RequireNoRun()
    {
        if (System.IO.File.Exists(Configuration))
        {
            throw new UsageException($"'{Path}' holds a run already; go on with `marl resume {Path}`, or choose another --out");
        }
    }

    private static StreamWriter Append(string file) => new(new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.Read));

    private static void WriteText(string file, string text) => AtomicFile.Write(file, stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        writer.Write(text);
    });

    private string File(string name) => System.IO.Path.Combine(Path, name);
}
