using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.Json.Nodes;

namespace Marl.Native.Tests.Cli;

/// <summary>--load: what a library has is found, trained, resumed, evaluated and played as what is built in; what does not fit is one line.</summary>
public sealed class LoadingTests : IDisposable
{
    private static readonly string Algorithm = Path.Combine(AppContext.BaseDirectory, "OwnAlgorithm.dll");
    private static readonly string World = Path.Combine(AppContext.BaseDirectory, "OwnEnvironment.dll");

    private static readonly string[] Training =
    [
        "train", "own-weighted", "--env", "two-step", "--json", "--set", "hidden=8", "mixer.embed=4", "environments=4", "batchSize=8", "evaluationInterval=200",
        "evaluationEpisodes=4", "checkpointInterval=100",
    ];

    private readonly TemporaryFolder folder = new();

    [Fact]
    public void ListShowsWhatALibraryHas()
    {
        string list = string.Concat(((string[])["algorithms", "environments", "parts"]).Select(what => Marl("--load", Algorithm, "--load", World, "list", what).HasSucceeded().Output));
        Assert.Matches(@"\n  own-weighted +value decomposition with positive weights of the state, a sample\n", list);
        Assert.Matches(@"\n  buttons: two agents press the buttons at both ends of a corridor at once\n    buttons +2 +1 +2 +3 +4 +30\n", list);
        Assert.Matches(@"\n  mixer +positive +Q_tot = elu\(sum_a w_a\(s\) Q_a\) \+ V\(s\)", list);
        Assert.Matches(@"\n  network +residual +x_0 = relu", list);
        Assert.Matches(@"\n  mixer +qmix +A mixing network", list);
        Assert.Matches(@"\n  exploration +epsilon-greedy +Epsilon-greedy exploration: with probability epsilon", list);
        Assert.Matches(@"\n  optimizer +adam +", list);
        string overview = Marl("--load", Algorithm, "--load", World, "list").HasSucceeded().Output;
        Assert.Matches(@"\n  own-weighted +value decomposition", overview);
        Assert.Matches(@"\n  buttons +two agents press", overview);
        Assert.DoesNotContain("own-weighted", Marl("list").HasSucceeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void OptionsOfALibraryAreListedWithTheirDocumentationAndNearestNames()
    {
        string options = Marl("list", "options", "own-weighted", "--load", Algorithm).HasSucceeded().Output;
        Assert.Matches(@"\n  mixer +positive +none \| .*positive\. The mixer: computes the team's value from the agents' values\.\n", options);
        Assert.Matches(@"\n  mixer\.embed +32 +The width of the hidden layers of w and V\.\n", options);
        Assert.Matches(@"\n  huberDelta +10 +The threshold of the Huber loss", options);
        Assert.Matches(@"\n  agent +residual +", options);
        Assert.Matches(@"\n  bufferSize +5000 +Capacity of the replay buffer in episodes, at least batchSize\.\n", options);
        Marl("list", "options", "own-weigthed", "--load", Algorithm).HasFailed(2, "unknown algorithm 'own-weigthed'; did you mean 'own-weighted'?");
        Marl("--load", Algorithm, "train", "own-weighted", "--env", "two-step", "--set", "huberDelt=1")
            .HasFailed(2, "unknown option 'huberDelt'; did you mean 'huberDelta'?");
        Marl("--load", Algorithm, "train", "own-weighted", "--env", "two-step", "--set", "huberDelta=0")
            .HasFailed(2, "option 'huberDelta' cannot be 0; it must be positive");
        Marl("--load", World, "train", "iql", "--env", "button").HasFailed(2, "unknown environment 'button'; did you mean 'buttons'?");
    }

    [Fact]
    public void ARunOfALibraryGoesOnWithTheSameBitsAndIsEvaluatedAndPlayed()
    {
        var whole = Marl([.. Training, "--steps", "1200", "--out", "whole", "--load", Algorithm]).HasSucceeded();
        Marl([.. Training, "--steps", "600", "--out", "run", "--load", Algorithm]).HasSucceeded();
        Assert.Equal(Algorithm, JsonNode.Parse(File.ReadAllText(folder["run/config.json"]))!["load"]![0]!.GetValue<string>());
        string refused = $"the configuration uses the library '{Algorithm}', which runs code of its own; if you trust it, add --load '{Algorithm}'";
        Marl("resume", "run", "--steps", "1200").HasFailed(2, refused);
        Marl("eval", "run").HasFailed(2, refused);
        Marl("eval", "run/policy.safetensors").HasFailed(1, "run/policy.safetensors: the policy has a network of the unknown type 'residual'; " +
            "load its library first (--load, or Catalog.Load)");
        // A library that was moved is the same.
        string moved = folder["OwnAlgorithm.dll"];
        File.Copy(Algorithm, moved);
        var resumed = Marl("resume", "run", "--steps", "1200", "--json", "--load", moved).HasSucceeded();
        Assert.Equal(whole.Sha, resumed.Sha);
        Assert.Equal((double)whole.Summary["returnMean"]!, (double)Marl("eval", "whole", "--json", "--load", Algorithm).HasSucceeded().Summary["returnMean"]!);
        Assert.Contains("return", Marl("eval", "run/policy.safetensors", "--load", Algorithm).HasSucceeded().Output, StringComparison.Ordinal);
        Assert.Contains("return", Marl("play", "whole", "--load", Algorithm).HasSucceeded().Output, StringComparison.Ordinal);
        // Its parts are those of built-in algorithms too, and the command to watch them names the library.
        string trained = Marl("--load", Algorithm, "train", "qmix", "--env", "two-step", "--steps", "200", "--out", "parts", "--set", "mixer=positive", "agent=residual").HasSucceeded().Output;
        Assert.EndsWith($"watch it: marl play parts --load {Algorithm}\n", trained, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEnvironmentOfALibraryIsFoundByItsId()
    {
        Marl("--load", World, "train", "ippo", "--env", "buttons", "--steps", "600", "--out", "run", "--set", "hidden=8").HasSucceeded();
        Marl("resume", "run", "--steps", "900", "--load", World).HasSucceeded();
        Assert.Contains("buttons", Marl("eval", "run", "--episodes", "5", "--load", World).HasSucceeded().Output, StringComparison.Ordinal);
        Marl("play", "run", "--load", World).HasSucceeded();
        Marl("play", "random", "--env", "buttons", "--load", World).HasSucceeded();
    }

    [Fact]
    public void WhatDoesNotFitIsOneLine()
    {
        File.WriteAllText(folder["text.dll"], "no assembly");
        File.Copy(Algorithm, folder["twice.dll"]);
        File.WriteAllBytes(folder["newer.dll"], WithEngineVersion(Algorithm, minor: 99));
        string nothing = Path.Combine(AppContext.BaseDirectory, "Regression.dll");
        Fails("missing.dll", $"there is no library '{folder["missing.dll"]}'");
        Fails("text.dll", $"the library '{folder["text.dll"]}' cannot be loaded: it is not a .NET assembly");
        Fails(nothing, $"the library '{nothing}' has no public algorithm, part of options or environment with a constructor without parameters");
        Fails("newer.dll", $"the library '{folder["newer.dll"]}' was built against Marl.Native 0.99.0, and this is 0.1.0; build it again");
        string engine = Path.Combine(AppContext.BaseDirectory, "Marl.Native.Nn.dll");
        Fails(engine, $"the library '{engine}' is a part of Marl.Native and adds nothing to it; load a library of your own");
        Marl("--load", Algorithm, "--load", "twice.dll", "list").HasFailed(2,
            $"the library '{folder["twice.dll"]}' is '{Algorithm}', which is loaded already, in another place or version; load one of the two");

        void Fails(string library, string line) => Marl("--load", library, "list").HasFailed(2, line);
    }

    public void Dispose() => folder.Dispose();

    private Outcome Marl(params IEnumerable<string> arguments) => MarlProcess.Run(folder.Path, arguments);

    /// <summary>The bytes of an assembly that says it was built against another minor version of Marl.Native.</summary>
    private static byte[] WithEngineVersion(string path, ushort minor)
    {
        byte[] bytes = File.ReadAllBytes(path);
        using var file = new PEReader(new MemoryStream(bytes));
        var metadata = file.GetMetadataReader();
        foreach (var reference in metadata.AssemblyReferences)
        {
            if (metadata.GetString(metadata.GetAssemblyReference(reference).Name) == "Marl.Native")
            {
                // Of a row the version is first: major, minor, build, revision, two bytes each.
                int row = file.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.AssemblyRef)
                    + (MetadataTokens.GetRowNumber(reference) - 1) * metadata.GetTableRowSize(TableIndex.AssemblyRef);
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(row + 2), minor);
            }
        }
        return bytes;
    }
}
