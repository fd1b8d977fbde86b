using System.CommandLine;

namespace Marl.Native.Cli.Commands;

/// <summary>marl adapter: what makes a Python environment a program for --env-cmd.</summary>
internal static class AdapterCommand
{
    public static Command Create()
    {
        Command command = new("adapter", "Print the Python module for --env-cmd: marl adapter > marl_env.py");
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
