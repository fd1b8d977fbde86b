using System.Diagnostics;

namespace Marl.Native.Bench.Compare;

/// <summary>
/// Measures the time from the start of a process to its first environment steps. Ours: marl train until its first line of progress, after an episode and an
/// evaluation. The peer: the import of PyTorch alone, which every program with PyTorch needs.
/// </summary>
internal static class Startup
{
    private static readonly string[] Arguments =
    [
        "train", "qmix", "--env", "lbf:8x8-2p-2f-coop", "--steps", "1", "--json", "--set", "environments=1", "--set", "evaluationInterval=1",
        "--set", "evaluationEpisodes=1", "--out",
    ];

    public static void Compare(CompareOptions options, PeerSettings? settings)
    {
        if (options.Marl is null)
        {
            Console.Error.WriteLine("start of the process: not measured; --marl names the command");
            return;
        }
        Console.Error.WriteLine(".. start of the process");
        string folder = Directory.CreateTempSubdirectory("marl-start-").FullName;
        try
        {
            List<double> ours = [], theirs = [];
            for (int round = 0; round < options.Rounds; round++)
            {
                ours.Add(UntilFirstLine(Marl(options.Marl, Path.Combine(folder, $"{round}"))));
                if (settings is not null)
                {
                    theirs.Add(UntilFirstLine(settings.Describe(["-c", "import torch; print(torch.__version__)"], threads: 2)));
                }
            }
            double median = Rounds.Median(ours);
            double? peer = theirs.Count > 0 ? Rounds.Median(theirs) : null;
            var table = new Table("from the start of the process", "ours: first progress", "PyTorch: import alone", "/ ours");
            table.Add("marl train qmix", Table.Time(median), Table.Time(peer), Table.Ratio(peer, median));
            Console.WriteLine();
            table.Write(Console.Out, options.Markdown);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static ProcessStartInfo Marl(string path, string run)
    {
        bool assembly = path.EndsWith(".dll", StringComparison.Ordinal);
        string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        string[] arguments = [.. Arguments, run];
        return new(assembly ? host : path, assembly ? [path, .. arguments] : arguments) { RedirectStandardOutput = true };
    }

    /// <summary>Returns the seconds until the process has written a line; then waits for its end.</summary>
    private static double UntilFirstLine(ProcessStartInfo start)
    {
        long begin = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        string? line = process.StandardOutput.ReadLine();
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return line is not null && process.ExitCode == 0 ? seconds
            : throw new InvalidOperationException($"'{start.FileName} {string.Join(' ', start.ArgumentList)}' failed");
    }
}
