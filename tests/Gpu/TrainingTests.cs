using Marl.Native.Rl;

namespace Marl.Native.Tests.Gpu;

/// <summary>Whole runs on every device, beside the CPU: of all algorithms, or without those that are much like another one (<see cref="Devices.All"/>).</summary>
public sealed class TrainingTests(Devices devices) : IClassFixture<Devices>
{
    /// <summary>Deterministic policies: <see cref="LaunchTests"/>.</summary>
    private static readonly string[] MuchLikeOthers
        = ["qtran-alt", "qplex", "cw-qmix", "ow-qmix", "ippo", "maa2c", "pareto-ac", "maddpg", "matd3", "ddpg"];

    /// <summary>Those that take longest on the CPU accelerator.</summary>
    private static readonly string[] SlowThreadByThread = ["mappo", "qtran", "vdac"];

    public static TheoryData<string, string> Algorithms
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string device in Devices.Present)
            {
                foreach (string algorithm in Catalog.Algorithms.Select(algorithm => algorithm.Name).Where(name => Devices.All
                    || !MuchLikeOthers.Contains(name) && !(device == Devices.Emulated && SlowThreadByThread.Contains(name))))
                {
                    data.Add(device, algorithm);
                }
            }
            return data;
        }
    }

    /// <summary>The emulated device learns the CPU's weights to the last bit; others, which sum norms in wider groups, come close in a few updates.</summary>
    [Theory]
    [MemberData(nameof(Algorithms))]
    public void LearnsWhatTheCpuLearns(string id, string algorithm)
        => Agreement.Assert(id, Train(algorithm, Device.Cpu), Train(algorithm, devices[id]), algorithm, ulp: 4096, sameOrder: false);

    public static TheoryData<string, string> AlgorithmsWithOwnWeights
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string device in Devices.Present)
            {
                foreach (string algorithm in Devices.All || device != Devices.Emulated ? ["vdn", "maa2c", "mappo", "liir"] : (string[])["vdn", "maa2c"])
                {
                    data.Add(device, algorithm);
                }
            }
            return data;
        }
    }

    /// <summary>Weights of their own for every agent: some tensors are empty.</summary>
    [Theory]
    [MemberData(nameof(AlgorithmsWithOwnWeights))]
    public void WeightsOfTheirOwn(string id, string algorithm)
        => Agreement.Assert(id, Train(algorithm, Device.Cpu, "shareParameters=false"), Train(algorithm, devices[id], "shareParameters=false"), algorithm, ulp: 4096, sameOrder: false);

    internal static float[] Train(string algorithm, Device device, params string[] more)
    {
        // LIIR's returns are of two kinds, which it does not standardize.
        string[] all = ["hidden=8", "agent=gru", "batchSize=4", "standardizeRewards=false", "centralHidden=8", "centralEmbed=6", algorithm == "liir" ? "lambda=0.5" : "standardizeReturns=true"];
        string[] settings = [.. Games.Known(algorithm, "two-step", all), .. more, "steps=16", "environments=4", "shards=1", "evaluationInterval=0", "evaluationEpisodes=1", "checkpointInterval=0"];
        using var trainer = new Trainer(RunConfiguration.Of(algorithm, "two-step", null, settings), device: device);
        trainer.Run();
        return trainer.Learner.Parameters.Values.ToArray();
    }
}
