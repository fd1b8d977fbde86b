using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Marl.Native.Tests.Cli;

/// <summary>marl play from outside: what it prints, what it writes, and how it ends.</summary>
public sealed partial class PlayTests(PlayTests.Trained trained) : IClassFixture<PlayTests.Trained>
{
    /// <summary>A small run that all tests look at.</summary>
    public sealed class Trained : IDisposable
    {
        internal TemporaryFolder Folder { get; } = new();

        public Trained() => MarlProcess.Run(Folder.Path, "train", "vdn", "--env", "lbf:5x5-2p-1f", "--steps", "200", "--seed", "4",
            "--out", "run", "--set", "hidden=8", "batchSize=4", "evaluationInterval=0", "evaluationEpisodes=1").HasSucceeded();

        public void Dispose() => Folder.Dispose();
    }

    private string Folder => trained.Folder.Path;

    [Fact]
    public void ARedirectedEpisodeIsTextStepByStep()
    {
        string output = MarlProcess.Run(Folder, "play", "random", "--env", "lbf:8x8-2p-2f", "--seed", "1").HasSucceeded().Output;
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
        [
            "A agent (number: level)   2 food (number: level)",
            "episode 1",
            " ·  ·  ·  ·  ·  ·  · A1",
            " ·  ·  ·  ·  ·  ·  ·  ·",
            " ·  ·  ·  ·  ·  ·  ·  ·",
            " ·  ·  ·  ·  ·  ·  ·  ·",
            " ·  ·  ·  ·  ·  2  ·  ·",
            " ·  ·  3  · B2  ·  ·  ·",
            " ·  ·  ·  ·  ·  ·  ·  ·",
            " ·  ·  ·  ·  ·  ·  ·  ·",
            "step 1  A north 0  B south 0  return 0",
        ], lines[..11]);
        int steps = lines.Count(line => line.StartsWith("step ", StringComparison.Ordinal));
        Assert.Equal(1 + (steps + 1) * 9 + 1, lines.Length);
        Assert.Matches($@"^episode 1  return \S+ after {steps} steps  A \S+  B \S+$", lines[^1]);
        Assert.Equal(output, MarlProcess.Run(Folder, "play", "random", "--env", "lbf:8x8-2p-2f", "--seed", "1").Output);
        Assert.NotEqual(output, MarlProcess.Run(Folder, "play", "random", "--env", "lbf:8x8-2p-2f", "--seed", "2").Output);
    }

    [Fact]
    public void AGameWithoutAPictureIsALinePerStep()
    {
        string output = MarlProcess.Run(Folder, "play", "random", "--env", "two-step", "--episodes", "2").HasSucceeded().Output;
        Assert.Matches(
            @"^(episode \d\nstep 1  A [01] 0  B [01] 0  return 0\nstep 2  A [01] (\d)  B [01] \2  return \2\n){2}" +
            @"(episode \d  return \d after 2 steps  A \d  B \d\n){2}mean return \d(\.5)?\n$", output);
    }

    [Fact]
    public void TrainedAgentsPlayTheEpisodesThatTheyAreJudgedBy()
    {
        var judged = MarlProcess.Run(Folder, "eval", "run", "--episodes", "7", "--json").HasSucceeded().Summary;
        foreach (string path in new[] { "run", "run/checkpoint.safetensors" })
        {
            var played = MarlProcess.Run(Folder, "play", path, "--episodes", "7", "--json").HasSucceeded();
            Assert.Equal((4UL, 7), ((ulong)played.Summary["seed"]!, (int)played.Summary["episodes"]!));
            Assert.Equal((double)judged["returnMean"]!, (double)played.Summary["returnMean"]!, 1e-12);
            Assert.Equal((double)judged["episodeLength"]!, (double)played.Summary["episodeLength"]!, 1e-12);
            Assert.Equal(7 + 7 * (double)judged["episodeLength"]!, played.Lines.Length - 1, 1e-6);
            Assert.All(played.Lines[..^1], line => Assert.Equal(["agent", "agent"],
                line["things"]!.AsArray().Select(thing => (string?)thing!["role"]).Where(role => role != "target")));
        }
    }

    [Theory]
    [InlineData("lbf:5x5-2p-1f")]
    [InlineData("rware:tiny-2ag?steps=30")]
    [InlineData("mpe:world-comm")]
    [InlineData("two-step")]
    public void AReplayIsOnePageWithEveryFrameInIt(string id)
    {
        string[] words = ["play", "random", "--env", id, "--episodes", "2", "--replay", "page.html"];
        string output = MarlProcess.Run(Folder, words).HasSucceeded().Output;
        Assert.DoesNotContain("step 1 ", output, StringComparison.Ordinal);
        Assert.EndsWith("replay page.html\n", output, StringComparison.Ordinal);
        string page = File.ReadAllText(trained.Folder["page.html"]);
        Assert.DoesNotMatch(@"https?:|\ssrc=|\shref=|url\(|@import|fetch\(|XMLHttpRequest|import ", page.Replace("xmlns=\"http://www.w3.org/2000/svg\"", "", StringComparison.Ordinal));
        Assert.DoesNotContain("{{", page, StringComparison.Ordinal);
        var replay = JsonNode.Parse(Data().Match(page).Groups[1].Value)!.AsObject();
        Assert.Equal((id, "random", "1"), ((string?)replay["environment"], (string?)replay["player"], (string?)replay["seed"]));
        int agents = replay["agents"]!.AsArray().Count;
        var episodes = replay["episodes"]!.AsArray();
        int[] lengths = [.. Length().Matches(output).Select(length => int.Parse(length.Groups[1].Value))];
        Assert.Equal(lengths.Select(length => length + 1), episodes.Select(episode => episode!["frames"]!.AsArray().Count));
        Assert.Equal([0, lengths[0] + 6], episodes.Select(episode => (int)episode!["start"]!));
        Assert.All(episodes.SelectMany(episode => episode!["frames"]!.AsArray().Skip(1)),
            frame => Assert.Equal((agents, agents), (frame!["actions"]!.AsArray().Count, frame["rewards"]!.AsArray().Count)));
        Assert.Equal(id == "two-step" ? 0 : agents, AgentShape().Count(page));
    }

    [Fact]
    public void APictureIsAFileOfItsOwn()
    {
        string output = MarlProcess.Run(Folder, "play", "run", "--episodes", "2", "--svg", "run.svg", "--replay", "run.html", "--json").HasSucceeded().Output;
        var summary = JsonNode.Parse(output.TrimEnd().Split('\n')[^1])!;
        Assert.Equal(("run.html", "run.svg"), ((string?)summary["replay"], (string?)summary["svg"]));
        Assert.Equal(2, AgentShape().Count(File.ReadAllText(trained.Folder["run.svg"])));
        Assert.EndsWith("svg alone.svg\n", MarlProcess.Run(Folder, "play", "run", "--svg", "alone.svg").HasSucceeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void AgentsKeepTheirNames()
    {
        using var script = new External.Script(External.NamedScript.Deeds);
        string[] play = ["play", "random", "--env-cmd", script.Command];
        string output = MarlProcess.Run(Folder, play).HasSucceeded().Output;
        Assert.Contains($"{External.NamedScript.First} 0.5  {External.NamedScript.Second} 1\n", output, StringComparison.Ordinal);
        var lines = MarlProcess.Run(Folder, [.. play, "--json", "--replay", "names.html"]).HasSucceeded().Lines;
        Assert.All(lines, line => Assert.Equal([External.NamedScript.First, External.NamedScript.Second], line["agents"]!.AsArray().Select(name => (string?)name)));
        string page = File.ReadAllText(trained.Folder["names.html"]);
        Assert.DoesNotContain("<b>", page, StringComparison.Ordinal);
        Assert.Equal([External.NamedScript.First, External.NamedScript.Second],
            JsonNode.Parse(Data().Match(page).Groups[1].Value)!["agents"]!.AsArray().Select(agent => (string?)agent!["name"]));
    }

    [Theory]
    [InlineData("play", "<player> is missing; see marl play --help")]
    [InlineData("play random", "the environment is missing: marl play random --env <id>")]
    [InlineData("play random --env lfb:8x8-2p-2f", "unknown environment 'lfb:8x8-2p-2f'; did you mean 'lbf:8x8-2p-2f'?")]
    [InlineData("play nowhere --env two-step", "'nowhere' is neither a run nor a policy")]
    [InlineData("play run --env two-step",
        "a policy for 2 agents of lbf:5x5-2p-1f cannot act in two-step: the number of agents, their observations or their actions differ")]
    [InlineData("play random --env two-step --step", "option '--step' needs a terminal to read keys from")]
    [InlineData("play random --env two-step --fps 0", "option '--fps' cannot be '0'; a positive number up to 1000 is required")]
    [InlineData("play random --env two-step --episodes 0", "option '--episodes' cannot be '0'; an integer from 1 to 2147483647 is required")]
    [InlineData("play random --env two-step --replay no/page.html", "'no/page.html' cannot be written: its folder does not exist")]
    [InlineData("play random --env two-step --svg two.svg", "'two.svg' cannot be written: two-step has no scenes to draw")]
    [InlineData("play random --env two-step --repaly page.html", "unknown option '--repaly'; did you mean '--replay'?")]
    public void MistakesAreNamedInOneLine(string words, string line) => MarlProcess.Run(Folder, words.Split(' ')).HasFailed(2, line);

    [GeneratedRegex("""<script id="replay" type="application/json">(.*)</script>""")]
    private static partial Regex Data();

    [GeneratedRegex("""<g class="agent">""")]
    private static partial Regex AgentShape();

    [GeneratedRegex(@"after (\d+) steps")]
    private static partial Regex Length();
}
