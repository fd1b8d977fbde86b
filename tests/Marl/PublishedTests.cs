using System.Globalization;
using System.Text.Json.Nodes;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>The presets against the appendix of Papoudakis et al. 2021 as it was transcribed from the paper: tests/reference/published.</summary>
public sealed class PublishedTests
{
    private static readonly JsonObject Appendix =
        JsonNode.Parse(File.ReadAllText(ReferenceData.Find("published", "papoudakis2021-hyperparameters.json")))!.AsObject();

    /// <summary>The environments of every family. SMAC's values are those of predator-prey.</summary>
    private static readonly Dictionary<string, string[]> Environments = new()
    {
        ["matrix"] = ["climbing", "penalty-0", "penalty-25", "penalty-50", "penalty-75", "penalty-100", "climbing?steps=1"],
        ["mpe"] = ["mpe-v0:spread", "mpe-v0:speaker-listener", "mpe-v0:tag", "mpe-v0:adversary", "mpe:spread"],
        ["smac"] = ["predator-prey:10x10"],
        ["lbf"] = ["lbf-v1:8x8-2p-2f-coop", "lbf-v1:15x15-4p-5f", "lbf:8x8-2p-2f"],
        ["rware"] = ["rware:tiny-2ag", "rware:tiny-4ag", "rware:small-4ag"],
    };

    /// <summary>The learning rates that the transcription calls probable misprints, and the rates that it calls probable.</summary>
    private static readonly Dictionary<(string Sharing, string Algorithm, string Family), double> Misprints = new()
    {
        [("shared", "qmix", "smac")] = 0.0005,
        [("shared", "maa2c", "matrix")] = 0.0003,
    };

    [Fact]
    public void EveryEntryOfTheAppendixIsAPreset()
    {
        int entries = 0, misprints = 0;
        foreach (string sharing in (string[])["shared", "unshared"])
        {
            foreach (var (algorithm, families) in Appendix[sharing]!.AsObject())
            {
                foreach (var (family, fields) in families!.AsObject())
                {
                    foreach (string environment in Environments[family])
                    {
                        // What marl train does: without options, or with the one that says otherwise.
                        var configuration = RunConfiguration.Of(algorithm, environment, null, sharing == "shared" ? [] : ["shareParameters=false"]);
                        Assert.Equal(sharing == "shared", configuration.Options.ShareParameters);
                        var options = JsonNode.Parse(configuration.ToJson())!["options"]!.AsObject();
                        foreach (var (field, value) in fields!.AsObject())
                        {
                            bool isMisprint = field == "lr" && Misprints.ContainsKey((sharing, algorithm, family));
                            string expected = isMisprint ? Text(Misprints[(sharing, algorithm, family)]) : Text(value!);
                            Assert.Equal((algorithm, sharing, environment, field, expected), (algorithm, sharing, environment, field, Preset(options, field)));
                            (entries, misprints) = (entries + 1, misprints + (isMisprint ? 1 : 0));
                        }
                        // A critic has the policy's width and learning rate.
                        if (options.ContainsKey("criticHidden"))
                        {
                            Assert.Equal(((int)options["hidden"]!, 0), ((int)options["criticHidden"]!, (int)options["criticLearningRate"]!));
                        }
                    }
                }
            }
        }
        // Nine algorithms with and without sharing; 3 have 7 fields (Q-learning), 5 have 7 (on-policy), 1 has 6 (MADDPG); 19 environments.
        Assert.Equal(2 * (3 * 7 + 5 * 7 + 6) * Environments.Values.Sum(ids => ids.Length), entries);
        Assert.Equal(Environments["smac"].Length + Environments["matrix"].Length, misprints);
    }

