using System.Globalization;
using System.Text;
using System.Text.Json;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The folder of a run: config.json (the complete configuration), metrics.jsonl and metrics.csv (a row per evaluation), checkpoint.safetensors (the complete
/// state of the run), policy.safetensors (the agents' weights) and summary.json. Files other than the metrics are replaced atomically.
/// </summary>
/// <param name="path">The folder.</param>
public sealed class RunFolder(string path) : IDisposable
{
    private const long MaxMetricsLength = 1 << 30;

    private DiskFile? lines, table;
    private FileStream? lockFile;
    private bool isNew, isNumbered;

    /// <summary>The path of the folder.</summary>
    public string Path { get; private set; } = path;

    /// <summary>The path of the configuration.</summary>
    public string Configuration => File("config.json");

    /// <summary>The path of the checkpoint.</summary>
    public string Checkpoint => File("checkpoint.safetensors");

    /// <summary>The path of the policy.</summary>
    public string Policy => File(Rl.Policy.FileName);

    /// <summary>The path of the summary.</summary>
    public string Summary => File("summary.json");

    // The previous checkpoint, which is read if the last one is damaged.
    private string Predecessor => File("checkpoint.previous.safetensors");

    private string MetricsJson => File("metrics.jsonl");

    private string MetricsCsv => File("metrics.csv");

    /// <summary>Returns the folder of a new run.</summary>
    /// <exception cref="UsageException">The folder contains a run.</exception>
    public static RunFolder New(string path)
    {
        var folder = new RunFolder(path) { isNew = true };
        folder.RequireNoRun();
        return folder;
    }

    /// <summary>Returns the folder of a new run: the first of path, path-2, path-3, .. that does not exist when the run begins. Processes that begin at the
    /// same time get different folders.</summary>
    public static RunFolder NewNumbered(string path) => new(path) { isNew = true, isNumbered = true };

    /// <summary>Reads the configuration of the run.</summary>
    /// <exception cref="UsageException">The folder contains no run.</exception>
    public RunConfiguration ReadConfiguration() => System.IO.File.Exists(Configuration)
        ? RunConfiguration.Read(Configuration)
        : throw new UsageException($"'{Path}' contains no run: config.json is missing");

    /// <summary>Creates and locks the folder until this object is disposed. Returns false if another process trains in it.</summary>
    public bool TryLock()
    {
        Directory.CreateDirectory(Path);
        lockFile ??= OpenLock(FileMode.OpenOrCreate);
        return lockFile is not null;
    }

    /// <summary>Creates and locks the folder, and checks that files can be written to it.</summary>
    /// <exception cref="UsageException">Another process trains in the folder, or the folder of a new run contains a run.</exception>
    /// <exception cref="IOException">The folder cannot be written to; the message names it.</exception>
    public void EnsureWritable()
    {
        try
        {
            Lock();
            using var probe = new FileStream(AtomicFile.TemporaryName(Configuration), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"the folder '{Path}' cannot be written to: {e.Message}", e);
        }
    }

    /// <summary>Locks the folder, writes the configuration (of an existing one only the device and the steps change), and opens the metrics. Rows of the
    /// metrics after <paramref name="steps"/> are removed, because they will be written again.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="steps">The environment steps at which the run continues.</param>
    /// <exception cref="UsageException">Another process trains in the folder.</exception>
    public void Begin(RunConfiguration configuration, long steps = 0)
    {
        Lock();
        foreach (string file in (string[])[Configuration, Checkpoint, Policy, Summary, MetricsJson, MetricsCsv])
        {
            AtomicFile.DeleteUnfinished(file);
        }
        WriteConfiguration(configuration);
        TruncateMetrics(steps);
        (lines, table) = (Disk.Append(MetricsJson), Disk.Append(MetricsCsv));
    }

    /// <summary>Adds a row to the metrics.</summary>
    public void WriteMetrics(TrainingProgress row)
    {
        lines!.Write(Encoding.UTF8.GetBytes(row.ToJson().ToJsonString() + "\n"));
        string header = table!.Length == 0 ? string.Join(',', row.Fields.Select(field => field.Name)) + "\n" : "";
        string values = string.Join(',', row.Fields.Select(field => field.Value.ToString("R", CultureInfo.InvariantCulture)));
        table.Write(Encoding.UTF8.GetBytes($"{header}{values}\n"));
    }

    /// <summary>Replaces the checkpoint, of which the last two are kept, and the policy. The metrics are on the disk before the checkpoint is.</summary>
    public void WriteCheckpoint(Action<IArchive> archive, Policy policy)
    {
        lines?.FlushToDisk();
        table?.FlushToDisk();
        var writer = new SafetensorsWriter();
        archive(writer);
        writer.Save(Checkpoint, Predecessor);
        policy.Save(Policy);
    }

    /// <summary>Reads the checkpoint into a new run; the one before it, if the last one is missing or damaged.</summary>
    /// <returns>Why the last checkpoint was not read; null if it was.</returns>
    /// <exception cref="UsageException">There is no checkpoint.</exception>
    /// <exception cref="InvalidDataException">Both are damaged, or belong to another run.</exception>
    public string? ReadCheckpoint(Action<IArchive> archive)
    {
        string problem = $"'{Checkpoint}' is missing";
        try
        {
            if (System.IO.File.Exists(Checkpoint))
            {
                Read(Checkpoint);
                return null;
            }
        }
        catch (InvalidDataException e) when (System.IO.File.Exists(Predecessor))
        {
            problem = e.Message;
        }
        if (!System.IO.File.Exists(Predecessor))
        {
            throw new UsageException($"'{Path}' has no checkpoint to resume from; to start again: marl train --config {Configuration} --out FOLDER");
        }
        Read(Predecessor);
        return problem;

        void Read(string file)
        {
            var content = Safetensors.Read(file);
            try
            {
                var reader = new SafetensorsReader(content);
                archive(reader);
                reader.EnsureAllRead();
            }
            catch (InvalidDataException e)
            {
                throw new InvalidDataException($"{file}: {e.Message}", e);
            }
        }
    }

    /// <summary>Writes the summary.</summary>
    public void WriteSummary(TrainingSummary summary) => WriteText(Summary, summary.ToJson().ToJsonString(OptionsJson.Present));

    /// <summary>Reads the summary.</summary>
    /// <returns>null if there is none, or if it is damaged.</returns>
    /// <exception cref="IOException">It is not a regular file, or cannot be read.</exception>
    public TrainingSummary? ReadSummary()
    {
        try
        {
            return System.IO.File.Exists(Summary)
                ? (TrainingSummary?)JsonSerializer.Deserialize(Disk.ReadText(Summary), OptionsJson.Present.GetTypeInfo(typeof(TrainingSummary))) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lines?.Dispose();
        table?.Dispose();
        lockFile?.Dispose();
        (lines, table, lockFile) = (null, null, null);
    }

    /// <summary>Writes the configuration. Of an existing one only the device and the number of steps change.</summary>
    private void WriteConfiguration(RunConfiguration configuration)
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
        WriteText(Configuration, configuration.ToJsonIn(Path));
    }

    // Both files are read before one is written: a damaged row leaves both as they are.
    private void TruncateMetrics(long steps)
    {
        var rows = Kept(MetricsJson, (line, _) => JsonDocument.Parse(line).RootElement.GetProperty("steps").GetInt64() <= steps);
        var table = Kept(MetricsCsv, (line, i) => i == 0 || long.Parse(line[..line.IndexOf(',')], CultureInfo.InvariantCulture) <= steps);
        foreach (var (file, text) in (ReadOnlySpan<(string, string?)>)[(MetricsJson, rows), (MetricsCsv, table)])
        {
            if (text is not null)
            {
                WriteText(file, text);
            }
        }

        static string? Kept(string file, Func<string, int, bool> keep)
        {
            if (!System.IO.File.Exists(file))
            {
                return null;
            }
            // The last line may be incomplete.
            string text = Disk.ReadText(file, MaxMetricsLength);
            string[] lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
            return string.Concat(lines.Where((line, i) => Keeps(line, i)).Select(line => line + "\n"));

            bool Keeps(string line, int i)
            {
                try
                {
                    return keep(line, i);
                }
                catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentOutOfRangeException or OverflowException)
                {
                    throw new InvalidDataException($"'{file}', line {i + 1}: this is not a row of metrics; remove the line to continue");
                }
            }
        }
    }

    /// <summary>Creates and locks the folder; of several processes only one succeeds.</summary>
    private void Lock()
    {
        if (lockFile is not null)
        {
            return;
        }
        if (!isNumbered)
        {
            if (!TryLock())
            {
                throw new UsageException($"another process trains in '{Path}'");
            }
            if (isNew)
            {
                RequireNoRun();
            }
            return;
        }
        string name = Path;
        for (int number = 1; lockFile is null; number++)
        {
            Path = number == 1 ? name : $"{name}-{number}";
            if (!System.IO.Path.Exists(Path))
            {
                Directory.CreateDirectory(Path);
                // The process that creates the file owns the folder; another one that found no folder either takes the next number.
                lockFile = OpenLock(FileMode.CreateNew);
            }
        }
    }

    /// <summary>Opens the lock file, which the operating system releases when the process ends. Returns null if another process has it.</summary>
    private FileStream? OpenLock(FileMode mode)
    {
        string file = File("run.lock");
        Disk.RequireRegular(file);
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
            throw new UsageException($"'{Path}' contains a run already; continue it with `marl resume {Path}`, or choose another --out");
        }
    }

    private static void WriteText(string file, string text) => AtomicFile.Write(file, stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        writer.Write(text);
    });

    private string File(string name) => System.IO.Path.Combine(Path, name);
}
