using Marl.Native.Cli.Reporting;
using Marl.Native.Cli.Sweeps;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl train --seeds: a sweep of one algorithm in one environment, with the runs in seed-S.</summary>
internal static class SeedRuns
{
    /// <summary>Returns the run of each seed.</summary>
    public static IReadOnlyList<SweepRun> Of(RunConfiguration configuration, SeedList seeds, string folder) =>
    [
        .. seeds.Values.Select(seed => new SweepRun(SweepRun.FolderName(configuration.Environment), configuration.Algorithm, Path.Combine(folder, $"seed-{seed}"),
            configuration with { Training = configuration.Training with { Seed = seed } })),
    ];

    /// <summary>Requires that a folder is not one of --seeds, which contains a run per seed.</summary>
    /// <exception cref="UsageException">It is; the message names a run.</exception>
    public static void RequireSingle(string folder)
    {
        const string prefix = "seed-";
        if (!Directory.Exists(folder) || File.Exists(new RunFolder(folder).Configuration))
        {
            return;
        }
        string[] names = [.. Directory.EnumerateDirectories(folder, $"{prefix}*").Where(path => File.Exists(new RunFolder(path).Configuration))
            .Select(path => Path.GetFileName(path)).OrderBy(name => ulong.TryParse(name[prefix.Length..], out ulong seed) ? seed : ulong.MaxValue)];
        if (names.Length > 0)
        {
            string all = names.Length == 1 ? names[0] : $"{names[0]} .. {names[^1]}";
            throw new UsageException($"'{folder}' contains {all}; name one, for example {Text.Quoted(Path.Combine(folder, names[0]))}");
        }
    }
}
