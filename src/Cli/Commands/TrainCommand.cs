using System.CommandLine;
using Marl.Native.Cli.Sweeps;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl train: trains a new run. A configuration file overrides the defaults, --set overrides the file, and options such as --steps override --set.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        Argument<string?> algorithm = new("algorithm")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "algorithm, see marl list algorithms; optional with --config",
        };
        var environment = TextOption("--env", "id", "environment, see marl list environments; optional with --config");
        var program = CommonOptions.EnvironmentCommand();
        var steps = TextOption("--steps", "N",
            "number of environment steps; training ends after the round that reaches it; 2,000,000 by default, or as published: 20,000,000 for on-policy algorithms " +
            "(marl list options)");
        var seed = TextOption("--seed", "S", "seed of the random number generators, 1 by default; the same seed gives the same weights");
        Option<SeedList?> several = new("--seeds")
        {
            HelpName = "1-5",
            Description = "train one run per seed, each in a process of its own, in <DIR>/seed-<S>; a list such as 1-5 or 1,3,7-9; the same command resumes unfinished runs",
            CustomParser = SeedList.Parse,
        };
        var jobs = SweepCommand.Jobs();
        var threads = TextOption("--threads", "K", "number of worker threads; 0, the default: one per processor, with --seeds one per run; results do not depend on it");
        var device = TextOption("--device", "id", $"device that trains, cpu by default: {Devices.Forms}; agents act on the CPU");
        Option<string[]> set = new("--set")
        {
            HelpName = "name=value",
            Description = "set options of the algorithm or of training, see marl list options; takes several, repeatable",
            AllowMultipleArgumentsPerToken = true,
        };
        var config = TextOption("--config", "file.json", "configuration file: the config.json of a run, or a file with any of its keys (algorithm, environment, training, options)");
        var folder = TextOption("--out", "DIR", "folder of the run; by default runs/<algorithm>-<env>-seed<S>, numbered if it exists");
        var json = CommonOptions.Json();
        ExampledCommand command = new("train", "Train agents in an environment.",
            "marl train ia2c --env lbf:8x8-2p-2f-coop --steps 2e6 --set agent=mlp hidden=64 learningRate=0.001",
            "marl train qmix --env climbing --steps 1e5 --seeds 1-5",
            "marl train --config runs/qmix-climbing-seed1/config.json --seed 2",
            "marl train vdn --env-cmd \"python3 my_env.py\" --out runs/mine")
        {
            algorithm, environment, program, steps, seed, several, jobs, threads, device, set, config, folder, json,
        };
        command.SetAction(parsed =>
        {
            var seeds = parsed.GetValue(several);
            if (seeds is not null && parsed.GetValue(seed) is not null)
            {
                throw new UsageException("options '--seed' and '--seeds' exclude each other; give only one");
            }
            var choice = EnvironmentChoice.Of(parsed.GetValue(environment), parsed.GetValue(program));
            var configuration = Configure(parsed.GetValue(config), parsed.GetValue(algorithm), choice.Id,
            [
                .. (parsed.GetValue(set) ?? []).Select(RequireOne),
                .. Setting("steps", parsed.GetValue(steps)),
                .. Setting("seed", parsed.GetValue(seed)),
                .. Setting("threads", parsed.GetValue(threads)),
                .. Setting("device", parsed.GetValue(device)),
            ]) with
            { Libraries = Catalog.LoadedLibraries };
            if (seeds is not null)
            {
                var runs = SeedRuns.Of(configuration, seeds, parsed.GetValue(folder) ?? $"{DefaultFolder(configuration)}-seeds{seeds}");
                return Sweep.Train(runs, choice.Program, SweepCommand.JobsOf(parsed.GetValue(jobs), runs), parsed.GetValue(json));
            }
            var trainingDevice = Devices.Open(configuration.Training.Device);
            using var opened = trainingDevice as IDisposable;
            using var run = parsed.GetValue(folder) is { } path ? RunFolder.New(path)
                : RunFolder.NewNumbered($"{DefaultFolder(configuration)}-seed{configuration.Training.Seed}");
            using var trainer = new Trainer(configuration, () => choice.Create(configuration.Environment), run, trainingDevice);
            return Session.Train(trainer, run, parsed.GetValue(json));
        });
        return command;
    }

    /// <summary>Creates an option whose value is parsed as that of a setting.</summary>
    private static Option<string?> TextOption(string name, string symbol, string description)
        => new(name) { HelpName = symbol, Description = description };

    /// <summary>Requires that a value of --set is one setting, not several with commas between or after them.</summary>
    private static string RequireOne(string setting) => setting.Split(',') is [_, .., var last] && (last.Length == 0 || last.Contains('='))
        ? throw new UsageException($"'{setting}' contains a comma; separate settings by spaces") : setting;

    /// <summary>Returns the setting "name=value" of an option; none if it is not given.</summary>
    private static IEnumerable<string> Setting(string name, string? value) => value is null ? [] : [$"{name}={value}"];

    private static RunConfiguration Configure(string? file, string? algorithm, string? environment, IEnumerable<string> settings)
    {
        if (file is not null)
        {
            if (Directory.Exists(file))
            {
                string inside = new RunFolder(file).Configuration;
                throw new UsageException($"the configuration file '{file}' is a folder; {(File.Exists(inside) ? $"use '{inside}'" : "name a file")}");
            }
            return RunConfiguration.Read(file, algorithm, environment, settings);
        }
        // An unknown algorithm is reported before a missing environment.
        string known = algorithm is null ? throw Missing("algorithm") : Catalog.FindAlgorithm(algorithm).Name;
        return RunConfiguration.Of(known, environment ?? throw Missing("environment"), null, settings);

        static UsageException Missing(string what) => new($"the {what} is missing: marl train <algorithm> --env <id>");
    }

    /// <summary>Returns runs/algorithm-environment; a path in the environment's id is relative to the working directory, if it is inside of it.</summary>
    private static string DefaultFolder(RunConfiguration configuration)
        => Path.Combine("runs", $"{configuration.Algorithm}-{SweepRun.FolderName(configuration.Environment)}");
}
