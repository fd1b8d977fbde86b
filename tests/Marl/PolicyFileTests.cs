using System.Text.Json.Nodes;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>A policy's file is checked before anything of the size that it names is allocated, and whatever is wrong is an <see cref="InvalidDataException"/>.</summary>
public sealed class PolicyFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string file;

    public PolicyFileTests()
    {
        file = folder["policy.safetensors"];
        PolicyTests.Untrained("qmix", "two-step", "agent=gru").Policy.Save(file);
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("null", "null")]
    [InlineData("{}", "policy.safetensors")]
    [InlineData("[]", "cannot be read")]
    [InlineData("7", "cannot be read")]
    public void ADescriptionThatIsNone(string description, string problem) => Refuses(description, problem);

    [Theory]
    [InlineData("agents", "[]", "there must be 1 to 65536 agents")]
    [InlineData("agents", "null", "there must be 1 to 65536 agents")]
    [InlineData("agents", "[{\"observationSize\": -1, \"actionCount\": 2}]", "an observation of -1 elements")]
    [InlineData("agents", "[{\"observationSize\": 3, \"actionCount\": 0}]", "and 0 actions")]
    [InlineData("agents", "[{\"observationSize\": 2000000000, \"actionCount\": 2000000000}]", "an observation of 2000000000 elements")]
    [InlineData("agents", "[{\"observationSize\": 3, \"actionCount\": 2, \"box\": {\"low\": 1, \"high\": 1}}]", "its Box is empty or unbounded")]
    [InlineData("agents", "[{\"observationSize\": 3, \"actionCount\": 5, \"branches\": [2, 2]}]", "its parts do not have 5 elements together")]
    [InlineData("agents", "[{\"observationSize\": 3, \"actionCount\": 2, \"branches\": [2147483647, 3]}]", "its parts do not have 2 elements together")]
    [InlineData("agents", "[{\"observationSize\": 3, \"actionCount\": 2, \"branches\": [2, 0]}]", "branch 1 has 0 choices")]
    [InlineData("agents", "[{\"observationSize\": 3, \"actionCount\": 2, \"branches\": []}]", "an empty list of branches")]
    [InlineData("stateSize", "-1", "stateSize is -1")]
    [InlineData("stateSize", "2000000000", "stateSize is 2000000000")]
    [InlineData("ensembleSize", "0", "ensembleSize is 0")]
    [InlineData("ensembleSize", "-1", "ensembleSize is -1")]
    [InlineData("ensembleSize", "2000000000", "ensembleSize is 2000000000")]
    [InlineData("environment", "null", "the environment is missing")]
    [InlineData("network", "null", "the network is missing")]
    [InlineData("network.network", "null", "the network is missing")]
    [InlineData("network.hidden", "0", "option 'hidden' cannot be 0")]
    [InlineData("network.hidden", "2000000000", "option 'hidden' cannot be 2000000000")]
    [InlineData("network.hidden", "8192", "does not match the network")]
    [InlineData("network.network.layers", "2000000000", "option 'layers' cannot be 2000000000")]
    [InlineData("network.network.type", "\"lstm\"", "a network of the unknown type 'lstm'")]
    public void AValueThatCannotBe(string path, string value, string problem)
    {
        var root = JsonNode.Parse(Description())!.AsObject();
        string[] names = path.Split('.');
        var parent = names[..^1].Aggregate(root, (node, name) => node[name]!.AsObject());
        Assert.True(parent.ContainsKey(names[^1]), $"the description has no '{path}'");
        parent[names[^1]] = JsonNode.Parse(value);
        Refuses(root.ToJsonString(), problem);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void AWeightThatIsNotFinite(float value)
    {
        var content = Safetensors.Read(file);
        Assert.True(content.Entries[0].TryGet(out float[] values));
        values[^1] = value;
        content.Write(file);
        string problem = Assert.Throws<InvalidDataException>(() => Policy.Load(file)).Message;
        Assert.Contains($"'{content.Entries[0].Name}' has values that are NaN or infinite", problem, StringComparison.Ordinal);
    }

    private void Refuses(string description, string problem)
    {
        var content = Safetensors.Read(file);
        new Safetensors(content.Entries, new Dictionary<string, string> { ["policy"] = description }).Write(file);
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Assert.Throws<InvalidDataException>(() => Policy.Load(file)).Message;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000_000);
        Assert.Contains(problem, message, StringComparison.Ordinal);
        Assert.StartsWith(file, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    private string Description() => Safetensors.Read(file).Metadata["policy"];
}
