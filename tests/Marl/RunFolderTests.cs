using System.Text.Json.Nodes;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>What a run leaves on disk, and what becomes of it when files are damaged or belong to somebody else.</summary>
public sealed class RunFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void FilesOfTheUserStay()
    {
        string[] names = ["notes.tmp", "probe.tmp", "config.json.tmp", "checkpoint.safetensors.part", "config.json.backup.part"];
        Directory.CreateDirectory(folder["run"]);
        foreach (string name in names)
        {
            File.WriteAllText(folder[$"run/{name}"], "mine");
        }
        File.WriteAllText(folder["run/config.json.abcdefgh.xyz.part"], "left by a run that was killed");
        Train(100);
        Assert.All(names, name => Assert.Equal("mine", File.ReadAllText(folder[$"run/{name}"])));
        Assert.False(File.Exists(folder["run/config.json.abcdefgh.xyz.part"]));
    }

    [Fact]
    public void WhatNoEpisodeSaysIsNullInJson()
    {
        // No episode of 50 steps has ended after 16 or 32 steps of training.
        var configuration = Games.Configure("ia2c", "identity?steps=50", 48,
            settings: ["hidden=4", "criticHidden=4", "environments=2", "rolloutLength=8", "evaluationInterval=16"]);
        using (var trainer = new Trainer(configuration, folder: new RunFolder(folder["run"])))
        {
            trainer.Run();
        }
        var rows = File.ReadAllLines(folder["run/metrics.jsonl"]).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(3, rows.Length);
        Assert.All(rows, row => Assert.Equal((null, null), (row["trainingReturn"], row["episodeLength"])));
        Assert.All(rows, row => Assert.InRange((double)row["returnMean"]!, 0, 50));
        string[] table = File.ReadAllLines(folder["run/metrics.csv"]);
        Assert.Equal("NaN", table[1].Split(',')[Array.IndexOf(table[0].Split(','), "trainingReturn")]);
        using var resumed = Trainer.Resume(new RunFolder(folder["run"]), steps: 96);
        resumed.Run();
        Assert.Equal(6, File.ReadAllLines(folder["run/metrics.jsonl"]).Length);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("truncated")]
    [InlineData("empty")]
    public void ADamagedCheckpointHasAPredecessor(string damage)
    {
        string whole = Train(400, "whole");
        Train(400);
        Damage("checkpoint.safetensors", damage);
        var run = new RunFolder(folder["run"]);
        using var trainer = Trainer.Resume(run);
        Assert.NotNull(trainer.CheckpointProblem);
        Assert.Contains("checkpoint.safetensors", trainer.CheckpointProblem, StringComparison.Ordinal);
        Assert.InRange(trainer.Steps, 1, 399);
        Assert.Equal(whole, trainer.Run().WeightsSha256);
        Assert.Equal(WithoutSeconds("whole"), WithoutSeconds("run"));
    }

    [Fact]
    public void ARunWithoutACheckpointIsNotStartedAgain()
    {
        Train(400);
        string metrics = File.ReadAllText(folder["run/metrics.csv"]);
        File.Delete(folder["run/checkpoint.safetensors"]);
        File.Delete(folder["run/checkpoint.previous.safetensors"]);
        string problem = Assert.Throws<UsageException>(() => Trainer.Resume(new RunFolder(folder["run"]))).Message;
        Assert.Contains("has no checkpoint to resume from; to start again: marl train --config", problem, StringComparison.Ordinal);
        Directory.CreateDirectory(folder["run/checkpoint.safetensors"]);
        Assert.Equal(problem, Assert.Throws<UsageException>(() => Trainer.Resume(new RunFolder(folder["run"]))).Message);
        Assert.Equal(metrics, File.ReadAllText(folder["run/metrics.csv"]));
    }

    [Theory]
    [InlineData("metrics.jsonl", "not json")]
    [InlineData("metrics.jsonl", "{}")]
    [InlineData("metrics.jsonl", """{"steps": "many"}""")]
    [InlineData("metrics.jsonl", "[1]")]
    [InlineData("metrics.csv", "no number")]
    [InlineData("metrics.csv", "99999999999999999999,1")]
    public void ADamagedRowOfMetricsIsNamedAndNothingIsChanged(string file, string row)
    {
        Train(400);
        File.AppendAllText(folder[$"run/{file}"], row + "\n");
        int line = File.ReadAllLines(folder[$"run/{file}"]).Length;
        string[] before = [.. Contents()];
        using var run = new RunFolder(folder["run"]);
        using var trainer = Trainer.Resume(run, steps: 800);
        Assert.Equal($"'{folder[$"run/{file}"]}', line {line}: this is not a row of metrics; remove the line to continue", Assert.Throws<InvalidDataException>(() => trainer.Run()).Message);
        Assert.Equal(before, Contents());

        IEnumerable<string> Contents() => ((string[])["metrics.jsonl", "metrics.csv", "summary.json"]).Select(name => File.ReadAllText(folder[$"run/{name}"]));
    }

    [Fact]
    public void ARowThatAKillCutOffIsDropped()
    {
        string whole = Train(400, "whole");
        Train(400);
        File.AppendAllText(folder["run/metrics.jsonl"], """{"steps": 1""");
        File.AppendAllText(folder["run/metrics.csv"], "12");
        using var run = new RunFolder(folder["run"]);
        using var trainer = Trainer.Resume(run);
        Assert.Equal(whole, trainer.Run().WeightsSha256);
        Assert.Equal(WithoutSeconds("whole"), WithoutSeconds("run"));
    }

    private string Train(long steps, string name = "run")
    {
        using var run = RunFolder.New(folder[name]);
        var configuration = RunConfiguration.Of("vdn", "two-step", null,
            [$"steps={steps}", "hidden=8", "environments=2", "batchSize=4", "bufferSize=64", "evaluationInterval=50", "evaluationEpisodes=2", "checkpointInterval=100", "threads=1"]);
        using var trainer = new Trainer(configuration, folder: run);
        return trainer.Run().WeightsSha256;
    }

    private void Damage(string name, string how)
    {
        string file = folder[$"run/{name}"];
        byte[] content = File.ReadAllBytes(file);
        File.Delete(file);
        if (how != "missing")
        {
            File.WriteAllBytes(file, content[..(how == "empty" ? 0 : content.Length - 5)]);
        }
    }

    private string[] WithoutSeconds(string name)
    {
        string[][] rows = [.. File.ReadAllLines(folder[$"{name}/metrics.csv"]).Select(line => line.Split(','))];
        int seconds = Array.IndexOf(rows[0], "seconds");
        return [.. rows.Select(row => string.Join(',', row.Where((_, i) => i != seconds)))];
    }
}
