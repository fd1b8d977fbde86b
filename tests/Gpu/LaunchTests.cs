using ILGPU.Runtime.Cuda;
using Marl.Native.Gpu;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Gpu;

/// <summary>Launches that are taken together, and launches that are timed.</summary>
public sealed class LaunchTests
{
    /// <summary>An algorithm, updates per round, and settings.</summary>
    public static TheoryData<string, int, string[]> UpdateCases
    {
        get
        {
            TheoryData<string, int, string[]> data = new() { { "qmix", 2, [] }, { "maddpg", 2, [] }, { "ia2c", 1, [] } };
            if (Devices.All)
            {
                foreach (var algorithm in Catalog.Algorithms.Where(algorithm => algorithm.Name is not ("qmix" or "maddpg" or "ia2c")))
                {
                    data.Add(algorithm.Name, algorithm.CreateOptions() is OnPolicyOptions onPolicy ? onPolicy.Epochs * onPolicy.Minibatches : 2, []);
                }
                data.Add("mappo", 4, ["epochs=2", "minibatches=2"]);
            }
            return data;
        }
    }

    /// <summary>Everything that an update launches, of all its phases, is launched as one; in learning from a round everything of a step. Launches that do not
    /// depend on each other are joined.</summary>
    [Theory]
    [MemberData(nameof(UpdateCases))]
    public void AnUpdateIsTakenAsOne(string algorithm, int perRound, string[] settings)
    {
        const int Rounds = 3;
        var graphs = new Recording();
        using var device = graphs.Device = GpuDevices.OpenEmulated(blas: null, graphs);
        settings = ["environments=4", "updatesPerEpisode=2", "standardizeReturns=false", .. settings];
        using LearnerInRounds cpu = new(algorithm, Device.Cpu, settings), gpu = new(algorithm, device, settings);
        cpu.Learn(5 + Rounds);
        gpu.Learn(5);
        var (before, taken, launches) = (device.Transfers, graphs.Taken, graphs.Launches);
        gpu.Learn(Rounds);
        // What a loss draws goes over where it is used: launches before it are submitted.
        Assert.InRange(graphs.Taken - taken, Rounds * perRound, 4 * Rounds * perRound);
        Assert.InRange(graphs.Launches - launches, 20 * Rounds * perRound, device.Transfers.Since(before).Launches);
        Noise.AssertSameBits(cpu.Weights, gpu.Weights, "weights");
    }

    [Fact]
    public void WhatIsReadOfWhatIsTakenTogetherIsThere()
    {
        var graphs = new Recording();
        using var device = graphs.Device = GpuDevices.OpenEmulated(blas: null, graphs);
        var x = device.Zeros(new Shape(3));
        device.Fill(x, 1f);
        using (device.BeginCapture())
        {
            device.Fill(x, 2f);
            Assert.Equal([2f, 2f, 2f], x.ToArray());
            // The first time kernels may have to be compiled, which cannot be captured.
            Assert.Equal((0, 0), (graphs.Taken, graphs.Launches));
            device.Fill(x, 3f);
            Assert.Equal((0, 0), (graphs.Taken, graphs.Launches));
            Assert.Equal([3f, 3f, 3f], x.ToArray());
            Assert.Equal((1, 1), (graphs.Taken, graphs.Launches));
            device.Fill(x, 4f);
        }
        Assert.Equal((2, 2), (graphs.Taken, graphs.Launches));
        Assert.Equal([4f, 4f, 4f], x.ToArray());
        graphs.Fails = true;
        var failure = Assert.Throws<DeviceException>(() =>
        {
            using var together = device.BeginCapture();
            device.Fill(x, 5f);
        });
        Assert.Contains("launching captured kernels", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryLaunchIsTimed()
    {
        var graphs = new Recording();
        using var device = graphs.Device = GpuDevices.OpenEmulated(blas: null, graphs);
        var x = device.Zeros(new Shape(1000));
        var times = device.Profile(() =>
        {
            using var together = device.BeginCapture();
            device.Fill(x, 1f);
            device.Map(default(Relu), x, x);
            device.Map(default(Relu), x, x);
        });
        Assert.Equal([("Fill", 1), ("Map<Relu>", 2)], times.Select(time => (time.Kernel, time.Launches)).Order());
        Assert.All(times, time => Assert.InRange(time.Seconds, 1e-7, 60));
        Assert.Equal(0, graphs.Taken);
        // And none after that.
        device.Fill(x, 2f);
        Assert.Empty(device.Profile(() => { }));
    }

    /// <summary>Graphs of a processor, which begins with everything at once: they see to it that nothing is asked for that could not be collected.</summary>
    private sealed class Recording : ILaunchGraphs
    {
        private TransferCounters? begun;

        public GpuDevice? Device { get; set; }

        public int Taken { get; private set; }

        public long Launches { get; private set; }

        public bool Fails { get; set; }

        public void Begin()
        {
            Assert.Null(begun);
            begun = Device!.Transfers;
        }

        public bool TryReplay(ulong shape, ulong arguments) => false;

        public void Launch(ulong shape, ulong arguments)
        {
            var traffic = Device!.Transfers.Since(begun!.Value);
            Assert.Equal((0, 0, 0), (traffic.Downloads, traffic.Synchronizations, traffic.Allocations));
            (begun, Taken, Launches) = (null, Taken + 1, Launches + traffic.Launches);
            if (Fails)
            {
                throw new CudaException("it is gone");
            }
        }

        public void Abandon() => begun = null;

        public void Clear()
        {
        }

        public void Dispose()
        {
        }
    }
}
