using System.CommandLine;

namespace Marl.Native.Cli.Commands;

/// <summary>marl adapter: prints the Python module that serves an environment to --env-cmd.</summary>
internal static class AdapterCommand
{
    public static Command Create()
    {
        ExampledCommand command = new("adapter", "Print the Python module that serves an environment with PettingZoo's parallel API to --env-cmd.",
            "marl adapter > marl_env.py",
            "marl train vdn --env-cmd \"python3 my_env.py\"");
        command.SetAction(_ =>
        {
            using var module = typeof(AdapterCommand).Assembly.GetManifestResourceStream("marl_env.py")!;
            using var output = Console.OpenStandardOutput();
            module.CopyTo(output);
            return ExitCode.Success;
        });
        return command;
    }
}
