using Marl.Native.Rl;

namespace Marl.Native.Tests.Gpu;

/// <summary>Whole runs of every algorithm on every device, beside the CPU.</summary>
public sealed class TrainingTests(Devices devices) : IClassFixture<Devices>
{
    public static TheoryData<string, string> Algorithms
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string device in Devices.Present)
            {
                foreach (var algorithm in Catalog.Algorithms)
                {
                    data.Add(device, algorithm.Name);
                }
            }
            return data;
        }
    }

    /// <summary>The stand-in learns the CPU's weights to the last bit; others come close in a few updates.</summary>
    [Theory]
    [MemberData(nameof(Algorithms))]
    public void LearnsWhatTheCpuLearns(string id, string algorithm)
        => Agreement.Assert(id, Train(algorithm, Device.Cpu), Train(algorithm, devices[id]), algorithm, ulp: 4096);

    internal static float[] Train(string algorithm, Device device)
    {
        // LIIR's returns are of two kinds, which it does not standardise.
        string[] all = ["hidden=8", "agent=gru", "batchSize=4", "standardiseRewards=false", algorithm == "liir" ? "lambda=0.5" : "standardiseReturns=true"];
        var options = Algorithm.Find(algorithm).DefaultOptions("two-step");
        string[] settings = [.. all.Where(setting => options.ContainsKey(setting[..setting.IndexOf('=')])),
            "steps=16", "environments=4", "shards=1", "evaluateEvery=0", "evaluationEpisodes=1", "checkpointEvery=0"];
        using var trainer = new Trainer(RunConfiguration.Of(algorithm, "two-step", null, settings), device: device);
        trainer.Run();
        return trainer.Learner.Parameters.Values.ToArray();
    }
}
