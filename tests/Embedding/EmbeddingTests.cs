using System.Text.RegularExpressions;
using Marl.Native.Nn;

namespace Marl.Native.Tests;

/// <summary>The examples of the README and of docs/engine.md: the code there is the code compiled here, and it learns.</summary>
public sealed partial class EmbeddingTests
{
    [Fact]
    public void TheExampleLearnsSavesLoadsAndActs()
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            Assert.InRange(Example.Quickstart.Run(file), 0.95, 1.0);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void TheReadmeShowsTheExample()
    {
        string readme = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "README.md"));
        string example = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Example.cs"));
        Assert.Contains("```csharp\n" + example.Trim() + "\n```", readme, StringComparison.Ordinal);
        Assert.InRange(example.Trim().Split('\n').Length, 10, 40);
    }

    [Fact]
    public void TheEnginePageShowsCodeThatIsCompiled()
    {
        string page = Read("engine.md");
        string[] snippets = [.. Snippet().Matches(page).Select(match => match.Groups[1].Value)];
        Assert.StartsWith(Read("Xor.cs").Trim(), snippets[0], StringComparison.Ordinal);
        string code = Lines(Read("EngineExamples.cs"));
        Assert.All(snippets[1..], snippet => Assert.Contains(Lines(snippet), code, StringComparison.Ordinal));
        Assert.InRange(snippets.Length, 8, 20);
    }

    [Fact]
    public void TheEnginePagesExamplesRun()
    {
        Assert.InRange(Example.Xor.Train(), 0f, 1e-3f);
        var (points, labels) = Example.EngineExamples.Clusters(300, new Rng(1));
        var (testPoints, testLabels) = Example.EngineExamples.Clusters(300, new Rng(2));
        Assert.InRange(Example.EngineExamples.Classify(points, labels, testPoints, testLabels), 0.97f, 1f);
        Assert.Equal([3f, 40f], Example.EngineExamples.Tensors());
        var (value, gradient) = Example.EngineExamples.CustomOps(Tensor.Of([1f, -1f, 3f, 0f], 2, 2));
        Assert.Equal([0.5f, 0.75f, -0.5f, 0f], value);
        Assert.Equal([0.25f, 0.25f, 0.0625f, 1f], gradient);
    }

    [Fact]
    public void TheEnginePagesPartsDoWhatTheySay()
    {
        var (layout, tape) = (new ParameterLayout(), new Tape());
        var network = new Mlp(layout, [3, 4, 2]);
        Parameters whole = new Parameters(layout).Initialize(new Rng(1)), parts = new Parameters(layout).Initialize(new Rng(1));
        var rule = new Sgd { LearningRate = 0.5 };
        var (rng, optimizer) = (new Rng(3), new Optimizer(parts, rule));
        var x = Noise.Of(ref rng, 4, 3);
        Var Loss(Weights w, Tensor rows) => network.Forward(w, w.Tape.Constant(rows)).Square().Mean();
        Example.EngineExamples.Accumulate(tape, whole, new Optimizer(whole, rule), Loss, [x]);
        Example.EngineExamples.Accumulate(tape, parts, optimizer, Loss, [x.Slice(0, 2), x.Slice(2, 2)]);
        Assert.All(whole.Values.ToArray().Zip(parts.Values.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));

        float[] before = whole.Values.ToArray();
        Example.EngineExamples.ClipAndSchedule(tape, whole, w => Loss(w, x));
        Assert.NotEqual(before, whole.Values.ToArray());
        using (tape.Step())
        {
            var labels = Example.EngineExamples.SoftLabels(tape, tape.Detached(whole), network, x, temperature: 2f);
            Assert.Equal(new Shape(4, 2), labels.Shape);
            Assert.All(labels.ToArray(), p => Assert.InRange(p, 0f, 1f));
            Assert.Equal(0f, Example.EngineExamples.Forward(tape, x, x[0], Tensor.Of([1f, 1f, 1f])).Value.ToScalar(), 10f);
        }
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            Example.EngineExamples.SaveAndLoad(parts, optimizer, file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Code without its indentation and empty lines.</summary>
    private static string Lines(string code)
        => string.Join('\n', code.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    private static string Read(string file) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, file));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Snippet();
}
