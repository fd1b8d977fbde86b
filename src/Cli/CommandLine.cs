using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Diagnostics.CodeAnalysis;
using Marl.Native.Cli.Commands;
using Marl.Native.Cli.Completion;
using Marl.Native.Rl;

namespace Marl.Native.Cli;

/// <summary>Parses a command line and runs its command. An error is one line on the standard error, and an exit code.</summary>
internal static class CommandLine
{
    private const string Name = "marl";

    /// <summary>Runs the command of a command line.</summary>
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The command is not trimmed.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "The command is compiled at run time.")]
    public static int Run(string[] args)
    {
        try
        {
            var load = CommonOptions.Load();
            if (args is ["help", .. var rest])
            {
                args = [.. rest, "--help"];
            }
            var parsed = CreateRoot(load).Parse(args, new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
            bool completes = parsed.Tokens is [{ Type: TokenType.Directive }, ..];
            if (!completes && parsed.Action is not HelpWithExamples)
            {
                ThrowOnErrors(parsed, load);
            }
            foreach (string library in parsed.GetValue(load) ?? [])
            {
                Catalog.Load(library);
            }
            // Commands that save their state handle signals themselves.
            return parsed.Invoke(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception e)
        {
            e = e is TypeInitializationException { InnerException: { } inner } ? inner : e;
            var (code, problem) = e switch
            {
                FileNotFoundException { FileName: { } assembly } when assembly.Contains("PublicKeyToken=", StringComparison.Ordinal)
                    => (ExitCode.Failed, $"'{assembly.Split(',')[0]}' of the runtime cannot be loaded; there may be too few file descriptors (ulimit -n)"),
                UsageException => (ExitCode.Usage, e.Message),
                DivergedException => (ExitCode.Diverged, e.Message),
                IOException or UnauthorizedAccessException or InvalidDataException or EnvironmentException or DeviceException
                    => (ExitCode.Failed, e.Message),
                InsufficientMemoryException => (ExitCode.Failed, $"out of memory: {e.Message}"),
                OutOfMemoryException => (ExitCode.Failed, "out of memory"),
                _ => (ExitCode.Failed, $"unexpected {e.GetType().Name}: {e.Message}"),
            };
            Terminal.WriteError(problem);
            return code;
        }
    }

    /// <summary>Returns the root command with all its subcommands.</summary>
    internal static RootCommand CreateRoot(Option<string[]> load)
    {
        RootCommand root = new("""
            Multi-agent reinforcement learning: train, evaluate, watch and resume policies.

            Start with:  marl list
                         marl train ia2c --env lbf:8x8-2p-2f-coop --steps 2e6 --set agent=mlp hidden=64 learningRate=0.001

            Exit codes: 0 success; 1 a file, device, environment or the machine failed; 2 invalid arguments; 3 training diverged (a sweep: of at
            least one run; 1 if one failed otherwise); 129, 130 or 143 stopped by SIGHUP, Ctrl-C or SIGTERM after saving a checkpoint.
            """)
        {
            TrainCommand.Create(),
            SweepCommand.Create(),
            ResumeCommand.Create(),
            EvalCommand.Create(),
            PlayCommand.Create(),
            ListCommand.Create(),
            AdapterCommand.Create(),
            DoctorCommand.Create(),
            CompletionCommand.Create(),
            WorkerCommand.Create(),
            load,
        };
        HelpWithExamples help = new();
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        root.Options.Add(new HelpOption("--help", ["-h"]) { Action = help });
        root.SetAction(help.Invoke);
        CompletionSources.AddTo(root);
        return root;
    }

    /// <summary>Reports the first error of a command line in one line, where the parser would print the help.</summary>
    /// <exception cref="UsageException">The command line has an error; the message suggests the most similar name that exists.</exception>
    private static void ThrowOnErrors(ParseResult parsed, Option load)
    {
        var result = parsed.CommandResult;
        var command = result.Command;
        string help = $"{PathOf(result)} --help";
        if (command.Subcommands.Count > 0 && parsed.UnmatchedTokens.FirstOrDefault() is { } verb && !verb.StartsWith('-'))
        {
            throw UsageException.Unknown("command", verb, command.Subcommands.Where(known => !known.Hidden).Select(known => known.Name), help);
        }
        // The parser takes a misspelled option for an argument if the command accepts one.
        var words = result.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value);
        // And for a value of an option that takes several.
        string[] names = [.. command.Options.Append(load).Select(known => known.Name)];
        var values = result.Children.OfType<OptionResult>().Where(taker => taker.Option.AllowMultipleArgumentsPerToken).SelectMany(taker => taker.Tokens)
            .Select(token => token.Value).Except(names);
        if (words.Concat(parsed.UnmatchedTokens).Concat(values).FirstOrDefault(word => word.StartsWith('-')) is { } option)
        {
            if (SettingOf(option, parsed) is { } setting)
            {
                throw new UsageException($"unknown option '{option}'; use --set {setting}");
            }
            throw UsageException.Unknown("option", option, names, help);
        }
        // The parser takes the next option for the value of an option without one.
        var options = result.Children.OfType<OptionResult>();
        if (options.FirstOrDefault(option => option.Tokens.Any(token => token.Value.StartsWith("--"))) is { } incomplete)
        {
            throw new UsageException($"option '{incomplete.Option.Name}' needs a value");
        }
        foreach (var symbol in result.Children.Where(child => child.Tokens.Any(token => token.Value.Length == 0)))
        {
            throw new UsageException($"{(symbol is OptionResult empty ? $"option '{empty.Option.Name}'" : $"<{((ArgumentResult)symbol).Argument.Name}>")} cannot be empty");
        }
        if (parsed.UnmatchedTokens.FirstOrDefault() is { } word)
        {
            throw new UsageException($"unexpected argument '{word}'; see {help}");
        }
        if (parsed.Errors.FirstOrDefault() is { } error)
        {
            throw new UsageException(error.SymbolResult switch
            {
                OptionResult { Tokens.Count: 0 } empty => $"option '{empty.Option.Name}' needs a value",
                OptionResult { IdentifierTokenCount: > 1 } twice => $"option '{twice.Option.Name}' is given more than once",
                ArgumentResult { Tokens.Count: 0 } missing => $"<{missing.Argument.Name}> is missing; see {help}",
                _ => error.Message,
            });
        }
    }

    /// <summary>Returns the setting "hidden=32" of the unknown option "--hidden 32"; null if training and the algorithm have no such option.</summary>
    private static string? SettingOf(string option, ParseResult parsed)
    {
        var result = parsed.CommandResult;
        if (result.Command.Options.All(known => known.Name != "--set"))
        {
            return null;
        }
        string[] words = [.. parsed.Tokens.Select(token => token.Value)], parts = option.TrimStart('-').Split('=', 2);
        var algorithm = Catalog.Algorithms.FirstOrDefault(known => words.Contains(known.Name)) ?? Catalog.Algorithms[0];
        var defaults = RunConfiguration.Of(algorithm.Name, "");
        string? name = defaults.ListOptions().Concat(defaults.ListTraining()).Select(known => known.Name)
            .FirstOrDefault(known => known.Equals(parts[0].Replace("-", ""), StringComparison.OrdinalIgnoreCase));
        string? next = words.SkipWhile(word => word != option).Skip(1).FirstOrDefault();
        return name is null ? null : $"{name}={(parts.Length > 1 ? parts[1] : next is null || next.StartsWith('-') ? "<value>" : next)}";
    }

    /// <summary>Returns the names of a command and its parents: "marl list options".</summary>
    private static string PathOf(CommandResult result)
        => result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : Name;
}
