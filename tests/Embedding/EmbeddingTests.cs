using Marl.Native.Nn;

namespace Marl.Native.Tests;

/// <summary>The examples of the documents do what is said of them. That the documents show this code is held by <see cref="Docs.SnippetTests"/>.</summary>
public sealed class EmbeddingTests
{
    [Fact]
    public void TheExampleLearnsSavesLoadsAndActs()
    {
        try
        {
            Assert.InRange(Example.Quickstart.Run(), 0.95, 1.0);
        }
        finally
        {
            File.Delete("rendezvous.safetensors");
        }
    }

    [Fact]
    public void TheReadmesExampleLearnsAndActs()
    {
        try
        {
            Assert.InRange(Example.ReadmeExample.Run(), 0.5, 1.0);
        }
        finally
        {
            File.Delete("agents.safetensors");
        }
    }

    [Fact]
    public void ThePackagesExamplesComputeAndLearn()
    {
        Assert.All(Example.PackageExamples.TensorPackage(), sum => Assert.InRange(sum, 0.5f, 4f));
        Assert.All(Example.PackageExamples.AutodiffPackage(), x => Assert.Equal(1f, x, 0.01f));
        try
        {
            Assert.InRange(Example.PackageExamples.MarlPackage(), 0.9, 1.0);
        }
        finally
        {
            File.Delete("foraging.safetensors");
        }
    }

    [Fact]
    public void ATrainedPolicyIsKeptServedAndEvaluated()
    {
        using var folder = new TemporaryFolder();
        string file = folder["policy.safetensors"];
        Assert.True(Example.EmbeddingExamples.TrainInAProgram(file, default).Finished);
        Assert.InRange(Example.EmbeddingExamples.Evaluate(file), 0.5, 1);
        var (first, then) = Example.EmbeddingExamples.KeepARun(folder["run"]);
        Assert.InRange(first, 1_000, 1_015); // a round has 16 steps
        Assert.InRange(then, 2_000, 2_015);

        // Sessions on many threads: each gets what a policy gets that has the session to itself.
        var service = new Example.ActingService(file);
        float[][] observations = [.. Enumerable.Range(0, 5).Select(goal => new[] { 0f, 4, goal, 4, 0, -1 })];
        int[][] Together(int goal) => [.. Enumerable.Range(0, 10).Select(_ => service.Act((ulong)goal, observations[goal]))];
        int[][][] actions = [.. Enumerable.Range(0, 5).AsParallel().AsOrdered().Select(Together)];
        var alone = new Example.ActingService(file);
        Assert.All(Enumerable.Range(0, 5), goal => Assert.Equal(Enumerable.Range(0, 10).Select(_ => alone.Act((ulong)goal, observations[goal])), actions[goal]));
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
}
