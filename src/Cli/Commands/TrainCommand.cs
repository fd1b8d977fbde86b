using System.CommandLine;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl train: a new run. A config file has more to say than the defaults, --set more than the file, and an option of its
/// own name more than --set.</summary>
internal static class TrainCommand
{
    /// <summary>How much of an environment's id a folder is named by: a command line can be longer than any file name may be.</summary>
    private const int LongestName = 100;

    public static Command Create()
    {
        Argument<string?> algorithm = new("algorithm")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "the algorithm, see marl list algorithms; may be left to the configuration file",
        };
        var environment = Word("--env", "id", "the environment, see marl list environments; may be left to the configuration file");
        var program = CommonOptions.EnvironmentCommand();
        var steps = Word("--steps", "N",
            "environment steps; 2,000,000 by default, or as published, see marl list options. The round in which they are reached is the last");
        var seed = Word("--seed", "S", "seed of all random numbers; 1 by default. The same seed gives the same weights");
        Option<SeedList?> several = new("--seeds")
        {
            HelpName = "1-5",
            Description = "one run per seed, one after another, each in <DIR>/seed-<S>; a list like 1-5 or 1,3,7-9. The same command goes on with what is missing",
            CustomParser = SeedList.Parse,
        };
        var threads = Word("--threads", "K", "worker threads; 0, the default: one per processor. The weights do not depend on it");
        var device = Word("--device", "id", $"where updates are computed; cpu by default: {Devices.Forms}. Agents act on the CPU");
        Option<string[]> set = new("--set")
        {
            HelpName = "name=value",
            Description = "an option of the algorithm or of training, see marl list options; may be repeated, or take several",
            AllowMultipleArgumentsPerToken = true,
        };
        var config = Word("--config", "file.json", "a configuration: a run's config.json, or a file of its keys (algorithm, environment, training, options), any of them left out");
        var folder = Word("--out", "DIR", "the run's folder; by default runs/<algorithm>-<env>-seed<S>, numbered if it exists");
        var json = CommonOptions.Json();
        ExampledCommand command = new("train", "Train agents in an environment.",
            "marl train ia2c --env lbf:8x8-2p-2f-coop --set agent=mlp hidden=64 learningRate=0.001",
            "marl train qmix --env climbing --steps 1e5 --seeds 1-5",
            "marl train --config runs/qmix-climbing-seed1/config.json --seed 2",
            "marl train vdn --env-cmd \"python3 my_env.py\" --out runs/mine")
        {
            algorithm, environment, program, steps, seed, several, threads, device, set, config, folder, json,
        };
        command.SetAction(parsed =>
        {
            var seeds = parsed.GetValue(several);
            if (seeds is not null && parsed.GetValue(seed) is not null)
            {
                throw new UsageException("options '--seed' and '--seeds' both choose seeds; give one");
            }
            var choice = EnvironmentChoice.Of(parsed.GetValue(environment), parsed.GetValue(program));
            var configuration = Configure(parsed.GetValue(config), parsed.GetValue(algorithm), choice.Id,
            [
                .. parsed.GetValue(set) ?? [],
                .. Named("steps", parsed.GetValue(steps)),
                .. Named("seed", parsed.GetValue(seed)),
                .. Named("threads", parsed.GetValue(threads)),
                .. Named("device", parsed.GetValue(device)),
            ]) with
            { Libraries = Catalog.LoadedLibraries };
            var learnsOn = Devices.Open(configuration.Training.Device);
            using var opened = learnsOn as IDisposable;
            if (seeds is not null)
            {
                return SeedRuns.Train(configuration, choice, seeds, parsed.GetValue(folder) ?? $"{DefaultFolder(configuration)}-seeds{seeds}", learnsOn, parsed.GetValue(json));
            }
            using var run = parsed.GetValue(folder) is { } path ? RunFolder.New(path)
                : RunFolder.NewNumbered($"{DefaultFolder(configuration)}-seed{configuration.Training.Seed}");
            using var trainer = new Trainer(configuration, () => choice.Create(configuration.Environment), run, learnsOn);
            return Session.Conduct(trainer, run, parsed.GetValue(json));
        });
        return command;
    }

    /// <summary>An option whose word is understood where settings are.</summary>
    private static Option<string?> Word(string name, string symbol, string description)
        => new(name) { HelpName = symbol, Description = description };

    /// <summary>A named option is a setting that is read last.</summary>
    private static IEnumerable<string> Named(string name, string? value) => value is null ? [] : [$"{name}={value}"];

    private static RunConfiguration Configure(string? file, string? algorithm, string? environment, IEnumerable<string> settings)
    {
        if (file is not null)
        {
            return File.Exists(file) ? RunConfiguration.Parse(File.ReadAllText(file), $"'{file}'", algorithm, environment, settings)
                : throw new UsageException($"there is no configuration file '{file}'");
        }
        if (algorithm is null || environment is null)
        {
            string missing = algorithm is null ? "algorithm" : "environment";
            throw new UsageException($"no {missing} is named: marl train <algorithm> --env <id>");
        }
        return RunConfiguration.Of(algorithm, environment, null, settings);
    }

    /// <summary>runs/algorithm-environment; a path in the environment's id is relative to the working directory, if it is inside of it.</summary>
    private static string DefaultFolder(RunConfiguration configuration)
    {
        string id = configuration.Environment.Replace(Environment.CurrentDirectory + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
        string environment = string.Concat(id.Select(
            c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-').Take(LongestName));
        return Path.Combine("runs", $"{configuration.Algorithm}-{environment}");
    }
}
