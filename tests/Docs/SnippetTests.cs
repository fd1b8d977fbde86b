using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Marl.Native.Cli.Sweeps;
using Marl.Native.Rl;
using Marl.Native.Tests.Cli;
using Marl.Native.Tests.External;

namespace Marl.Native.Tests.Docs;

/// <summary>The code of the documents: C# is compiled here, Python is parsed, JSON is read by what it is for; and tables of names are complete.</summary>
public sealed partial class SnippetTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    /// <summary>What is compiled with the tests, and run by them.</summary>
    private static readonly Lazy<Code[]> Compiled = new(() =>
    [
        .. new[] { "tests/Embedding", "samples/Regression", "samples/OwnEnvironment", "samples/OwnAlgorithm", "samples/GameLoop" }
            .SelectMany(source => Directory.EnumerateFiles(Path.Combine(Document.Root, source), "*.cs")).Select(file => Code.Of(File.ReadAllText(file))),
    ]);

    [Theory]
    [MemberData(nameof(Document.Names), MemberType = typeof(Document))]
    public void EveryBlockIsOfALanguageThatIsChecked(string name)
        => Assert.All(Document.Of(name).Blocks, block => Assert.Contains(block.Language, new[] { "csharp", "python", "json", "sh", "text", "xml", "" }));

    [Theory]
    [MemberData(nameof(Document.Names), MemberType = typeof(Document))]
    public void CSharpIsCodeThatIsCompiled(string name)
        => Assert.All(Blocks(name, "csharp"), block => Assert.Contains(Compiled.Value, Code.Of(block.Text).IsPartOf));

    [PythonTheory]
    [MemberData(nameof(Document.Names), MemberType = typeof(Document))]
    public void PythonIsParsed(string name)
        => Assert.All(Blocks(name, "python"), block =>
        {
            using var python = Process.Start(new ProcessStartInfo("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"]) { RedirectStandardInput = true })!;
            python.StandardInput.Write(block.Text);
            python.StandardInput.Close();
            python.WaitForExit();
            Assert.Equal(0, python.ExitCode);
        });

    [Theory]
    [MemberData(nameof(Document.Names), MemberType = typeof(Document))]
    public void JsonIsReadByWhatItIsFor(string name)
        => Assert.All(Blocks(name, "json"), block =>
        {
            var json = JsonNode.Parse(block.Text)!.AsObject();
            if (json.ContainsKey("weightsSha256"))
            {
                Assert.Equal(Summary().ToJson().Select(property => property.Key), json.Select(property => property.Key));
            }
            else if (json.ContainsKey("algorithm"))
            {
                RunConfiguration.Parse(block.Text);
            }
            else if (json.ContainsKey("environments"))
            {
                File.WriteAllText(folder["sweep.json"], block.Text);
                Assert.NotEmpty(SweepFile.Read(folder["sweep.json"], folder["runs"]));
            }
            else if (json.ContainsKey("payoff") || json.ContainsKey("payoffs"))
            {
                File.WriteAllText(folder["game.json"], block.Text);
                Assert.Empty(EnvironmentChecker.Check(() => Catalog.CreateEnvironment($"matrix:{folder["game.json"]}")));
            }
            else
            {
                // The header of a policy.
                var policy = json["__metadata__"]!["policy"]!.GetValue<string>();
                Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(policy).RootElement.ValueKind);
            }
        });

    [Fact]
    public void TheExchangeOfTheProtocolIsUnderstood()
    {
        string[] lines = Document.Of("docs/protocol.md").Blocks.Single(block => block.Text.StartsWith("> ", StringComparison.Ordinal)).Text.Split('\n');
        string[] Of(char side) => [.. lines.Where(line => line.StartsWith(side)).Select(line => line[2..])];
        using var script = new Script(Of('<'));
        using var environment = script.Begin();
        var (rng, rewards) = (new Rng(1), new double[2]);
        environment.Reset(ref rng);
        Assert.Equal(StepResult.Running, environment.Step([2, 0], rewards, ref rng));
        Assert.Equal(StepResult.Terminated, environment.Step([2, 1], rewards, ref rng));
        Assert.Equal([0.5, 0.5], rewards);
        Assert.Equal(Of('>').Select(WithoutSeed), script.Asked.Select(WithoutSeed));

        static string WithoutSeed(string line) => Seed().Replace(line, "");
    }

    [Fact]
    public void TheFilesPageHasEveryColumnOfTheMetrics()
    {
        var named = Document.Of("docs/file-formats.md").Code.ToHashSet();
        foreach (var algorithm in Catalog.Algorithms)
        {
            string[] small = ["steps=4", "environments=1", "evaluationEpisodes=1", "hidden=4", "threads=1"];
            using var trainer = new Trainer(RunConfiguration.Of(algorithm.Name, "two-step", null, small));
            trainer.Run(row => Assert.All(row.ToJson().Select(column => column.Key), column => Assert.Contains(column, named)));
        }
    }

    [Fact]
    public void TheCommandPageHasEveryCommandAndOption()
    {
        string page = Document.Of("docs/command-line.md").Text;
        string[] commands = [.. HelpCommand().Matches(Help().Split("Commands:")[1]).Select(match => match.Groups[1].Value)];
        Assert.InRange(commands.Length, 7, 20);
        foreach (string command in commands)
        {
            Assert.Contains($"## marl {command}\n", page, StringComparison.Ordinal);
            string section = page.Split($"## marl {command}\n")[1].Split("\n## ")[0];
            Assert.All(HelpOption().Matches(Help(command)).Select(match => match.Groups[1].Value).Except(["--help", "--load", "--version"]),
                option => Assert.Contains($"`{option}", section, StringComparison.Ordinal));
        }

        string Help(params string[] command) => MarlProcess.Run(folder.Path, [.. command, "--help"]).HasSucceeded().Output;
    }

    public void Dispose() => folder.Dispose();

    private static IEnumerable<Block> Blocks(string document, string language) => Document.Of(document).Blocks.Where(block => block.Language == language);

    private static TrainingSummary Summary()
    {
        var options = new IqlOptions { Hidden = 4 };
        return Trainer.Train(options, () => new TwoStepGame(), new() { Steps = 4, Environments = 1, EvaluationEpisodes = 1, Threads = 1 }).Summary;
    }

    [GeneratedRegex(@"^using [A-Z][\w.]*;$")]
    private static partial Regex Import();

    [GeneratedRegex(@"""seed"":\d+")]
    private static partial Regex Seed();

    [GeneratedRegex(@"^  ([a-z]+)(?: |$)", RegexOptions.Multiline)]
    private static partial Regex HelpCommand();

    [GeneratedRegex("^  (?:-[^-]+, )*(--[a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex HelpOption();

    /// <summary>C# without indentation and empty lines.</summary>
    /// <param name="Imports">Its using directives.</param>
    /// <param name="Lines">The rest.</param>
    private sealed record Code(IReadOnlySet<string> Imports, string Lines)
    {
        public static Code Of(string text)
        {
            string[] lines = text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            return new(lines.Where(line => Import().IsMatch(line)).ToHashSet(), string.Join('\n', lines.Where(line => !Import().IsMatch(line))));
        }

        public bool IsPartOf(Code file) => Imports.IsSubsetOf(file.Imports) && file.Lines.Contains(Lines, StringComparison.Ordinal);
    }
}
