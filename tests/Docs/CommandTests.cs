using System.Text.RegularExpressions;
using Marl.Native.Rl;
using Marl.Native.Tests.Cli;
using Marl.Native.Tests.External;

namespace Marl.Native.Tests.Docs;

/// <summary>
/// What a reader types works: the command lines of a document run in their order, in a folder that has the files which the document tells to write. Training is cut
/// to a few episodes. Of the tools that take long (tests, benchmarks, builds) only the files are looked for.
/// </summary>
public sealed partial class CommandTests : IDisposable
{
    /// <summary>Enough for a round of any environment; a resumed run has more than one that is begun.</summary>
    private const string NewSteps = "200", ResumedSteps = "20000";

    private static readonly string[] Long = ["git", "cd", "dotnet", "nvidia-smi"];

    private readonly TemporaryFolder folder = new();

    public static TheoryData<string> WithCommands => new(Document.All.Where(document => Commands(document).Any()).Select(document => document.Name));

    [PythonTheory]
    [MemberData(nameof(WithCommands))]
    public void TheCommandsOfADocumentRun(string name)
    {
        var document = Document.Of(name);
        foreach (string shared in new[] { "python", "samples", "results" })
        {
            Directory.CreateSymbolicLink(folder[shared], Path.Combine(Document.Root, shared));
        }
        foreach (var block in document.Blocks.Where(block => block.Name.Length > 0))
        {
            File.WriteAllText(folder[block.Name], block.Text);
        }
        Assert.All(Commands(document), Run);
    }

    [Theory]
    [MemberData(nameof(Document.Names), MemberType = typeof(Document))]
    public void EveryOptionThatADocumentNamesExists(string name)
    {
        var settings = Document.Of(name).Code.Where(code => Settings().IsMatch(code)).SelectMany(code => code.Split(' ')).Select(setting => setting.Split('=')[0]);
        Assert.DoesNotContain(settings, setting => !OptionNames.Value.Contains(setting));
    }

    /// <summary>Complete, shortened to what follows a dot, and of every part that an option can be.</summary>
    private static readonly Lazy<HashSet<string>> OptionNames = new(() =>
    {
        var names = new HashSet<string>();
        foreach (var algorithm in Catalog.Algorithms)
        {
            var defaults = RunConfiguration.Of(algorithm.Name, "");
            Add(defaults);
            foreach (var option in defaults.ListOptions().Where(option => !option.Name.Contains('.')))
            {
                foreach (string word in option.AllowedValues)
                {
                    Add(RunConfiguration.Of(algorithm.Name, "", null, [$"{option.Name}={word}"]));
                }
            }
        }
        return names;

        void Add(RunConfiguration configuration)
        {
            foreach (var option in configuration.ListOptions().Concat(configuration.ListTraining()))
            {
                names.Add(option.Name);
                names.Add(option.Name[(option.Name.LastIndexOf('.') + 1)..]);
            }
        }
    });

    public void Dispose() => folder.Dispose();

    /// <summary>The lines of blocks, and whole commands of training in the text.</summary>
    private static IEnumerable<ShellLine> Commands(Document document)
        => document.Blocks.Where(block => block.Language is "sh" or "").Select(block => block.Text)
            .Concat(document.Code.Where(code => WholeCommand().IsMatch(code))).SelectMany(ShellLine.Of);

    private void Run(ShellLine line)
    {
        string[] words = [.. line.Words.SkipWhile(word => Variable().IsMatch(word))];
        switch (words)
        {
            case ["marl", .. var arguments]:
                RunMarl(line, arguments);
                break;
            case ["dotnet", "run", "-c", "Release", "--project", "src/Cli", "--", .. var arguments]:
                RunMarl(line, arguments);
                break;
            case [var program, ..] when Long.Contains(program) || program.Contains('/') || program == "python3":
                var files = words.Where(word => word.Contains('/') && !word.StartsWith('-') && !word.Contains("bin/", StringComparison.Ordinal)
                    && !word.Contains("artifacts", StringComparison.Ordinal) && !$"{word}/".Contains("runs/", StringComparison.Ordinal) && !word.Contains("://", StringComparison.Ordinal));
                Assert.All(files, file => Assert.True(Path.Exists(Path.Combine(Document.Root, file)), $"{line.Text}: there is no {file}"));
                break;
            default:
                Assert.Fail($"'{line.Text}' is no command that a test can judge");
                break;
        }
    }

    private void RunMarl(ShellLine line, string[] arguments)
    {
        var outcome = Variable().IsMatch(line.Words[0]) ? MarlProcess.RunWith(line.Words[0], folder.Path, Shortened(arguments)) : MarlProcess.Run(folder.Path, Shortened(arguments));
        Assert.True(outcome.Code == 0, $"{line.Text}\nends with {outcome.Code}: {outcome.Error}");
        if (line.Output is { } file)
        {
            File.WriteAllText(folder[file], outcome.Output);
        }
    }

    /// <summary>The same command with few steps, episodes and environments, on the CPU, with libraries from the folder of the tests.</summary>
    private static string[] Shortened(string[] arguments)
    {
        List<string> words = [.. arguments.Select(word => word.EndsWith(".dll", StringComparison.Ordinal) ? Path.Combine(AppContext.BaseDirectory, Path.GetFileName(word)) : word)];
        string? command = words.Find(word => !word.StartsWith('-') && !word.EndsWith(".dll", StringComparison.Ordinal));
        if (command is "train" or "resume")
        {
            Replace("--steps", command == "train" ? NewSteps : ResumedSteps, always: command == "train");
            Replace("--device", "cpu", always: false);
            // A round has at most that many steps.
            words = [.. words.Select(word => ManyEnvironments().IsMatch(word) ? "environments=4" : word)];
        }
        if (command == "train")
        {
            words.AddRange(["--set", "evaluationEpisodes=1"]);
        }
        // The project's results take days.
        if (command == "sweep" && words.Exists(word => word.StartsWith("results/", StringComparison.Ordinal)))
        {
            words.Add("--dry-run");
        }
        Replace("--episodes", "2", always: command == "eval");
        return [.. words];

        void Replace(string option, string value, bool always)
        {
            int at = words.IndexOf(option);
            if (at >= 0)
            {
                words[at + 1] = value;
            }
            else if (always)
            {
                words.AddRange([option, value]);
            }
        }
    }

    [GeneratedRegex(@"^environments=\d{3,}$")]
    private static partial Regex ManyEnvironments();

    [GeneratedRegex(@"^[a-z][A-Za-z]*(\.[a-z][A-Za-z]*)?=\S+( [a-z][A-Za-z]*(\.[a-z][A-Za-z]*)?=\S+)*$")]
    private static partial Regex Settings();

    [GeneratedRegex(@"^marl train (?!.*(<|\.\.)).* --env ")]
    private static partial Regex WholeCommand();

    [GeneratedRegex("^[A-Za-z_][A-Za-z_0-9]*=")]
    private static partial Regex Variable();
}
