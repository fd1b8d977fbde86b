using System.CommandLine;
using System.CommandLine.Completions;
using Marl.Native.Cli.Commands;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Completion;

/// <summary>The candidates for completion: algorithms, environment ids, settings, runs. A candidate that ends with '=', ':' or '/' is incomplete.</summary>
internal static class CompletionSources
{
    /// <summary>Adds candidates to the arguments and options of a command and of its subcommands, by name.</summary>
    public static void AddTo(Command command)
    {
        foreach (var argument in command.Arguments)
        {
            argument.HelpName ??= argument.Name; // otherwise help shows the candidates instead of the name
            switch (argument.Name)
            {
                case "algorithm":
                    argument.CompletionSources.Add(_ => Catalog.Algorithms.Select(algorithm => algorithm.Name));
                    break;
                case "policy" or "player":
                    argument.CompletionSources.Add(context => Runs(context).Append(Trained.Random));
                    break;
                case "run":
                    argument.CompletionSources.Add(Runs);
                    break;
            }
        }
        foreach (var option in command.Options)
        {
            switch (option.Name)
            {
                case "--env":
                    option.CompletionSources.Add(_ => Environments());
                    break;
                case "--set":
                    option.CompletionSources.Add(Settings);
                    break;
                case "--against":
                    option.CompletionSources.Add(Runs);
                    break;
                case "--device":
                    option.CompletionSources.Add(TrainingOptions.Cpu, "cuda", "opencl");
                    break;
            }
        }
        foreach (var subcommand in command.Subcommands)
        {
            AddTo(subcommand);
        }
    }

    /// <summary>The examples of all families, and the prefixes of those that need a file or a program.</summary>
    private static IEnumerable<string> Environments() => Catalog.Environments.SelectMany(family => family.Examples.Count > 0 ? family.Examples
        : family.Pattern.Contains(':') ? [family.Pattern[..(family.Pattern.IndexOf(':') + 1)]] : []);

    /// <summary>"name=" of every option; after "name=", the values of that option.</summary>
    private static IEnumerable<string> Settings(CompletionContext context)
    {
        string? algorithm = context.ParseResult.GetValue<string?>("algorithm");
        if (Catalog.Algorithms.All(known => known.Name != algorithm))
        {
            algorithm = Catalog.Algorithms[0].Name;
        }
        var configuration = RunConfiguration.Of(algorithm!, context.ParseResult.GetValue<string?>("--env") ?? "");
        OptionListing[] options = [.. configuration.ListOptions(), .. configuration.ListTraining()];
        string word = context.WordToComplete;
        int equals = word.IndexOf('=');
        if (equals < 0)
        {
            return options.Select(option => $"{option.Name}=");
        }
        var named = options.FirstOrDefault(option => option.Name == word[..equals]);
        IEnumerable<string> values = named is null ? [] : named.Value is "true" or "false" ? ["true", "false"] : named.AllowedValues;
        return values.Select(value => $"{word[..equals]}={value}");
    }

    /// <summary>The runs, policies and folders in the folder of the word, and the runs in "runs".</summary>
    private static IEnumerable<string> Runs(CompletionContext context)
    {
        string word = context.WordToComplete, folder = word[..(word.LastIndexOf('/') + 1)];
        return In(folder).Concat(folder.Length == 0 ? In("runs/") : []);

        static IEnumerable<string> In(string folder)
        {
            string path = folder.Length == 0 ? "." : folder;
            if (!Directory.Exists(path))
            {
                return [];
            }
            var folders = Directory.EnumerateDirectories(path).Select(directory => (Name: folder + Path.GetFileName(directory), Run: new RunFolder(directory)));
            return folders.Select(child => File.Exists(child.Run.Configuration) ? child.Name : $"{child.Name}/")
                .Concat(Directory.EnumerateFiles(path, "*.safetensors").Select(file => folder + Path.GetFileName(file)));
        }
    }
}
