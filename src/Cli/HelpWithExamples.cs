using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Marl.Native.Cli;

/// <summary>Prints the help of a command, followed by its examples.</summary>
internal sealed class HelpWithExamples : SynchronousCommandLineAction
{
    private readonly HelpAction help = new();

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is ExampledCommand { Examples: var examples })
        {
            Console.Out.WriteLine("Examples:");
            foreach (string example in examples)
            {
                Console.Out.WriteLine($"  {example}");
            }
            Console.Out.WriteLine();
        }
        return code;
    }
}
