using Marl.Native.Cli;
using Marl.Native.Cli.Reporting;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>What the command prints when all goes well.</summary>
public sealed class OutputTests(OutputTests.Trained trained) : IClassFixture<OutputTests.Trained>
{
    /// <summary>A run that all tests look at.</summary>
    public sealed class Trained : IDisposable
    {
        internal TemporaryFolder Folder { get; } = new();

        internal Outcome Json { get; }

        public Trained()
        {
            File.WriteAllText(Folder["settings.json"], """
                {
                  "algorithm": "vdn", "environment": "lbf:5x5-2p-1f",
                  "training": { "steps": 400, "seed": 7, "environments": 2, "evaluationInterval": 100, "evaluationEpisodes": 6 },
                  "options": { "hidden": 16, "batchSize": 4, "gamma": 0.9 } // comments are allowed
                }
                """);
            Json = MarlProcess.Run(Folder.Path,
                "train", "--config", "settings.json", "--set", "hidden=8", "seed=8", "--seed", "9", "--json");
        }

        public void Dispose() => Folder.Dispose();
    }

    private const string Run = "runs/vdn-lbf-5x5-2p-1f-seed9";

    private string Folder => trained.Folder.Path;

    [Fact]
    public void JsonIsALinePerEvaluationAndTheSummaryLast()
    {
        var lines = trained.Json.HasSucceeded().Lines;
        Assert.True(lines.Length >= 4);
        Assert.All(lines[..^1], line => Assert.Equal("progress", (string?)line["type"]));
        Assert.All(["steps", "episodes", "updates", "returnMean", "returnStd", "loss", "seconds"],
            name => Assert.All(lines[..^1], line => Assert.NotNull(line[name])));
        var summary = trained.Json.Summary;
        Assert.Equal(("summary", "vdn", "lbf:5x5-2p-1f"), ((string?)summary["type"], (string?)summary["algorithm"], (string?)summary["environment"]));
        Assert.Equal(9UL, (ulong)summary["seed"]!);
        Assert.True((long)summary["steps"]! >= 400 && (long)summary["episodes"]! > 0 && (long)summary["updates"]! > 0);
        Assert.True((double)summary["returnMax"]! >= (double)summary["returnMean"]!);
        Assert.True((double)summary["seconds"]! > 0 && (double)summary["stepsPerSecond"]! > 0);
        Assert.Matches("^[0-9a-f]{64}$", trained.Json.Sha);
    }

    [Fact]
    public void DefaultsGiveWayToTheFileTheFileToSetAndSetToNamedOptions()
    {
        string config = File.ReadAllText(Path.Combine(Folder, Run, "config.json"));
        Assert.All(["\"seed\": 9", "\"hidden\": 8", "\"gamma\": 0.9", "\"batchSize\": 4", "\"bufferSize\": 5000"],
            setting => Assert.Contains(setting, config, StringComparison.Ordinal));
    }

    [Fact]
    public void ARunsConfigurationTrainsTheSameWeightsInAnotherFolder()
    {
        string[] again = ["train", "--config", $"{Run}/config.json", "--json"];
        var outcome = MarlProcess.Run(Folder, again).HasSucceeded();
        Assert.Equal(trained.Json.Sha, outcome.Sha);
        Assert.Equal($"{Run}-2", (string?)outcome.Summary["run"]);
    }

    [Fact]
    public void AFolderThatHoldsARunIsLeftAlone()
        => MarlProcess.Run(Folder, "train", "--config", "settings.json", "--out", Run).HasFailed(2,
            $"'{Run}' contains a run already; continue it with `marl resume {Run}`, or choose another --out");

    [Fact]
    public void RedirectedOutputIsALinePerEvaluationInColumns()
    {
        var outcome = MarlProcess.Run(Folder, "train", "--config", "settings.json", "--seed", "3", "--out", "plain").HasSucceeded();
        string[] lines = outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("vdn on lbf:5x5-2p-1f, seed 3, 400 steps", lines[0]);
        Assert.StartsWith("     steps  episodes   updates     return", lines[1], StringComparison.Ordinal);
        Assert.All(lines[2..^5], line => Assert.Equal(lines[1].Length, line.Length));
        Assert.Equal(["run plain", "watch it: marl play plain"], lines[^2..]);
        Assert.DoesNotContain('\e', outcome.Output);
    }

