using System.CommandLine;
using Marl.Native.Cli;
using Marl.Native.Cli.Commands;
using MarlCommand = Marl.Native.Cli.CommandLine;

namespace Marl.Native.Tests.Cli;

/// <summary>Every command says what it does and how it is used, and its examples are right.</summary>
public sealed class HelpTests
{
    public static TheoryData<string> Commands => new(All(MarlCommand.CreateRoot(CommonOptions.Load()), "").Select(command => command.Path));

    [Theory]
    [MemberData(nameof(Commands))]
    public void HelpShowsDescriptionOptionsAndExamples(string path)
    {
        var command = Find(path);
        using var folder = new TemporaryFolder();
        string help = MarlProcess.Run(folder.Path, [.. path.Split(' '), "--help"]).HasSucceeded().Output;
        Assert.Contains(command.Description!, help, StringComparison.Ordinal);
        Assert.All(command.Options, option => Assert.Matches($@"\n  (-h, )?{option.Name}\b.* \w+", help));
        Assert.All(command.Arguments, argument => Assert.Contains(argument.Description!, help, StringComparison.Ordinal));
        Assert.NotEmpty(command.Examples);
        Assert.EndsWith($"Examples:\n{string.Concat(command.Examples.Select(example => $"  {example}\n"))}\n", help.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void ExamplesAreCommandLinesWithoutMistakes(string path)
    {
        Assert.All(Find(path).Examples, example =>
        {
            string line = example.Split('|', '>')[0].Replace("source <(", "", StringComparison.Ordinal).TrimEnd(' ', ')');
            Assert.StartsWith("marl ", line, StringComparison.Ordinal);
            var parsed = MarlCommand.CreateRoot(CommonOptions.Load()).Parse(line["marl ".Length..]);
            Assert.Empty(parsed.Errors);
            Assert.Empty(parsed.UnmatchedTokens);
        });
    }

    private static ExampledCommand Find(string path) => All(MarlCommand.CreateRoot(CommonOptions.Load()), "").Single(command => command.Path == path).Command;

    private static IEnumerable<(string Path, ExampledCommand Command)> All(Command parent, string prefix)
        => parent.Subcommands.Where(command => !command.Hidden).SelectMany(command => All(command, $"{prefix}{command.Name} ").Prepend(($"{prefix}{command.Name}", (ExampledCommand)command)));
}
