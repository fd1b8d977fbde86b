using System.Reflection;
using System.Xml.Linq;
using Marl.Native.Bench.House;

namespace Marl.Native.Tests.Docs;

/// <summary>The examples of the XML documentation compile, and the types that a user starts from have one.</summary>
public sealed class ExampleTests
{
    /// <summary>The types that a user starts from, by package.</summary>
    private static readonly Dictionary<string, string[]> EntryTypes = new()
    {
        ["Marl.Native.Tensor"] = ["Marl.Native.Tensor", "Marl.Native.Device", "Marl.Native.Rng"],
        ["Marl.Native.Autodiff"] = ["Marl.Native.Tape", "Marl.Native.Var", "Marl.Native.ParameterLayout", "Marl.Native.Parameters", "Marl.Native.InferenceWeights"],
        ["Marl.Native.Nn"] =
        [
            "Marl.Native.Nn.Linear", "Marl.Native.Nn.Gru", "Marl.Native.Nn.Mlp", "Marl.Native.Nn.Adam", "Marl.Native.Nn.Optimizer", "Marl.Native.Nn.GradientClip",
            "Marl.Native.Nn.Checkpoint", "Marl.Native.Nn.Safetensors",
        ],
        ["Marl.Native"] =
        [
            "Marl.Native.Rl.Trainer", "Marl.Native.Rl.TrainingOptions", "Marl.Native.Rl.TrainingProgress", "Marl.Native.Rl.TrainingSummary",
            "Marl.Native.Rl.Policy", "Marl.Native.Rl.RunConfiguration", "Marl.Native.Rl.Catalog", "Marl.Native.Rl.AlgorithmOptions", "Marl.Native.Rl.Objective",
            "Marl.Native.Rl.Exploration",
            "Marl.Native.Rl.IEnvironment", "Marl.Native.Rl.EnvironmentSpec", "Marl.Native.Rl.EnvironmentChecker", "Marl.Native.Rl.ExternalEnvironment",
            "Marl.Native.Rl.MatrixGame", "Marl.Native.Rl.IRenderable", "Marl.Native.Rl.Column", "Marl.Native.Rl.Episode", "Marl.Native.Rl.EpisodeBatch",
            "Marl.Native.Rl.NetworkInput", "Marl.Native.Rl.NetworkOptions", "Marl.Native.Rl.MixerOptions",
        ],
        ["Marl.Native.Gpu"] = ["Marl.Native.Gpu.GpuDevices"],
    };

    public static TheoryData<string, string> Types
    {
        get
        {
            var types = new TheoryData<string, string>();
            foreach (var (assembly, names) in EntryTypes)
            {
                Array.ForEach(names, name => types.Add(assembly, name));
            }
            return types;
        }
    }

    /// <summary>Every example of every package: the member and the index of the example.</summary>
    public static TheoryData<string, string, int> Examples
    {
        get
        {
            var examples = new TheoryData<string, string, int>();
            foreach (string assembly in Rooms.Packages.Select(package => package.Assembly).Where(assembly => File.Exists(PathOf(assembly))))
            {
                foreach (var member in Members(assembly))
                {
                    for (int index = 0; index < CodeOf(member).Count(); index++)
                    {
                        examples.Add(assembly, Name(member), index);
                    }
                }
            }
            return examples;
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void ATypeThatAUserStartsFromHasAnExample(string assembly, string type)
    {
        Assert.NotNull(Assembly.Load(assembly).GetType(type));
        int lines = CodeOf(Member(assembly, "T:" + type)).Sum(code => code.Split('\n').Length);
        Assert.InRange(lines, 2, 16);
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void AnExampleCompiles(string assembly, string member, int index)
    {
        string code = CodeOf(Member(assembly, member)).ElementAt(index);
        string[] errors = SnippetCompiler.Errors(code);
        Assert.True(errors.Length == 0, $"{member}:\n{code}\n\n{string.Join('\n', errors)}");
    }

    [Theory]
    [InlineData("var tape = new Tape();\nusing (tape.Step())\n{\n    float x = tape.Constant(2f).Value.ToScalar();\n}", true)]
    [InlineData("public sealed class Mine : List<Tensor>;", true)]
    [InlineData("var tape = new Tape();\ntape.NoSuchMethod();", false)]
    [InlineData("public sealed class Mine : NoSuchType;", false)]
    public void OnlyCodeWithoutErrorsCompiles(string code, bool compiles) => Assert.Equal(compiles, SnippetCompiler.Errors(code).Length == 0);

    private static string PathOf(string assembly) => Path.Combine(AppContext.BaseDirectory, assembly + ".xml");

    private static IEnumerable<XElement> Members(string assembly) => XDocument.Load(PathOf(assembly), LoadOptions.PreserveWhitespace).Descendants("member");

    private static XElement Member(string assembly, string name) => Members(assembly).Single(member => Name(member) == name);

    private static string Name(XElement member) => member.Attribute("name")!.Value;

    /// <summary>The code blocks of a member's examples, without the indentation of the XML file.</summary>
    private static IEnumerable<string> CodeOf(XElement member) => member.Elements("example").Elements("code").Select(code =>
    {
        string[] lines = [.. code.Value.Split('\n').Where(line => !string.IsNullOrWhiteSpace(line))];
        int indent = lines.Min(line => line.Length - line.TrimStart().Length);
        return string.Join('\n', lines.Select(line => line[indent..].TrimEnd()));
    });
}