    [Fact]
    public void EvalPlaysTheEpisodesOfTheRunsOwnEvaluation()
    {
        foreach (string policy in new[] { Run, $"{Run}/checkpoint.safetensors" })
        {
            var evaluation = MarlProcess.Run(Folder, "eval", policy, "--episodes", "6", "--json").HasSucceeded().Summary;
            Assert.Equal((double)trained.Json.Summary["returnMean"]!, (double)evaluation["returnMean"]!, 1e-12);
            Assert.True((double)evaluation["returnLow"]! <= (double)evaluation["returnHigh"]!);
            Assert.True((double)evaluation["returnMin"]! <= (double)evaluation["returnMax"]!);
        }
        string text = MarlProcess.Run(Folder, "eval", $"{Run}/policy.safetensors", "--episodes", "6", "--seed", "9").HasSucceeded().Output;
        Assert.All(["environment         lbf:5x5-2p-1f", "95 % confidence interval", "minimum", "maximum", "length"],
            word => Assert.Contains(word, text, StringComparison.Ordinal));
        MarlProcess.Run(Folder, "eval", Run, "--env", "two-step").HasFailed(2,
            "a policy for 2 agents of lbf:5x5-2p-1f cannot act in two-step: the number of agents, their observations or their actions differ");
    }

    [Fact]
    public void TheRandomPolicyIsEvaluatedInTheEpisodesThatPlayShows()
    {
        string[] arguments = ["random", "--env", "climbing", "--episodes", "2e1", "--seed", "+5", "--json"];
        var evaluation = MarlProcess.Run(Folder, ["eval", .. arguments]).HasSucceeded().Summary;
        var played = MarlProcess.Run(Folder, ["play", .. arguments]).HasSucceeded().Summary;
        Assert.Equal((20, 5UL, "climbing"), ((int)evaluation["episodes"]!, (ulong)evaluation["seed"]!, (string)evaluation["environment"]!));
        Assert.Equal((double)played["returnMean"]!, (double)evaluation["returnMean"]!, 1e-9);
        Assert.True((double)evaluation["returnStd"]! > 0);
    }

