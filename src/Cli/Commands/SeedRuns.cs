using System.Text.Json.Nodes;
using Marl.Native.Cli.Reporting;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl train --seeds: trains runs that differ only in their seed, one after another, and summarizes their returns.</summary>
internal static class SeedRuns
{
    /// <summary>Trains every seed in its own folder, seed-S. Existing runs are resumed, or skipped if they are finished; if a run diverges, the others are still
    /// trained.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="UsageException">An existing run has other settings.</exception>
    public static int Train(RunConfiguration configuration, EnvironmentChoice choice, SeedList seeds, string folder, Device device, bool json)
    {
        List<Result> results = [];
        int worst = ExitCode.Success;
        foreach (ulong seed in seeds.Values)
        {
            using var run = new RunFolder(Path.Combine(folder, $"seed-{seed}"));
            int code = Train(configuration with { Training = configuration.Training with { Seed = seed } }, choice, run, device, json);
            if (code is not (ExitCode.Success or ExitCode.Diverged))
            {
                Terminal.WriteError($"{results.Count} of {seeds.Values.Count} seeds are done");
                return code;
            }
            worst = Math.Max(worst, code);
            if (code == ExitCode.Success)
            {
                var summary = run.ReadSummary()!;
                results.Add(new(seed, summary.ReturnMean, summary.ReturnMax, run.Path));
            }
        }
        if (results.Count > 0)
        {
            var total = ToJson(configuration, results);
            File.WriteAllText(Path.Combine(folder, "seeds.json"), total.ToJsonString(new() { WriteIndented = true }));
            if (json)
            {
                total.Insert(0, "type", "seeds");
                Console.Out.WriteLine(total.ToJsonString());
            }
            else
            {
                Print(results);
            }
        }
        return worst;
    }

    private static int Train(RunConfiguration configuration, EnvironmentChoice choice, RunFolder run, Device device, bool json)
    {
        bool exists = File.Exists(run.Configuration);
        if (exists)
        {
            RequireSame(configuration, run);
            // A run without a summary, or with a damaged one, goes on from its checkpoint and writes it.
            if (run.ReadSummary() is { Finished: true } summary && summary.Steps >= configuration.Training.Steps)
            {
                return ExitCode.Success;
            }
        }
        IEnvironment Create() => choice.Create(configuration.Environment);
        using var trainer = exists ? Trainer.Resume(run, Create, configuration.Training.Threads, device, configuration.Training.Steps)
            : new Trainer(configuration, Create, run, device);
        try
        {
            return Session.Train(trainer, run, json, "the same command");
        }
        catch (DivergedException e)
        {
            Terminal.WriteError($"seed {configuration.Training.Seed}: {e.Message}");
            return ExitCode.Diverged;
        }
    }

    /// <summary>Requires that a run has the same settings; the number of steps, threads and the device may differ.</summary>
    /// <exception cref="UsageException">It has other settings.</exception>
    private static void RequireSame(RunConfiguration configuration, RunFolder run)
    {
        var (wanted, training) = (configuration.Training, run.ReadConfiguration());
        var present = training with
        {
            Libraries = configuration.Libraries,
            Training = training.Training with { Steps = wanted.Steps, Threads = wanted.Threads, Device = wanted.Device },
        };
        if (present.ToJson() != configuration.ToJson())
        {
            throw new UsageException($"'{run.Path}' contains a run with other settings; choose another --out");
        }
    }

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

    private static void Print(IReadOnlyList<Result> results)
    {
        Console.Out.WriteLine($"{"seed",20} {"final return",14} {"best return",14}  run");
        foreach (var result in results)
        {
            Console.Out.WriteLine($"{result.Seed,20} {Text.Number(result.Final),14} {Text.Number(result.Best),14}  {result.Run}");
        }
        MeanEstimate final = new([.. results.Select(result => result.Final)]), best = new([.. results.Select(result => result.Best)]);
        Row("mean", estimate => estimate.Mean);
        if (results.Count > 1)
        {
            Row("standard error", estimate => estimate.StandardError);
            Row("95 % CI from", estimate => estimate.Low);
            Row("to", estimate => estimate.High);
        }

        void Row(string name, Func<MeanEstimate, double> value)
            => Console.Out.WriteLine($"{name,20} {Text.Number(value(final)),14} {Text.Number(value(best)),14}");
    }

    private static JsonObject ToJson(RunConfiguration configuration, IReadOnlyList<Result> results) => new()
    {
        ["algorithm"] = configuration.Algorithm,
        ["environment"] = configuration.Environment,
        ["steps"] = configuration.Training.Steps,
        ["runs"] = new JsonArray([.. results.Select(result => new JsonObject
        {
            ["seed"] = result.Seed,
            ["returnMean"] = Number(result.Final),
            ["returnMax"] = Number(result.Best),
            ["run"] = result.Run,
        })]),
        ["returnMean"] = ToJson(results.Select(result => result.Final)),
        ["returnMax"] = ToJson(results.Select(result => result.Best)),
    };

    private static JsonObject ToJson(IEnumerable<double> values)
    {
        MeanEstimate estimate = new([.. values]);
        return new()
        {
            ["mean"] = Number(estimate.Mean),
            ["standardError"] = Number(estimate.StandardError),
            ["low"] = Number(estimate.Low),
            ["high"] = Number(estimate.High),
        };
    }

    /// <summary>A number; null for the NaN of runs without an evaluation.</summary>
    private static JsonNode? Number(double value) => double.IsFinite(value) ? value : null;

    /// <summary>The result of a run.</summary>
    /// <param name="Seed">The seed of the run.</param>
    /// <param name="Final">The mean return of its last evaluation.</param>
    /// <param name="Best">The largest mean return of its evaluations.</param>
    /// <param name="Run">The folder of the run.</param>
    private sealed record Result(ulong Seed, double Final, double Best, string Run);
}
