using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using Marl.Native.Rl;
using Perfolizer.Horology;
using Column = BenchmarkDotNet.Columns.Column;

namespace Marl.Native.Bench.Kernels;

/// <summary><c>bench kernels [--levels all|avx512,avx2,128,scalar] [options of BenchmarkDotNet]</c></summary>
internal static class KernelCommand
{
    /// <summary>Runs the benchmarks of this room; without <c>--levels</c> at the widest level of the machine.</summary>
    /// <returns>0, or 1 if a benchmark failed.</returns>
    /// <exception cref="UsageException">The SIMD level is not supported.</exception>
    public static int Run(string[] args)
    {
        int at = Array.IndexOf(args, "--levels");
        var levels = at < 0 ? SimdLevel.Here[..1]
            : at + 1 < args.Length ? SimdLevel.Parse(args[at + 1])
            : throw new UsageException("option '--levels' needs a value: all, or names such as avx2,scalar");
        string[] rest = at < 0 ? args : [.. args[..at], .. args[(at + 2)..]];
        var benchmarks = typeof(KernelBenchmark).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(KernelBenchmark)) && !type.IsAbstract);
        var summaries = BenchmarkSwitcher.FromTypes([.. benchmarks]).Run(rest, Config(levels)).ToArray();
        return summaries.Any(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)) ? 1 : 0;
    }

    private static ManualConfig Config(IEnumerable<SimdLevel> levels)
    {
        var config = ManualConfig.CreateEmpty()
            .AddLogger(ConsoleLogger.Default)
            .AddExporter(MarkdownExporter.GitHub)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddColumn(RateColumn.All)
            .AddDiagnoser(new MemoryDiagnoser(new MemoryDiagnoserConfig(displayGenColumns: false)))
            .HideColumns(Column.EnvironmentVariables, Column.Error, Column.RatioSD, Column.AllocRatio);
        foreach (var level in levels)
        {
            // Short, but each figure is the mean of seven times a tenth of a second, after three to warm up.
            var job = new Job(level.Name).WithIterationTime(TimeInterval.FromMilliseconds(100)).WithWarmupCount(3).WithIterationCount(7);
            config.AddJob(level.Environment.Length == 0 ? job
                : job.WithEnvironmentVariables([.. level.Environment.Select(one => new EnvironmentVariable(one.Name, one.Value))]));
        }
        return config;
    }
}