    [Fact]
    public void NumbersAreReadInEveryNotation()
    {
        File.WriteAllText(Path.Combine(Folder, "notation.json"), """
            {
              "algorithm": "vdn", "environment": "identity?steps=+5e0",
              "training": { "steps": 4E2, "seed": 1e1, "environments": 2.0, "evaluationEpisodes": 4 }, /* comments, */
              "options": { "hidden": 8.0, "batchSize": 4, "maxGradientNorm": 1e30, "optimizer": { "epsilon": 1e-30 }, }, // and commas at ends
            }
            """, new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        MarlProcess.Run(Folder, "train", "--config", "notation.json", "--set", "learningRate=+3e-4", "targetTau=1E0", "--out", "notation").HasSucceeded();
        var run = new RunFolder(Path.Combine(Folder, "notation")).ReadConfiguration();
        var options = (VdnOptions)run.Options;
        Assert.Equal((400L, 10UL, 2), (run.Training.Steps, run.Training.Seed, run.Training.Environments));
        Assert.Equal((8, 1e30f, 3e-4f, 1f), (options.Hidden, options.MaxGradientNorm, options.LearningRate, options.TargetTau));
        MarlProcess.Run(Folder, "resume", "notation", "--steps", "6e2").HasSucceeded();
    }

    [Fact]
    public void ListsNameWhatThereIs()
    {
        Assert.Contains("qmix", MarlProcess.Run(Folder, "list", "algorithms").HasSucceeded().Output, StringComparison.Ordinal);
        string environments = MarlProcess.Run(Folder, "list", "envs").HasSucceeded().Output;
        Assert.Equal(environments, MarlProcess.Run(Folder, "list", "environments").HasSucceeded().Output);
        Assert.Matches(@"\n +agents +teams +observation +actions +state +steps\n", "\n" + environments);
        Assert.Matches(@"\n +lbf:8x8-2p-2f-coop +2 +1 +12 +6 +24 +50\n", environments);
        Assert.Matches(@"\n +mpe:tag +4 +2 +16/14 +5 +62 +25\n", environments);
        Assert.Matches($@"\n  mixer +qmix +{string.Join(@" \| ", Games.Mixers)}\. The function of the agents' chosen action values that is regressed on the return\. none: each agent's value by itself\.\n",
            MarlProcess.Run(Folder, "list", "options", "qmix").HasSucceeded().Output);
    }

    [Fact]
    public void EveryOptionIsExplained()
    {
        foreach (var option in Catalog.Algorithms.SelectMany(algorithm => Options(RunConfiguration.Of(algorithm.Name, "two-step"))))
        {
            string words = Documentation.Of(option.Member);
            Assert.True(words.Length > 5, $"{option.Member} is not explained");
            Assert.DoesNotContain('<', words);
        }
        Assert.StartsWith("The kind of lambda return; used if lambda is above 0.", Documentation.Of("Marl.Native.Rl.QLearningOptions.Trace"), StringComparison.Ordinal);
        Assert.StartsWith("With reward=difference: ", Documentation.Of("Marl.Native.Rl.TrainingOptions.DefaultAction"), StringComparison.Ordinal);
        Assert.Equal("", Documentation.Of("Marl.Native.Rl.TrainingOptions.Nothing"));

        static IEnumerable<OptionListing> Options(RunConfiguration configuration) => [.. configuration.ListOptions(), .. configuration.ListTraining()];
    }

    [Fact]
    public void ReturnsOfSeveralTeamsAreToldApart()
    {
        var trained = MarlProcess.Run(Folder, "train", "iql", "--env", "mpe:push", "--steps", "100", "--set", "hidden=8", "--set",
            "evaluationEpisodes=3", "batchSize=2", "environments=2", "--out", "rivals", "--json").HasSucceeded().Summary;
        var evaluated = MarlProcess.Run(Folder, "eval", "rivals", "--episodes", "3", "--json").HasSucceeded().Summary;
        var played = MarlProcess.Run(Folder, "play", "rivals", "--episodes", "3", "--json").HasSucceeded().Summary;
        // A team that meets the same agents meets what it met in training; an untrained one is another opponent.
        MarlProcess.Run(Folder, "train", "iql", "--env", "mpe:push", "--steps", "50", "--seed", "2", "--set", "hidden=8", "--set", "evaluationEpisodes=3", "batchSize=2", "environments=2",
            "--out", "strangers").HasSucceeded();
        var same = MarlProcess.Run(Folder, "eval", "rivals", "--against", "rivals", "--episodes", "3", "--json").HasSucceeded().Summary;
        Assert.Equal(evaluated["teamReturnMeans"]!.ToJsonString(), same["teamReturnMeans"]!.ToJsonString());
        var strange = MarlProcess.Run(Folder, "eval", "rivals", "--against", "strangers", "--episodes", "3", "--json").HasSucceeded().Summary;
        Assert.NotEqual(evaluated["teamReturnMeans"]!.ToJsonString(), strange["teamReturnMeans"]!.ToJsonString());
        MarlProcess.Run(Folder, "eval", Run, "--against", Run, "--episodes", "1").HasFailed(2, "lbf:5x5-2p-1f has only one team; --against needs at least two");
        foreach (var summary in new[] { trained, evaluated, played })
        {
            double[] teams = [.. summary["teamReturnMeans"]!.AsArray().Select(mean => (double)mean!)];
            Assert.Equal(2, teams.Length);
            Assert.NotEqual(teams[0], teams[1]);
            Assert.Equal((double)summary["returnMean"]!, teams.Sum(), 1e-9);
        }
        Assert.Equal((double)evaluated["teamReturnMeans"]![1]!, (double)played["teamReturnMeans"]![1]!, 1e-9);
        Assert.Contains(" (team 0: ", MarlProcess.Run(Folder, "eval", "rivals", "--episodes", "2").HasSucceeded().Output, StringComparison.Ordinal);
        Assert.Contains(" (team 0: ", MarlProcess.Run(Folder, "play", "rivals").HasSucceeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void DoctorSaysWhatTheMachineOffers()
    {
        string text = MarlProcess.Run(Folder, "doctor").HasSucceeded().Output;
        Assert.All(["system", "runtime", "simd", "fma", "processors", "gc", "cpu         ready", "cuda", "opencl"],
            word => Assert.Contains($"\n{word}", "\n" + text, StringComparison.Ordinal));
    }

    [Fact]
    public void HelpAndVersionAreNoErrors()
    {
        Assert.Contains("Usage:", MarlProcess.Run(Folder).HasSucceeded().Output, StringComparison.Ordinal);
        Assert.Contains("--set <name=value>", MarlProcess.Run(Folder, "train", "--help").HasSucceeded().Output, StringComparison.Ordinal);
        Assert.Matches(@"^\d+\.\d+\.\d+", MarlProcess.Run(Folder, "--version").HasSucceeded().Output);
    }

    [Fact]
    public void ACurveIsDrawnFromItsFirstPointToItsLast()
    {
        Assert.Equal(["⠀⠀⡠⠊", "⡠⠊⠀⠀"], BrailleChart.Draw([(0, 0), (1, 1)], 1, 0, 1, 4, 2));
        Assert.Equal(["⠉⠉"], BrailleChart.Draw([(0, 1), (9, 1)], 9, 0, 1, 2, 1));
        Assert.Equal(["⠀⠀"], BrailleChart.Draw([], 9, 0, 1, 2, 1));
    }
}
