using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Options by name and in files, and records of one's own with properties of any type.</summary>
public sealed class OptionTests
{
    [Theory]
    [InlineData("mixer=qmix")]
    [InlineData("mixer.embed=8", "mixer=qmix")]
    public void ATypeThatAPartHasAlreadyKeepsWhatIsPublished(params string[] settings)
        => Assert.Equal(RunConfiguration.Of("qmix", "two-step").ToJson(), RunConfiguration.Parse("{}", "x", "qmix", "two-step", settings).ToJson());

    [Theory]
    [InlineData("""{"mixer.kernels": 5, "mixer": "qplex"}""")]
    [InlineData("""{"kernels": 5, "mixer": {"type": "qplex"}}""")]
    [InlineData("""{"mixer": {"kernels": 5, "type": "qplex"}}""")]
    public void TheOrderInAFileIsOfNoConsequence(string options)
        => Assert.Equal(RunConfiguration.Parse("{}", "x", "qmix", "two-step", "mixer=qplex", "kernels=5").ToJson(),
            RunConfiguration.Parse($$"""{"options": {{options}}}""", "x", "qmix", "two-step").ToJson());

    [Theory]
    [InlineData("qmix", """{"optim": {"type": "sgd"}}""", "unknown option 'optim'")]
    [InlineData("qmix", """{"optim": {}}""", "unknown option 'optim'")]
    [InlineData("qmix", """{"hidden": {"type": "gru"}}""", "option 'hidden' cannot be")]
    [InlineData("mappo", """{"layers": {"type": "gru"}}""", "option 'layers' is ambiguous")]
    public void AnObjectThatIsNoPartIsRefused(string algorithm, string options, string error)
        => Assert.StartsWith(error, Assert.Throws<UsageException>(
            () => RunConfiguration.Parse($$"""{"options": {{options}}}""", "x", algorithm, "two-step")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(20_000_000, 500_000)]
    [InlineData(40_000_000, 500_000)]
    [InlineData(3_000_000, 75_000)]
    [InlineData(400_000, 10_000)]
    [InlineData(1_000, 10_000)]
    public void AShortRunIsEvaluatedMoreOften(long steps, long interval)
    {
        // Of the 20 million published steps every 500,000.
        Assert.Equal(interval, RunConfiguration.Of("ia2c", "lbf:8x8-2p-2f", null, [$"steps={steps}"]).Training.EvaluationInterval);
        Assert.Equal(interval, RunConfiguration.Of(new Ia2cOptions(), "lbf:8x8-2p-2f", new() { Steps = steps }).Training.EvaluationInterval);
        var given = RunConfiguration.Of("ia2c", "lbf:8x8-2p-2f", null, [$"steps={steps}", "evaluationInterval=123456"]);
        Assert.Equal(123_456, given.Training.EvaluationInterval);
        Assert.Equal(given.ToJson(), RunConfiguration.Parse(given.ToJson()).ToJson());
    }

    [Fact]
    public void PropertiesOfAnyTypeAreKept()
    {
        OddOptions[] all = [new(), new() { Word = "a" }, new() { Sizes = [3] }, new() { Inner = new() { A = 5 } }, new() { Number = 2.5 }, new() { Flag = true },
            new() { Mixer = new QmixMixer { Embed = 7 } }, new() { Span = TimeSpan.FromSeconds(5) }, new() { Words = ["b"] }, new() { Hidden = 9 }];
        foreach (var options in all)
        {
            Assert.Equal(Json(options), Json(RunConfiguration.Of(options, "none").Options));
        }
    }

    private static string Json(AlgorithmOptions options) => RunConfiguration.Of(options, "none", presets: false).ToJson();

    public sealed record Inner
    {
        public int A { get; init; } = 1;
        public float[] B { get; init; } = [1f];
    }

    public sealed record OddOptions : ReplayOptions
    {
        public string? Word { get; init; }
        public int[] Sizes { get; init; } = [1, 2];
        public Inner Inner { get; init; } = new();
        public double? Number { get; init; }
        public bool? Flag { get; init; }
        public MixerOptions? Mixer { get; init; }
        public TimeSpan Span { get; init; }
        public string[]? Words { get; init; }

        public override Objective Create(LearningContext context) => throw new NotSupportedException();
    }

    [Theory]
    [InlineData("qmix", "targetEvery", "targetUpdateInterval"), InlineData("qmix", "gradientClip", "maxGradientNorm"), InlineData("qmix", "shared", "shareParameters")]
    [InlineData("qmix", "mixingEmbed", "mixer.embed"), InlineData("iql", "importanceNormalise", "importanceNormalize")]
    [InlineData("iql", "optimizerEpsilon", "optimizer.epsilon"), InlineData("iql", "standardiseRewards", "standardizeRewards")]
    [InlineData("coma", "floorStart", "exploration.epsilonFloorStart"), InlineData("coma", "exploration.floorFinish", "exploration.epsilonFloorFinish")]
    [InlineData("coma", "floorAnneal", "exploration.epsilonFloorAnneal"), InlineData("ippo", "entropy", "entropyCoefficient"), InlineData("ippo", "clip", "clipRange")]
    [InlineData("ippo", "valueClip", "valueClipRange"), InlineData("ippo", "normaliseAdvantages", "normalizeAdvantages")]
    [InlineData("ippo", "standardiseReturns", "standardizeReturns"), InlineData("maddpg", "members", "ensembleSize"), InlineData("maddpg", "infer", "inferPolicies")]
    [InlineData("maddpg", "inferenceEntropy", "inferenceEntropyCoefficient"), InlineData("maddpg", "outputPenalty", "logitRegularization")]
    [InlineData("maddpg", "twin", "twinCritics"), InlineData("matd3", "smoothing", "targetPolicyNoise"), InlineData("matd3", "smoothingClip", "targetNoiseClip")]
    [InlineData("vdn", "evaluateEvery", "evaluationInterval"), InlineData("vdn", "checkpointEvery", "checkpointInterval")]
    public void AFormerNameNamesThePresentOne(string algorithm, string former, string present)
    {
        string message = $"option '{former}' was renamed; use '{present}'";
        Assert.Equal(message, Assert.Throws<UsageException>(() => RunConfiguration.Of(algorithm, "two-step", null, [$"{former}=1"])).Message);
        if (!former.Contains('.') && former is not ("evaluateEvery" or "checkpointEvery"))
        {
            Assert.Equal(message, Assert.Throws<UsageException>(
                () => RunConfiguration.Parse($$$"""{"options": {"{{{former}}}": 1}}""", "x", algorithm, "two-step")).Message);
        }
    }
}
