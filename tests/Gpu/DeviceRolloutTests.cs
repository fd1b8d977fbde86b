using Marl.Native.Gpu;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Gpu;

/// <summary>Rounds that are played on a device: the bits of those on the host, what is transferred, and runs that go on elsewhere.</summary>
public sealed class DeviceRolloutTests(Devices devices) : IClassFixture<Devices>
{
    private const int Rounds = 4;

    public static TheoryData<string, string, string, string[]> Cases
    {
        get
        {
            TheoryData<string, string, string, string[]> data = [];
            foreach (string device in Devices.Present)
            {
                data.Add(device, "ippo", "lbf:5x5-2p-1f?steps=6", ["agent=gru"]);
                data.Add(device, "mappo", "lbf:6x6-3p-2f?steps=5&penalty=0.5", ["agent=mlp", "exploration.epsilonFloorStart=0.5", "exploration.epsilonFloorFinish=0.2", "exploration.maskBeforeSoftmax=false"]);
                data.Add(device, "ia2c", "two-step", ["agent=gru", "lastAction=true", "reward=individual"]);
                data.Add(device, "ippo", "penalty-0?steps=3", ["agent=mlp", "terminateAtLimit=true"]);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ARoundIsThatOfTheHost(string id, string algorithm, string environment, string[] settings)
    {
        var (host, hostReturns) = Train(algorithm, environment, Device.Cpu, settings);
        var (there, returns) = Train(algorithm, environment, devices[id], settings);
        Agreement.Assert(id, host, there, algorithm, ulp: 4096, sameOrder: false);
        Assert.Equal(hostReturns, returns);
    }

    /// <summary>Nothing that is transferred in a round depends on the length of observations, nor on the number of actions.</summary>
    [Fact]
    public void NoObservationIsTransferred()
    {
        var narrow = TransfersOf(4);
        var wide = TransfersOf(40);
        Assert.Equal((narrow.Uploads, narrow.UploadedElements), (wide.Uploads, wide.UploadedElements));
        Assert.Equal((narrow.Downloads, narrow.DownloadedElements), (wide.Downloads, wide.DownloadedElements));

        TransferCounters TransfersOf(int size)
        {
            var device = devices[Devices.Emulated];
            List<TransferCounters> rounds = [];
            using var trainer = NewTrainer("ippo", "two-step", device, ["agent=gru", "standardizeRewards=false"], Rounds, create: () => new Wide(size));
            trainer.Run(onRound: (_, _) => rounds.Add(device.Transfers));
            return rounds[^1].Since(rounds[^2]);
        }
    }

    /// <summary>A run that was begun on a device goes on there or on the CPU as if it had not been interrupted.</summary>
    [Theory]
    [InlineData(true), InlineData(false)]
    public void ARunGoesOn(bool there)
    {
        const string World = "lbf:5x5-2p-1f?steps=6";
        string[] settings = ["agent=gru", "lastAction=true"];
        var device = devices[Devices.Emulated];
        var (whole, _) = Train("ippo", World, Device.Cpu, settings);
        using var folder = new TemporaryFolder();
        using (var first = NewTrainer("ippo", World, device, settings, Rounds / 2, RunFolder.New(folder["run"])))
        {
            first.Run();
        }
        using var second = Trainer.Resume(new RunFolder(folder["run"]), device: there ? device : null, steps: StepsOf(Rounds));
        second.Run();
        Noise.AssertSameBits(whole, second.Learner.Parameters.Values.ToArray(), "weights");
    }

    private static long StepsOf(int rounds) => rounds * 5 * 7;

    private static (float[] Weights, List<(long, double)> Returns) Train(string algorithm, string environment, Device device, string[] settings)
    {
        List<(long, double)> returns = [];
        using var trainer = NewTrainer(algorithm, environment, device, settings, Rounds);
        trainer.Run(onRound: (steps, mean) => returns.Add((steps, mean)));
        return (trainer.Learner.Parameters.Values.ToArray(), returns);
    }

    private static Trainer NewTrainer(string algorithm, string environment, Device device, string[] settings, int rounds, RunFolder? folder = null,
        Func<IEnvironment>? create = null)
    {
        string[] all = ["hidden=8", "criticHidden=8", "epochs=1", "minibatches=1", .. settings];
        return new(RunConfiguration.Of(algorithm, environment, null,
            [
                .. Games.Known(algorithm, environment, all), "environments=5", "rolloutLength=7", $"steps={StepsOf(rounds)}", "shards=1", "threads=1",
                "evaluationInterval=0", "evaluationEpisodes=1", "checkpointInterval=0",
            ]), create, folder, device);
    }
}

/// <summary>Two agents with observations and actions of a size; an episode has five steps, and no reward.</summary>
internal sealed class Wide(int size) : BatchEnvironment<WideRules>(new(size), EnvironmentSpec.Uniform("wide", 2, size, size, 5, 1));

/// <summary>The rules of <see cref="Wide"/>.</summary>
internal readonly struct WideRules(int size) : IBatchEnvironment
{
    public int StateSize => 1;

    public void Reset<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct => world[0] = 0;

    public StepResult Step<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        world.SetReward(0, 0);
        world.SetReward(1, 0);
        return ++world[0] == 5 ? StepResult.Truncated : StepResult.Running;
    }

    public void Observe<TWorld>(TWorld world, int agent) where TWorld : struct, IWorld, allows ref struct
    {
        for (int i = 0; i < size; i++)
        {
            world.SetObservation(i, world[0] + agent);
        }
    }
}
