using System.CommandLine;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl completion: a script by which a shell completes command lines. It asks marl itself: marl "[suggest:8]" "marl trai".</summary>
internal static class CompletionCommand
{
    // What a shell is called, and the ending of its script.
    private static readonly (string Shell, string Ending)[] Shells = [("bash", "bash"), ("zsh", "zsh"), ("pwsh", "ps1")];

    public static Command Create()
    {
        string[] names = [.. Shells.Select(known => known.Shell)];
        Argument<string> shell = new("shell") { HelpName = string.Join('|', names), Description = "the shell" };
        shell.CompletionSources.Add(names);
        ExampledCommand command = new("completion", "Print a script that completes commands, options, algorithms, environments, settings and runs in a shell.",
            "source <(marl completion bash)",
            "source <(marl completion zsh)",
            "marl completion pwsh | Out-String | Invoke-Expression")
        {
            shell,
        };
        command.SetAction(parsed =>
        {
            string name = parsed.GetRequiredValue(shell);
            string ending = Shells.FirstOrDefault(known => known.Shell == name).Ending ?? throw UsageException.Unknown("shell", name, names);
            using var script = typeof(CompletionCommand).Assembly.GetManifestResourceStream($"marl.{ending}")!;
            using var output = Console.OpenStandardOutput();
            script.CopyTo(output);
            return ExitCode.Success;
        });
        return command;
    }
}
