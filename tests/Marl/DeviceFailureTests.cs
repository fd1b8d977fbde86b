using Marl.Native.Cli.Commands;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>A device that fails in the middle of a run: what is saved, what is said, and how the run goes on.</summary>
public sealed class DeviceFailureTests : IDisposable
{
    private static readonly RunConfiguration configuration = Games.Configure("qmix", "two-step", 400,
        settings: [.. Games.TinyFor("qmix"), "checkpointInterval=100", "evaluationInterval=0"]);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>No room for more, or a kernel that is refused: the memory there is can still be read.</summary>
    [Theory]
    [InlineData("Gemm", 250)]
    [InlineData("MonotoneMixBackward", 250)]
    [InlineData("Allocate", 15)]
    public void WhatTheLastFinishedUpdateLeftIsSaved(string primitive, int after)
    {
        float[] learned = [];
        using var trainer = Failing(primitive, after, lost: false);
        Assert.Throws<DeviceException>(() => trainer.Run(onRound: (_, _) => learned = trainer.Learner.Parameters.Values.ToArray()));
        Assert.True(trainer.Steps > after && trainer.Steps < 400);
        Assert.Equal(trainer.Steps, trainer.SavedSteps);
        long saved = trainer.SavedSteps;
        trainer.Dispose();

        using var resumed = Trainer.Resume(new RunFolder(folder["run"]));
        Assert.Equal((saved, saved), (resumed.Steps, resumed.SavedSteps));
        Noise.AssertSameBits(learned, resumed.Learner.Parameters.Values.ToArray(), "weights");
        Assert.True(resumed.Run().Finished);
    }

    /// <summary>Nothing can be read any more: the last checkpoint stays as it is, and the run ends as if nothing had happened.</summary>
    [Theory]
    [InlineData("Gemm")]
    [InlineData("Update")]
    [InlineData("Read")]
    public void OfALostDeviceTheLastCheckpointIsLeft(string primitive)
    {
        string whole;
        using (var trainer = new Trainer(configuration, device: new FaultyDevice(_ => { })))
        {
            whole = trainer.Run().WeightsSha256;
        }
        using (var trainer = Failing(primitive, after: 250, lost: true))
        {
            Assert.Throws<DeviceException>(() => trainer.Run());
            Assert.True(trainer.SavedSteps is >= 200 and <= 250, $"{trainer.SavedSteps}");
        }
        using var resumed = Trainer.Resume(new RunFolder(folder["run"]), device: new FaultyDevice(_ => { }));
        Assert.Equal(whole, resumed.Run().WeightsSha256);
    }

    [Theory]
    [InlineData(250, false, "the run is saved at step 260, as its last finished update left it")]
    [InlineData(250, true, "the last checkpoint, of step 200, is")]
    [InlineData(20, true, "the last checkpoint, of step 0, is")]
    public void TheCommandSaysFromWhereTheRunGoesOn(int after, bool lost, string saved)
    {
        using var run = RunFolder.New(folder["run"]);
        using var trainer = Failing("Gemm", after, lost, run);
        string said = Assert.Throws<DeviceException>(() => Session.Train(trainer, run, json: true)).Message;
        Assert.Contains("Gemm failed", said, StringComparison.Ordinal);
        Assert.Contains(saved, said, StringComparison.Ordinal);
        Assert.Contains($"marl resume {folder["run"]}, and --device cpu", said, StringComparison.Ordinal);
    }

    [Fact]
    public void TheConfigurationSaysWhereARunLearnedLast()
    {
        Assert.Equal("cpu", configuration.Training.Device);
        using (var trainer = Failing("Gemm", after: 250, lost: false))
        {
            Assert.Throws<DeviceException>(() => trainer.Run());
        }
        Assert.Equal(configuration with { Training = configuration.Training with { Device = "faulty:0" } }, new RunFolder(folder["run"]).ReadConfiguration());
        using (var resumed = Trainer.Resume(new RunFolder(folder["run"]), threads: 1))
        {
            resumed.Run();
        }
        Assert.Equal(configuration, new RunFolder(folder["run"]).ReadConfiguration());
    }

    /// <summary>A run whose device fails at the next call of a primitive after some steps; for ever, if it is lost.</summary>
    private Trainer Failing(string primitive, long after, bool lost, RunFolder? run = null)
    {
        Trainer? trainer = null;
        bool failed = false;
        var device = new FaultyDevice(name =>
        {
            if (failed ? lost : name == primitive && trainer?.Steps > after)
            {
                failed = true;
                throw new DeviceException($"{name} failed");
            }
        });
        return trainer = new Trainer(configuration, folder: run ?? RunFolder.New(folder["run"]), device: device);
    }
}
