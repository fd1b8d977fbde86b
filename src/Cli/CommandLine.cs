using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Diagnostics.CodeAnalysis;
using Marl.Native.Cli.Commands;
using Marl.Native.Cli.Completion;
using Marl.Native.Rl;

namespace Marl.Native.Cli;

/// <summary>From the words of a command line to a command, and from whatever goes wrong to a line on stderr and an exit code.</summary>
internal static class CommandLine
{
    private const string Name = "marl";

    /// <summary>Does what is asked for.</summary>
    /// <returns>see <see cref="ExitCode"/>.</returns>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The command is not trimmed.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "The command is compiled at run time.")]
    public static int Run(string[] args)
    {
        try
        {
            var load = CommonOptions.Load();
            var parsed = CreateRoot(load).Parse(args, new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
            bool completes = parsed.Tokens is [{ Type: TokenType.Directive }, ..];
            if (!completes && parsed.Action is not HelpWithExamples)
            {
                RefuseMistakes(parsed, load);
            }
            foreach (string library in parsed.GetValue(load) ?? [])
            {
                Catalog.Load(library);
            }
            // Signals are the business of the commands that have something to save.
            return parsed.Invoke(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception e)
        {
            var (code, problem) = e switch
            {
                UsageException => (ExitCode.Usage, e.Message),
                DivergedException => (ExitCode.Diverged, e.Message),
                IOException or UnauthorizedAccessException or InvalidDataException or EnvironmentException or DeviceException
                    => (ExitCode.Failed, e.Message),
                InsufficientMemoryException => (ExitCode.Failed, $"there is not enough memory: {e.Message}"),
                OutOfMemoryException => (ExitCode.Failed, "there is not enough memory"),
                _ => (ExitCode.Failed, $"unexpected {e.GetType().Name}: {e.Message}"),
            };
            Console.Error.WriteLine($"marl: {problem.ReplaceLineEndings(" ")}");
            return code;
        }
    }

    /// <summary>The command and all commands below it.</summary>
    internal static RootCommand CreateRoot(Option<string[]> load)
    {
        RootCommand root = new("""
            Multi-agent reinforcement learning: train, evaluate, watch and resume policies.

            Start with:  marl list
                         marl train ia2c --env lbf:8x8-2p-2f-coop --set agent=mlp hidden=64 learningRate=0.001

            Exit codes: 0 done; 1 a file, the machine or an environment failed; 2 something was asked for that does not exist;
            3 training diverged, with --seeds of one seed at least; 129, 130 or 143 stopped by SIGHUP, Ctrl-C or SIGTERM, after saving a checkpoint.
            """)
        {
            TrainCommand.Create(),
            ResumeCommand.Create(),
            EvalCommand.Create(),
            PlayCommand.Create(),
            ListCommand.Create(),
            AdapterCommand.Create(),
            DoctorCommand.Create(),
            CompletionCommand.Create(),
            load,
        };
        HelpWithExamples help = new();
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        root.Options.Add(new HelpOption("--help", ["-h"]) { Action = help });
        root.SetAction(help.Invoke);
        CompletionSources.AddTo(root);
        return root;
    }

    /// <summary>The parser's own report is a page of help; a person who mistyped a word wants the word.</summary>
    /// <exception cref="UsageException">the first mistake, with the nearest word that exists.</exception>
    private static void RefuseMistakes(ParseResult parsed, Option load)
    {
        var place = parsed.CommandResult;
        var command = place.Command;
        string help = $"{PathOf(place)} --help";
        if (command.Subcommands.Count > 0 && parsed.UnmatchedTokens.FirstOrDefault() is { } verb && !verb.StartsWith('-'))
        {
            throw UsageException.Unknown("command", verb, command.Subcommands.Where(known => !known.Hidden).Select(known => known.Name), help);
        }
        // A misspelt option is taken for an argument where there is room for one.
        var words = place.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value);
        if (words.Concat(parsed.UnmatchedTokens).FirstOrDefault(word => word.StartsWith('-')) is { } option)
        {
            throw UsageException.Unknown("option", option, command.Options.Append(load).Select(known => known.Name), help);
        }
        // An option without its value takes the next one for it.
        var given = place.Children.OfType<OptionResult>();
        if (given.FirstOrDefault(one => one.Tokens.Any(token => token.Value.StartsWith("--"))) is { } greedy)
        {
            throw new UsageException($"option '{greedy.Option.Name}' needs a value");
        }
        foreach (var symbol in place.Children.Where(child => child.Tokens.Any(token => token.Value.Length == 0)))
        {
            throw new UsageException($"{(symbol is OptionResult empty ? $"option '{empty.Option.Name}'" : $"<{((ArgumentResult)symbol).Argument.Name}>")} cannot be empty");
        }
        if (parsed.UnmatchedTokens.FirstOrDefault() is { } word)
        {
            throw new UsageException($"'{word}' is one word too many; see {help}");
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

    /// <summary>"marl list options"</summary>
    private static string PathOf(CommandResult place)
        => place.Parent is CommandResult parent ? $"{PathOf(parent)} {place.Command.Name}" : Name;
}
