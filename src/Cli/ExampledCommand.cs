using System.CommandLine;

namespace Marl.Native.Cli;

/// <summary>A command whose help ends with examples.</summary>
internal sealed class ExampledCommand(string name, string description, params IReadOnlyList<string> examples) : Command(name, description)
{
    /// <summary>The command lines that help shows.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;
}