    [Fact]
    public void WhatAllAlgorithmsHaveInCommonIsAPresetToo()
    {
        var common = Appendix["common"]!;
        foreach (var (algorithm, _) in Appendix["shared"]!.AsObject())
        {
            foreach (var (family, environments) in Environments)
            {
                foreach (string environment in environments)
                {
                    var configuration = RunConfiguration.Of(algorithm, environment);
                    var training = configuration.Training;
                    bool isOnPolicy = configuration.Options is OnPolicyOptions;
                    long steps = (long)common["steps"]!["offPolicy"]![family]! * (isOnPolicy ? 10 : 1);
                    Assert.Equal((algorithm, environment, steps), (algorithm, environment, training.Steps));
                    Assert.Equal("100 episodes, 41 times in the run", (string)common["evaluations"]!);
                    Assert.Equal((100, 41), (training.EvaluationEpisodes, 1 + training.Steps / training.EvaluationInterval));
                    Assert.Equal(0, training.Steps % training.EvaluationInterval);
                    Assert.False(training.GreedyEvaluation); // policies are sampled
                    Assert.Equal("10 parallel environments", (string)common["onPolicyWorkers"]!);
                    Assert.Equal(isOnPolicy ? 10 : 1, training.Environments);
                    Assert.Equal(0.99f, configuration.Options.Gamma);
                    switch (configuration.Options)
                    {
                        case ValueOptions value:
                            var exploration = Assert.IsType<EpsilonGreedy>(value.Exploration);
                            Assert.Equal((1f, 0.05f), (exploration.EpsilonStart, exploration.EpsilonFinish));
                            Assert.Equal((bool)common["doubleQ"]!, value.DoubleQ);
                            break;
                        case IppoOptions or MappoOptions:
                            var ppo = (ActorCriticOptions)configuration.Options;
                            Assert.Equal(((int)common["ppoEpochs"]!, (float)common["ppoClip"]!), (ppo.Epochs, ppo.ClipRange));
                            break;
                        case ActorCriticOptions actorCritic:
                            Assert.Equal((1, 0f), (actorCritic.Epochs, actorCritic.ClipRange));
                            break;
                    }
                    if (configuration.Options is ReplayOptions replay && family != "smac")
                    {
                        int limit = (int)common["episodeLimit"]![family]!;
                        Assert.Equal(Math.Min(5000, 1_000_000 / limit), replay.BufferSize);
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData("matrix")]
    [InlineData("mpe")]
    [InlineData("lbf")]
    [InlineData("rware")]
    public void EpisodesEndWhereThePublishedOnesDo(string family)
        => Assert.All(Environments[family].Where(id => id != "climbing?steps=1"),
            id => Assert.Equal((int)Appendix["common"]!["episodeLimit"]![family]!, Catalog.CreateEnvironment(id).Spec.EpisodeLimit));

    [Theory]
    [InlineData("qtran", "qmix", "lbf:8x8-2p-2f")]
    [InlineData("qplex", "qmix", "rware:tiny-2ag")]
    [InlineData("ow-qmix", "qmix", "mpe:spread")]
    [InlineData("reinforce", "ia2c", "lbf:8x8-2p-2f")]
    [InlineData("liir", "maa2c", "climbing")]
    [InlineData("vdac", "maa2c", "climbing")]
    [InlineData("matd3", "maddpg", "mpe:spread")]
    [InlineData("ddpg", "maddpg", "lbf:8x8-2p-2f")]
    public void OtherAlgorithmsTakeTheOptionsOfTheNearestOne(string algorithm, string nearest, string environment)
    {
        foreach (string setting in (string[])["shareParameters=true", "shareParameters=false"])
        {
            var (own, theirs) = (RunConfiguration.Of(algorithm, environment, null, [setting]), RunConfiguration.Of(nearest, environment, null, [setting]));
            Assert.Equal(theirs.Training, own.Training);
            Assert.Equal((theirs.Options.Hidden, theirs.Options.LearningRate, theirs.Options.Agent, theirs.Options.TargetUpdateInterval),
                (own.Options.Hidden, own.Options.LearningRate, own.Options.Agent, own.Options.TargetUpdateInterval));
        }
    }

    [Fact]
    public void ARecordAndAFileThatDoNotShareParametersTakeTheOtherTable()
    {
        string expected = RunConfiguration.Of("vdn", "climbing", null, ["shareParameters=false"]).ToJson();
        Assert.NotEqual(RunConfiguration.Of("vdn", "climbing", null, ["shareParameters=true"]).Options.Hidden, RunConfiguration.Parse(expected).Options.Hidden);
        Assert.Equal(expected, RunConfiguration.Of(new VdnOptions { ShareParameters = false }, "climbing").ToJson());
        Assert.Equal(expected, RunConfiguration.Parse("""{"options": {"shareParameters": false}}""", "x", "vdn", "climbing").ToJson());
        Assert.Equal(expected, RunConfiguration.Parse("""{"options": {"shareParameters": true}}""", "x", "vdn", "climbing", "shareParameters=false").ToJson());
    }

    [Fact]
    public void AFixedTeamsEnvironmentHasThePresetsOfTheOneThatItWasTrainedIn()
    {
        using var folder = new TemporaryFolder();
        using (var trainer = new Trainer(Games.Configure("iql", "mpe-v0:tag", 25, settings: "hidden=8")))
        {
            trainer.Policy.Save(folder["tag.safetensors"]);
        }
        foreach (string algorithm in (string[])["vdn", "mappo"])
        {
            var (against, world) = (RunConfiguration.Of(algorithm, $"against:{folder["tag.safetensors"]}"), RunConfiguration.Of(algorithm, "mpe-v0:tag"));
            Assert.Equal(world.Options, against.Options);
            Assert.Equal(world.Training with { Reward = RewardMode.Sum }, against.Training); // the team's rewards are summed
        }
        // Without the policy there is none to take presets from, and creating the environment is an error.
        Assert.Equal(128, RunConfiguration.Of("mappo", $"against:{folder["none"]}").Options.Hidden);
    }

    private static string Text(JsonNode value) => value.GetValueKind() switch
    {
        System.Text.Json.JsonValueKind.Number => Text((double)value),
        _ => value.ToString(),
    };

    private static string Text(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    /// <summary>The option that a field of the appendix is.</summary>
    private static string Preset(JsonObject options, string field) => field switch
    {
        "hidden" => Text(options["hidden"]!),
        "lr" => Text(options["learningRate"]!),
        "rewardStandardisation" => Text(options["standardizeRewards"]!),
        "network" => (string)options["agent"]!["type"]! switch
        {
            "gru" => "GRU",
            "mlp" when (int)options["agent"]!["layers"]! == 2 => "FC",
            var other => other,
        },
        "evaluationEpsilon" => Text(options["exploration"]!["evaluationEpsilon"]!),
        "epsilonAnneal" => Text(options["exploration"]!["epsilonAnneal"]!),
        "entropy" => Text(options["entropyCoefficient"]!),
        "nStep" => Text(options["nStep"]!),
        "actorRegularisation" => Text(options["logitRegularization"]!),
        "target" => Text(options["targetTau"]!) == "1" ? $"hard {Text(options["targetUpdateInterval"]!)}"
            : (int)options["targetUpdateInterval"]! == 1 ? $"soft {Text(options["targetTau"]!)}" : "",
        _ => throw new ArgumentException($"the appendix has a field '{field}' that no option is compared with"),
    };
}
