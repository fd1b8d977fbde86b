using System.Diagnostics;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Reliability;

/// <summary>What became of a run with failures.</summary>
/// <param name="Points">The number of failures, each in a run of its own.</param>
/// <param name="Resumed">Those after which there was a checkpoint to go on from.</param>
/// <param name="Problems">What was wrong afterwards.</param>
internal sealed record FaultReport(int Points, int Resumed, IReadOnlyList<string> Problems);

/// <summary><c>bench faults</c>: a run is made to fail, or is killed, at every operation on the disk, and has to end as one to which nothing happened;
/// <c>bench faults saves</c> kills it twice in every save instead, which takes a minute.</summary>
internal static class SavingFaults
{
    /// <summary>Runs the campaign and prints a row for each algorithm.</summary>
    /// <returns>0, or 1 if there is a problem.</returns>
    /// <exception cref="UsageException">An unknown option.</exception>
    public static int Run(string[] args)
    {
        // The child process of a kill.
        if (args is ["kill", var algorithm, var path, var number] && int.TryParse(number, out int point))
        {
            SavingRun.All.Single(one => one.Algorithm == algorithm).TrainKilled(path, point);
            return 0;
        }
        bool everyOperation = args is not ["saves"];
        if (everyOperation && args.Length > 0)
        {
            throw new UsageException("faults [saves]");
        }
        Console.WriteLine($"{"algorithm",-12}{"failure",-28}{"points",8}{"resumed",9}{"problems",10}");
        int problems = 0;
        foreach (var run in SavingRun.All)
        {
            foreach (var (name, fail) in ((string, Func<FaultReport>)[])
                [("one operation fails", () => Fail(run, forever: false)), ("all operations fail from k on", () => Fail(run, forever: true)), (everyOperation ? "kill -9" : "kill -9, twice a save", () => Kill(run, everyOperation))])
            {
                var report = fail();
                Console.WriteLine($"{run.Algorithm,-12}{name,-32}{report.Points,4}{report.Resumed,9}{report.Problems.Count,10}");
                foreach (string problem in report.Problems)
                {
                    Console.WriteLine($"  {problem}");
                }
                problems += report.Problems.Count;
            }
        }
        return problems == 0 ? 0 : 1;
    }

    /// <summary>Lets a run fail at the k-th operation on the disk, for all k.</summary>
    /// <param name="run">The run.</param>
    /// <param name="forever">Whether all operations after the k-th fail, too.</param>
    public static FaultReport Fail(SavingRun run, bool forever)
        => Each(run, operations => Enumerable.Range(1, operations.Count), (folder, k) => run.TrainFailing(folder, k, forever));

    /// <summary>Kills the process of a run: at every operation on the disk, or once in every save, at an operation that differs between the saves.</summary>
    public static FaultReport Kill(SavingRun run, bool everyOperation)
        => Each(run, operations => everyOperation ? Enumerable.Range(1, operations.Count) : OfSaves(operations), (folder, k) =>
        {
            string program = Path.Combine(AppContext.BaseDirectory, "Marl.Native.Bench.dll");
            using var child = Process.Start(new ProcessStartInfo(System.Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
                [program, "faults", "kill", run.Algorithm, folder, $"{k}"]))!;
            child.WaitForExit();
            if (child.ExitCode == 0)
            {
                throw new InvalidOperationException($"the process was not killed at operation {k}");
            }
        });

    /// <summary>Of the i-th save, the i-th of its renamings, flushes and creations, and the last renaming, before which there is no checkpoint of the final
    /// name.</summary>
    private static IEnumerable<int> OfSaves(IReadOnlyList<(DiskOperation Operation, string Path)> operations)
    {
        int[] ends = [.. Enumerable.Range(0, operations.Count).Where(i => operations[i] is (DiskOperation.Rename, var path) && Path.GetFileName(path) == "checkpoint.safetensors")];
        for (int save = 0; save < ends.Length; save++)
        {
            int[] within = [.. Enumerable.Range(ends[save] - 6, 12).Where(i => i >= 0 && i < operations.Count)];
            yield return ends[save] + 1;
            yield return within[(5 * save + 1) % within.Length] + 1;
        }
    }

    private static FaultReport Each(SavingRun run, Func<IReadOnlyList<(DiskOperation Operation, string Path)>, IEnumerable<int>> choose, Action<string, int> fail)
    {
        var folder = Fuzzer.CreateFolder();
        try
        {
            var (outcome, operations) = run.TrainWhole(Path.Combine(folder.FullName, "whole"));
            int resumed = 0;
            List<string> problems = [];
            int[] points = [.. choose(operations).Distinct().Order()];
            foreach (int k in points)
            {
                string path = Path.Combine(folder.FullName, "run");
                fail(path, k);
                string where = $"{run.Algorithm}, operation {k}, {operations[k - 1].Operation} of {Path.GetFileName(operations[k - 1].Path)}";
                try
                {
                    string? problem = SavingRun.Resume(path, outcome, out bool hadCheckpoint);
                    resumed += hadCheckpoint ? 1 : 0;
                    problems.AddRange(problem is null ? [] : [$"{where}: {problem}"]);
                }
                catch (Exception e)
                {
                    problems.Add($"{where}: {e.GetType().Name}: {e.Message}");
                }
                if (Directory.Exists(path))
                {
                    Directory.Delete(path, recursive: true);
                }
            }
            return new(points.Length, resumed, problems);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
