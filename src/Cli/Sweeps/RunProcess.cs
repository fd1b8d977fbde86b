using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Sweeps;

/// <summary>
/// The process of a run, marl worker. It reads the configuration from its standard input; when that is closed, also because this process was killed, it saves and
/// ends. What it writes goes to the log of the run.
/// </summary>
internal static class RunProcess
{
    /// <summary>Trains a run in a process of its own.</summary>
    /// <param name="run">The run.</param>
    /// <param name="program">The command of an external program that may be started; null if none.</param>
    /// <param name="report">Receives each line of JSON that the process writes.</param>
    /// <param name="stop">Lets the process save and end.</param>
    /// <returns>The exit code, and the last line of the standard error.</returns>
    public static async Task<(int Code, string Error)> Train(SweepRun run, string? program, Action<JsonObject> report, CancellationToken stop)
    {
        var training = run.Configuration.Training;
        var configuration = run.Configuration with { Training = training with { Threads = Math.Max(1, training.Threads) } };
        string host = Environment.ProcessPath!;
        bool isHost = Path.GetFileNameWithoutExtension(host) == "dotnet";
        ProcessStartInfo start = new(host,
        [
            .. isHost ? [Environment.GetCommandLineArgs()[0]] : (string[])[], "worker", run.Folder,
            .. program is null ? [] : (string[])["--env-cmd", program],
            .. Catalog.LoadedLibraries.SelectMany(library => (string[])["--load", library]),
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        void Kill(object? sender, EventArgs e) => process.Kill(entireProcessTree: true);
        AppDomain.CurrentDomain.ProcessExit += Kill;
        try
        {
            process.StandardInput.WriteLine(JsonNode.Parse(configuration.ToJson())!.ToJsonString());
            process.StandardInput.Flush();
            using var registration = stop.Register(process.StandardInput.Close);
            using RunLog log = new(run.Log);
            string last = "";
            await Task.WhenAll(Read(process.StandardOutput, Report), Read(process.StandardError, line => last = line));
            await process.WaitForExitAsync(CancellationToken.None);
            if (process.ExitCode != ExitCode.Success)
            {
                log.Open();
            }
            return (process.ExitCode, last);

            async Task Read(StreamReader from, Action<string> use)
            {
                while (await from.ReadLineAsync(CancellationToken.None) is { } line)
                {
                    log.WriteLine(line);
                    use(line);
                }
            }

            void Report(string line)
            {
                try
                {
                    if (JsonNode.Parse(line) is JsonObject row)
                    {
                        if ((string?)row["type"] == "start")
                        {
                            log.Open();
                        }
                        report(row);
                    }
                }
                catch (JsonException)
                {
                    // A line of an environment.
                }
            }
        }
        finally
        {
            AppDomain.CurrentDomain.ProcessExit -= Kill;
        }
    }

    /// <summary>The log of a run. Lines are kept until the process has locked the run, because that of another sweep may write to the file before.</summary>
    private sealed class RunLog(string path) : IDisposable
    {
        private readonly Lock writing = new();
        private readonly List<string> waiting = [];
        private StreamWriter? file;

        public void WriteLine(string line)
        {
            lock (writing)
            {
                if (file is null)
                {
                    waiting.Add(line);
                }
                else
                {
                    file.WriteLine(line);
                }
            }
        }

        public void Open()
        {
            lock (writing)
            {
                if (file is null)
                {
                    file = new(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
                    waiting.ForEach(file.WriteLine);
                }
            }
        }

        public void Dispose() => file?.Dispose();
    }
}
