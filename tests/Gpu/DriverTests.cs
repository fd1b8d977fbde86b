using Marl.Native.Gpu;

namespace Marl.Native.Tests.Gpu;

/// <summary>ILGPU's CUDA back end on the driver of the tests: graphs between updates, and what the driver reports.</summary>
public sealed class DriverTests
{
    /// <summary>Updates as graphs give the bits of the CPU. After the first updates no graph is created, and few nodes change.</summary>
    [DriverFact]
    public void GraphsAreUpdatedInPlace()
    {
        const int Rounds = 3;
        string[] settings = ["environments=4", "updatesPerEpisode=2", "standardizeReturns=false"];
        using var device = GpuDevices.Open("cuda:0+graphs");
        using LearnerInRounds cpu = new("qmix", Device.Cpu, settings), gpu = new("qmix", device, settings);
        cpu.Learn(4 + Rounds);
        gpu.Learn(4);
        device.Synchronize();
        var before = TestDriver.Counters;
        gpu.Learn(Rounds);
        device.Synchronize();
        var after = TestDriver.Counters;
        Assert.Equal(2 * Rounds, after.GraphLaunches - before.GraphLaunches);
        Assert.Equal(0, after.Instantiations - before.Instantiations);
        Assert.Equal(0, after.RefusedUpdates - before.RefusedUpdates);
        Assert.Equal(before.Live, after.Live);
        Assert.Equal(0, after.Faults);
        long nodes = after.Captured - before.Captured, changed = after.ChangedNodes - before.ChangedNodes;
        Assert.InRange(changed, 1, nodes / 10);
        Noise.AssertSameBits(cpu.Weights, gpu.Weights, "weights");
    }
}
