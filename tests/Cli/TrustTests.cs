using System.Text.Json.Nodes;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>A program is started only if the command line names it: no policy, run or configuration starts one.</summary>
public sealed class TrustTests : IDisposable
{
    private const string Program = "touch started", Id = "cmd:touch started", Refused = $"the environment is a program, '{Program}'; to start it, name it: --env-cmd \"{Program}\"";

    private readonly TemporaryFolder folder = new();

    public TrustTests()
    {
        Save("policy.safetensors", Id);
        Save("nested.safetensors", $"against:{folder["policy.safetensors"]}");
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("eval", "policy.safetensors")]
    [InlineData("play", "policy.safetensors")]
    [InlineData("train", "iql", "--env", "against:policy.safetensors")]
    [InlineData("train", "iql", "--config", "config.json")]
    [InlineData("eval", "random", "--env", "against:policy.safetensors")]
    [InlineData("play", "random", "--env", "against:policy.safetensors")]
    [InlineData("resume", "run")]
    [InlineData("eval", "run")]
    [InlineData("play", "run")]
    public void AFileStartsNoProgram(params string[] command)
    {
        var json = JsonNode.Parse(RunConfiguration.Of("iql", "two-step").ToJson())!;
        json["environment"] = Id;
        string configuration = json.ToJsonString();
        Directory.CreateDirectory(folder["run"]);
        File.WriteAllText(folder["config.json"], configuration);
        File.WriteAllText(folder["run/config.json"], configuration);
        File.Copy(folder["policy.safetensors"], folder["run/policy.safetensors"]);
        var outcome = MarlProcess.Run(folder.Path, command);
        Assert.Equal(2, outcome.Code);
        Assert.Contains(Refused, outcome.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["started"]), "the program was started");
    }

    [Fact]
    public void AnEnvironmentInsideAnotherStartsNoProgramEither()
    {
        var outcome = MarlProcess.Run(folder.Path, "eval", "nested.safetensors");
        Assert.Equal(2, outcome.Code);
        Assert.Contains(Refused, outcome.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["started"]), "the program was started");
    }

    [Theory]
    [InlineData("eval", "policy.safetensors")]
    [InlineData("train", "iql", "--env", "against:policy.safetensors")]
    public void AProgramThatIsNamedIsStarted(params string[] command)
    {
        var outcome = MarlProcess.Run(folder.Path, [.. command, "--env-cmd", Program]);
        Assert.NotEqual(0, outcome.Code); // It does not answer.
        Assert.True(File.Exists(folder["started"]), outcome.Error);
    }

    [Fact]
    public void PoliciesThatAreEachOthersOpponentsAreRefused()
    {
        Save("loop.safetensors", $"against:{folder["loop.safetensors"]}");
        var outcome = MarlProcess.Run(folder.Path, "eval", "loop.safetensors");
        Assert.Equal(2, outcome.Code);
        Assert.Contains("more than 8 environments inside each other", outcome.Error, StringComparison.Ordinal);
    }

    /// <summary>A policy that says of itself that it was trained in an environment.</summary>
    private void Save(string name, string environment)
    {
        PolicyTests.Untrained("iql", "mpe:adversary", "agent=mlp").Policy.Save(folder[name]);
        var content = Safetensors.Read(folder[name]);
        var description = JsonNode.Parse(content.Metadata["policy"])!;
        description["environment"] = environment;
        new Safetensors(content.Entries, new Dictionary<string, string> { ["policy"] = description.ToJsonString() }).Write(folder[name]);
    }
}
