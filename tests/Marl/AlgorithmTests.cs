using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>The ranges of the algorithms' options, what cannot be combined, and the metrics that every algorithm reports.</summary>
public sealed class AlgorithmTests
{
    [Theory]
    [InlineData("qmix", "lossScale", "1e-9", "0"), InlineData("qmix", "mixer.embed", "1", "0")]
    [InlineData("iql", "hysteretic", "0", "-0.1"), InlineData("iql", "hysteretic", "1", "1.1"), InlineData("iql", "leniency.moderation", "0", "-1")]
    [InlineData("iql", "leniency.anneal", "0", "-1"), InlineData("iql", "importanceCeiling", "0", "-1")]
    [InlineData("qtran", "mixingEmbed", "1", "0"), InlineData("qtran", "jointLayers", "2", "1"), InlineData("qtran", "jointLayers", "3", "4")]
    [InlineData("qtran", "lambdaOpt", "0", "-1"), InlineData("qtran", "lambdaNopt", "0", "-1")]
    [InlineData("cw-qmix", "alpha", "0", "-0.1"), InlineData("ow-qmix", "alpha", "1", "1.1"), InlineData("cw-qmix", "centralHidden", "1", "0")]
    [InlineData("cw-qmix", "centralEmbed", "1", "0"), InlineData("cw-qmix", "mixer.embed", "1", "0"), InlineData("vdac", "criticHidden", "1", "0")]
    [InlineData("maddpg", "temperature", "1e-9", "0"), InlineData("maddpg", "logitRegularization", "0", "-1"), InlineData("maddpg", "policyDelay", "1", "0")]
    [InlineData("maddpg", "targetPolicyNoise", "0", "-1"), InlineData("maddpg", "targetNoiseClip", "0", "-1"), InlineData("maddpg", "criticHidden", "1", "0")]
    [InlineData("maddpg", "inferenceLearningRate", "0", "-1"), InlineData("maddpg", "inferenceEntropyCoefficient", "0", "-1")]
    [InlineData("maddpg", "ensembleSize", "1", "0"), InlineData("maddpg", "ensembleSize", "64", "65"), InlineData("maddpg", "criticLearningRate", "0", "-1")]
    [InlineData("maddpg", "lambda", "0", "0.5"), InlineData("liir", "intrinsicLearningRate", "0", "-1")]
    [InlineData("pareto-ac", "entropyCoefficientStart", "0", "-1"), InlineData("pareto-ac", "entropyAnnealFraction", "0", "-0.1")]
    [InlineData("pareto-ac", "entropyAnnealFraction", "1", "1.1"), InlineData("ippo", "clipRange", "0", "-0.1"), InlineData("ippo", "clipRange", "0.99", "1")]
    [InlineData("ippo", "valueClipRange", "0", "-1"), InlineData("iql", "gamma", "0", "-0.1"), InlineData("liir", "gamma", "0", "-0.1")]
    [InlineData("liir", "intrinsicWeight", "-1", "NaN"), InlineData("liir", "intrinsicMaxGradientNorm", "0", "-1")]
    public void AnOptionHasARange(string algorithm, string option, string within, string beyond)
    {
        Create(algorithm, $"{option}={within}");
        var error = Assert.Throws<UsageException>(() => Create(algorithm, $"{option}={beyond}"));
        Assert.Contains(option.Split('.')[^1], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("decayExponent", "0", "0.1"), InlineData("decayRate", "0", "-0.1"), InlineData("decayRate", "1", "1.1")]
    [InlineData("maxTemperatureDecay", "0", "-0.1"), InlineData("maxTemperatureDecay", "1", "1.1"), InlineData("folding", "0", "-0.1")]
    [InlineData("folding", "1", "1.1"), InlineData("cell", "1e-9", "0"), InlineData("hashBits", "1", "0"), InlineData("hashBits", "24", "25")]
    [InlineData("moderation", "0", "-1")]
    public void TemperaturesHaveRanges(string option, string within, string beyond)
    {
        Create("iql", "leniency=visits", $"leniency.{option}={within}");
        var error = Assert.Throws<UsageException>(() => Create("iql", "leniency=visits", $"leniency.{option}={beyond}"));
        Assert.Contains(option, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1", true), InlineData("1e-9", true), InlineData("0", false), InlineData("1.1", false)]
    public void ReturnsDecayByAFactor(string factor, bool isValid)
    {
        string[] settings = ["standardizeReturns=true", "standardizeRewards=false", $"returnDecay={factor}"];
        if (isValid)
        {
            Create("ippo", settings);
            return;
        }
        Assert.Contains("returnDecay", Assert.Throws<UsageException>(() => Create("ippo", settings)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADecayOfReturnsNeedsThemStandardized() => Assert.Contains("standardizeReturns",
        Assert.Throws<UsageException>(() => Create("ippo", "standardizeReturns=false", "returnDecay=0.5")).Message, StringComparison.Ordinal);

    /// <summary>Fujimoto et al. 2018: twin critics, delayed policies and smoothed targets.</summary>
    [Fact]
    public void Matd3HasAllThreePartsOfTd3()
    {
        Matd3Options options = new();
        Assert.Equal((true, 2, 0.2f, 0.5f), (options.TwinCritics, options.PolicyDelay, options.TargetPolicyNoise, options.TargetNoiseClip));
    }

    [Theory]
    [InlineData("qmix", "a mixer learns one value for the team"), InlineData("cw-qmix", "a mixer learns one value for the team")]
    [InlineData("qtran", "QTRAN learns one value for the team"), InlineData("liir", "LIIR maximizes one common reward")]
    [InlineData("vdac", "VDAC learns one value for the team"), InlineData("vdn", "a mixer learns one value for the team")]
    public void ATeamsValueNeedsACommonReward(string algorithm, string message)
    {
        Create(algorithm, "reward=sum");
        var error = Assert.Throws<UsageException>(() => Create(algorithm, "reward=individual"));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("iql"), InlineData("ia2c"), InlineData("ippo"), InlineData("maa2c"), InlineData("coma"), InlineData("maddpg"), InlineData("pareto-ac")]
    public void IndependentLearnersLearnFromTheirOwnRewards(string algorithm) => Create(algorithm, "reward=individual");

    [Theory]
    [InlineData("iql", "importance=step mixer=vdn", "importance weights differ between agents")]
    [InlineData("maddpg", "inferPolicies=true critic=local", "a local critic does not use the other agents' policies")]
    [InlineData("maddpg", "criticNetwork=gru", "cannot be recurrent; use criticNetwork=mlp")]
    [InlineData("pareto-ac", "criticNetwork=gru", "cannot be recurrent; use criticNetwork=mlp")]
    [InlineData("liir", "standardizeReturns=true standardizeRewards=false", "use standardizeRewards instead of standardizeReturns")]
    [InlineData("reinforce", "advantage=actionValue", "without a critic there are no action values")]
    [InlineData("iql", "leniency=visits leniency.moderation=1 mixer=vdn", "temperatures of observations and actions are an agent's own")]
    [InlineData("reinforce", "rolloutLength=3", "use whole episodes (rolloutLength=0) or a critic")]
    public void WhatCannotBeCombinedIsRefused(string algorithm, string settings, string message)
        => Assert.Contains(message, Assert.Throws<UsageException>(() => Create(algorithm, settings.Split(' '))).Message, StringComparison.Ordinal);

    [Fact]
    public void TemperaturesThatAreOffDoNotConcernAMixer() => Create("iql", "leniency=visits", "leniency.moderation=0", "mixer=vdn");

    [Theory]
    [InlineData("maa2c", "ia2c and ippo need none"), InlineData("mappo", "ia2c and ippo need none")]
    [InlineData("coma", "use criticObservation=true"), InlineData("liir", "use criticObservation=true")]
    public void ACentralCriticNeedsAState(string algorithm, string remedy)
    {
        using var workers = new Workers(1);
        var spec = new TwoStepGame().Spec with { StateSize = 0 };
        string[] observation = remedy.StartsWith("use", StringComparison.Ordinal) ? [remedy["use ".Length..]] : ["critic=local"];
        Assert.Contains(remedy, Assert.Throws<UsageException>(() => Learner([])).Message, StringComparison.Ordinal);
        Learner(observation);

        void Learner(string[] settings)
        {
            var configuration = RunConfiguration.Of(algorithm, "two-step", null, [.. Games.TinyFor(algorithm), .. settings]);
            configuration.CreateLearner(configuration.Training.Context(spec, workers));
        }
    }

    [Fact]
    public void JointActionsOfTheOthersAreEnumeratedUpToALimit()
    {
        // 4 actions: 4^6 = 4096 combinations of the six others.
        // 5 actions: 5^5 = 3125 combinations of six agents, 5^6 of seven.
        using var workers = new Workers(1);
        var spec = EnvironmentSpec.Uniform("many", agents: 6, observationSize: 1, actionCount: 5, episodeLimit: 1, snapshotSize: 0);
        Learner(spec);
        Learner(EnvironmentSpec.Uniform("most", agents: 7, observationSize: 1, actionCount: 4, episodeLimit: 1, snapshotSize: 0));
        var error = Assert.Throws<UsageException>(() => Learner(spec with { Agents = [.. spec.Agents, spec.Agents[0]] }));
        Assert.Contains("7 agents with 5 actions: 15625 joint actions of the others are too many to enumerate, the maximum is 4096", error.Message,
            StringComparison.Ordinal);

        void Learner(EnvironmentSpec of)
        {
            var configuration = Games.Configure("pareto-ac", "two-step", 100, settings: Games.TinyFor("pareto-ac"));
            configuration.CreateLearner(configuration.Training.Context(of, workers));
        }
    }

    /// <summary>REINFORCE has no critic to report.</summary>
    public static TheoryData<string> Names => [.. Catalog.Algorithms.Select(algorithm => algorithm.Name).Where(name => name != "reinforce")];

    /// <summary>A metric that no loss reports is 0.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void EveryMetricIsReported(string algorithm)
    {
        string[] settings = ["batchSize=5", "environments=5", "epochs=3", "clipRange=0.0001", "valueClipRange=0.0001", "importance=step", "learningRate=0.05"];
        using var trainer = new Trainer(Games.Configure(algorithm, "two-step", 100,
            settings: [.. Games.TinyFor(algorithm), .. Games.Known(algorithm, "two-step", settings)]));
        for (int round = 0; round < 2; round++)
        {
            trainer.Learner.Learn([.. Enumerable.Range(0, 5).Select(i => Games.Play(() => new TwoStepGame(), i))], 10);
        }
        Assert.All(trainer.Learner.Statistics.Metrics, metric => Assert.True(float.IsFinite(metric.Value) && metric.Value != 0, metric.Name));
    }

    private static void Create(string algorithm, params string[] settings)
    {
        using var workers = new Workers(1);
        var configuration = RunConfiguration.Of(algorithm, "two-step", null, [.. Games.TinyFor(algorithm), .. settings]);
        configuration.CreateLearner(configuration.Training.Context(new TwoStepGame().Spec, workers));
    }
}
