using System.CommandLine;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl completion: prints a script that completes command lines in a shell. The script asks marl for suggestions: marl "[suggest:8]" "marl trai".</summary>
internal static class CompletionCommand
{
    // The name of each shell and the extension of its script.
    private static readonly (string Shell, string Extension)[] Shells = [("bash", "bash"), ("zsh", "zsh"), ("pwsh", "ps1")];

    public static Command Create()
    {
        string[] names = [.. Shells.Select(known => known.Shell)];
        Argument<string> shell = new("shell") { HelpName = string.Join('|', names), Description = "the shell" };
        shell.CompletionSources.Add(names);
        ExampledCommand command = new("completion", "Print a shell script that completes commands, options, algorithms, environments, settings and runs.",
            "source <(marl completion bash)",
            "source <(marl completion zsh)",
            "marl completion pwsh | Out-String | Invoke-Expression")
        {
            shell,
        };
        command.SetAction(parsed =>
        {
            string name = parsed.GetRequiredValue(shell);
            string extension = Shells.FirstOrDefault(known => known.Shell == name).Extension ?? throw UsageException.Unknown("shell", name, names);
            using var script = typeof(CompletionCommand).Assembly.GetManifestResourceStream($"marl.{extension}")!;
            using var output = Console.OpenStandardOutput();
            script.CopyTo(output);
            return ExitCode.Success;
        });
        return command;
    }
}
