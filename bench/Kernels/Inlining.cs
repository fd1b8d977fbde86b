using System.Diagnostics;
using System.Text.RegularExpressions;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Kernels;

/// <summary><c>bench inlining [--levels all|avx512,avx2]</c>: the calls that the JIT compiler left in loops over lanes.</summary>
/// <remarks>A loop over lanes is compiled for each width of lane and each op. Everything in it has to be inlined: a call keeps the lanes from staying in
/// registers. The runtime prints the machine code of a process that trains with every algorithm and every optimizer for a few updates.</remarks>
internal static partial class Inlining
{
    private const string Child = "--train";

    /// <summary>Calls that a loop may contain: they end it.</summary>
    private static readonly string[] Ends = ["CORINFO_HELP_", "Throw", "FailFast"];

    /// <summary>Prints the loops and their calls by level.</summary>
    /// <returns>0, or 1 if there are calls.</returns>
    /// <exception cref="UsageException">The SIMD level is not supported.</exception>
    public static int Run(string[] args)
    {
        if (args is [Child])
        {
            Train();
            return 0;
        }
        var levels = args switch
        {
            [] => SimdLevel.Here.Where(level => level.Width >= 256),
            ["--levels", var names] => SimdLevel.Parse(names),
            _ => throw new UsageException("'inlining' takes --levels with names such as avx512,avx2"),
        };
        int calls = 0;
        foreach (var level in levels)
        {
            var (loops, found) = Of(level);
            Console.WriteLine($"{level.Name}: {loops} loops over lanes, {found.Count} calls");
            found.ForEach(Console.WriteLine);
            calls += found.Count;
        }
        return calls == 0 ? 0 : 1;
    }

    /// <summary>Returns how many loops a process at a level compiles, and the calls that are left in them, "loop: called method".</summary>
    public static (int Loops, List<string> Calls) Of(SimdLevel level)
    {
        string listing = Path.GetTempFileName();
        try
        {
            ProcessStartInfo start = new(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet",
                [typeof(Inlining).Assembly.Location, "inlining", Child]);
            foreach (var (name, value) in (IEnumerable<(string, string)>)[("DOTNET_JitStdOutFile", listing), ("DOTNET_JitDisasm", "Marl.Native.*:*"),
                ("DOTNET_TieredCompilation", "0"), .. level.Environment])
            {
                start.Environment[name] = value;
            }
            using var process = Process.Start(start)!;
            process.WaitForExit();
            return process.ExitCode == 0 ? Read(File.ReadLines(listing)) : throw new InvalidOperationException($"the training process ended with {process.ExitCode}");
        }
        finally
        {
            File.Delete(listing);
        }
    }

    private static (int Loops, List<string> Calls) Read(IEnumerable<string> listing)
    {
        SortedSet<string> calls = new(StringComparer.Ordinal);
        int loops = 0;
        string? loop = null;
        foreach (string line in listing)
        {
            if (Heading().Match(line) is { Success: true } heading)
            {
                string method = heading.Groups["method"].Value;
                loop = Loop().IsMatch(method) ? method : null;
                loops += loop is null ? 0 : 1;
            }
            else if (loop is not null && Call().Match(line) is { Success: true } call && !Ends.Any(line.Contains))
            {
                calls.Add($"{loop}: {call.Groups["target"].Value}");
            }
        }
        return (loops, [.. calls]);
    }

    private static void Train()
    {
        string[] optimizers = ["adam", "adamw", "rmsprop", "sgd"];
        foreach (var (index, algorithm) in Catalog.Algorithms.Index())
        {
            foreach (string environment in algorithm.Name.StartsWith("maddpg", StringComparison.Ordinal) ? (string[])["two-step", "mpe:spread?actions=continuous"] : ["two-step"])
            {
                var configuration = RunConfiguration.Of(algorithm.Name, environment, null,
                    ["steps=120", "evaluationEpisodes=1", "hidden=21", "threads=1", $"optimizer={optimizers[index % optimizers.Length]}", "maxGradientNorm=1"]);
                using var trainer = new Trainer(configuration);
                trainer.Run();
            }
        }
    }

    [GeneratedRegex(@"^; Assembly listing for method (?<method>.*) \(")]
    private static partial Regex Heading();

    /// <summary>A loop over lanes has the lane as its first type argument.</summary>
    [GeneratedRegex(@"^Marl\.Native\.(Loop|Tile):\w+\[Marl\.Native\.(V8|V16|F1|Pair)\b")]
    private static partial Regex Loop();

    [GeneratedRegex(@"^\s+(call|tail\.jmp)\s+(?<target>.*)$")]
    private static partial Regex Call();
}
