using Marl.Native.Gpu;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Gpu;

/// <summary>What stays on a device during updates, what goes there, and when anything comes back.</summary>
public sealed class ResidencyTests(Devices devices) : IClassFixture<Devices>
{
    private const string Foraging = "lbf:5x5-2p-1f", TwoStep = "two-step";

    public static TheoryData<string> Present => [.. Devices.Present];

    public static TheoryData<string, string> Worlds
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string device in Devices.Present)
            {
                data.Add(device, Foraging);
                data.Add(device, Native.Tests.TrainingTests.Numbers);
            }
            return data;
        }
    }

    /// <summary>An algorithm, transfers of losses and of estimates in a round, and settings.</summary>
    public static TheoryData<string, int, int, string[]> RoundCases
    {
        get
        {
            TheoryData<string, int, int, string[]> data = new()
            {
                { "reinforce", 1, 1, [] }, { "ia2c", 1, 2, [] }, { "maa2c", 1, 2, [] }, { "coma", 1, 3, [] }, { "pareto-ac", 1, 3, [] },
                { "mappo", 2 + 1, 2 + 1, ["epochs=2", "minibatches=1", "standardizeReturns=true"] },
            };
            if (Devices.All)
            {
                data.Add("mappo", 2 * 4, 2, ["epochs=2", "minibatches=4"]);
                data.Add("ippo", 3 * 2, 2, ["epochs=3", "minibatches=2"]);
                data.Add("liir", 3, 4, []);
                data.Add("liir", 3 * 2 * 2, 4, ["epochs=2", "minibatches=2"]);
            }
            return data;
        }
    }

    /// <summary>An algorithm, and transfers of an update.</summary>
    public static TheoryData<string, int> UpdateCases
    {
        get
        {
            TheoryData<string, int> data = new() { { "vdn", 1 }, { "qmix", 1 }, { "maddpg", 3 } };
            foreach (string algorithm in Devices.All ? ["iql", "qplex", "qtran", "cw-qmix"] : Array.Empty<string>())
            {
                data.Add(algorithm, 1);
            }
            return data;
        }
    }

    /// <summary>An algorithm, and the bytes of a device.</summary>
    public static TheoryData<string, int> SmallDevices
    {
        get
        {
            TheoryData<string, int> data = new() { { "vdn", 100_000 }, { "ia2c", 1_000 } };
            if (Devices.All)
            {
                data.Add("mappo", 1_000);
            }
            return data;
        }
    }

    /// <summary>Episodes of unlike length, some of which were replaced by others: to the last bit, padding too.</summary>
    [Theory]
    [MemberData(nameof(Worlds))]
    public void ABatchPutTogetherOnADeviceIsThatOfTheCpu(string id, string world)
    {
        const int Batch = 4, Kept = 6;
        var (spec, device) = (Catalog.CreateEnvironment(world).Spec, devices[id]);
        var replay = new ReplayBuffer(Kept, ReplayMemory.TryCreate(new Schema(spec, spec.Agents.Length), Kept, device)!);
        for (int i = 0; i < 15; i++)
        {
            var evicted = replay.Add(Games.Play(() => Catalog.CreateEnvironment(world), i, RewardMode.Individual));
            Assert.Equal(i >= Kept, evicted is not null);
            Assert.Null(evicted?.Memory);
        }
        var statistics = new RunningStatistics(spec.Agents.Length);
        statistics.Update([.. Enumerable.Range(0, 2 * spec.Agents.Length).Select(i => i * i - 0.3f)]);
        EpisodeBatch here = new(spec, Batch, spec.Agents.Length), there = new(spec, Batch, spec.Agents.Length, device);
        var (sample, rng) = (new Episode[Batch], new Rng(5));
        for (int draw = 0; draw < 4; draw++)
        {
            replay.Sample(sample, ref rng);
            var before = device.Transfers;
            here.Load(sample, statistics);
            there.Load(sample, statistics);
            var traffic = device.Transfers.Since(before);
            Assert.Equal((1, 0, 0), (traffic.Uploads, traffic.Downloads, traffic.Synchronizations));
            // Rewards, ends, masks and places; when they were played; to the next cache line each.
            Assert.InRange(traffic.UploadedElements, 1, (spec.EpisodeLimit + 1) * Batch * (spec.Agents.Length + 3) + 2 * Batch + 5 * 16);
            foreach (var field in Recorded(spec))
            {
                Noise.AssertSameBits(field(here).ToArray(), field(there).ToArray(), $"draw {draw}");
            }
        }
        // One that is not there: all are sent.
        sample[1] = Games.Play(() => Catalog.CreateEnvironment(world), 99, RewardMode.Individual);
        here.Load(sample);
        there.Load(sample);
        Noise.AssertSameBits(here.Observations.ToArray(), there.Observations.ToArray(), "observations");
    }

    /// <summary>A round of episodes of unlike length, kept before and after critics looked at them, in batches of all and of some of them in any order.</summary>
    [Theory]
    [MemberData(nameof(Worlds))]
    public void AMinibatchPutTogetherOnADeviceIsThatOfTheCpu(string id, string world)
    {
        const int Round = 6;
        var (spec, device) = (Catalog.CreateEnvironment(world).Spec, devices[id]);
        int streams = spec.Agents.Length;
        Column[] estimated = [Column.Values, Column.Returns, Column.Advantages, Liir.ExtrinsicReturns, Liir.ExtrinsicAdvantages];
        var schema = new Schema(spec, streams, estimated);
        var memory = RoundMemory.TryCreate(schema, Round, spec.EpisodeLimit + 1, device)!;
        EpisodeBatch here = new(schema, Round, Device.Cpu), there = new(schema, Round, device);
        Func<EpisodeBatch, Tensor>[] recorded = Recorded(spec), all = [.. recorded, .. estimated.Select<Column, Func<EpisodeBatch, Tensor>>(column => batch => batch[column])];
        for (int round = 0; round < 3; round++)
        {
            Episode[] episodes = [.. Enumerable.Range(0, Round).Select(i => Games.Play(() => Catalog.CreateEnvironment(world), Round * round + i, RewardMode.Individual))];
            var before = device.Transfers;
            memory.Store(episodes);
            Assert.Equal((1, 0), (device.Transfers.Since(before).Uploads, device.Transfers.Since(before).Downloads));
            Compare(episodes, recorded);
            var rng = new Rng(9).Split(RngPurpose.Test, round);
            foreach (var episode in episodes)
            {
                foreach (var column in estimated)
                {
                    episode.Add(column);
                    Noise.Between(ref rng, -1f, 1f, episode[column].Length).Span.CopyTo(episode[column]);
                }
            }
            before = device.Transfers;
            memory.StoreEstimates(episodes);
            Assert.Equal((1, 0), (device.Transfers.Since(before).Uploads, device.Transfers.Since(before).Downloads));
            Compare(episodes, all);
            Compare([episodes[4], episodes[1]], all);
            Compare([episodes[3], episodes[0], episodes[5]], all);
            memory.Release(episodes);
            Assert.All(episodes, episode => Assert.Null(episode.Memory));
        }

        void Compare(Episode[] episodes, Func<EpisodeBatch, Tensor>[] fields)
        {
            var before = device.Transfers;
            here.Load(episodes);
            there.Load(episodes);
            var traffic = device.Transfers.Since(before);
            Assert.Equal((1, 0, 0), (traffic.Uploads, traffic.Downloads, traffic.Synchronizations));
            Assert.InRange(traffic.UploadedElements, 1, (spec.EpisodeLimit + 1) * Round * (streams + 3) + 2 * Round + 5 * 16);
            foreach (var field in fields)
            {
                Noise.AssertSameBits(field(here).ToArray(), field(there).ToArray(), $"{episodes.Length} episodes");
            }
        }
    }

    /// <summary>Transfers of a round of on-policy learning: what was lived, what critics made of it, and one for every batch that a critic or a loss is given; back come the
    /// fields that critics make. Values that were learned of standardized returns are made returns here, which is one more each way.</summary>
    [Theory]
    [MemberData(nameof(RoundCases))]
    public void ARoundGoesOverOnce(string algorithm, int losses, int estimates, string[] settings)
    {
        const int Rounds = 2;
        var device = devices["emulated"];
        using var run = new LearnerInRounds(algorithm, device, ["environments=4", "standardizeReturns=false", .. settings]);
        run.Learn(Rounds);
        var before = device.Transfers;
        run.Learn(Rounds);
        var traffic = device.Transfers.Since(before);
        // Nobody waits but for what comes back.
        Assert.Equal((Rounds * (2 + 1 + losses), Rounds * estimates, Rounds * estimates, 0),
            (traffic.Uploads, traffic.Downloads, traffic.Synchronizations, traffic.Allocations));
    }

    /// <summary>Transfers of an update: one for each step of another network, and what a loss draws.</summary>
    [Theory]
    [MemberData(nameof(UpdateCases))]
    public void AnUpdateReadsNothingAndWritesOnce(string algorithm, int uploads)
    {
        const int Updates = 2, Rounds = 2;
        var device = devices["emulated"];
        using var run = new LearnerInRounds(algorithm, device, $"updatesPerEpisode={Updates}");
        run.Learn(rounds: 4);
        var before = device.Transfers;
        run.Learn(Rounds);
        var traffic = device.Transfers.Since(before);
        // And one for every episode.
        Assert.Equal((Rounds * (1 + Updates * uploads), 0, 0, 0), (traffic.Uploads, traffic.Downloads, traffic.Synchronizations, traffic.Allocations));
        _ = run.Learner.Statistics;
        Assert.True(device.Transfers.Since(before).Downloads > 0);
    }

    [Theory]
    [MemberData(nameof(Present))]
    public void AStepIsScaledOrNotTakenAsOnTheCpu(string id)
    {
        Rng rng = new(3);
        float[] squares = Noise.Between(ref rng, 0f, 2f, 37).ToArray(), broken = [.. squares[..20], float.NaN, .. squares[21..]];
        float[] infinite = [.. squares[..36], float.PositiveInfinity], tiny = [.. squares.Select(s => s * 1e-12f)], great = [.. squares.Select(s => s * 1e37f)];
        foreach (float[] sums in (float[][])[squares, broken, infinite, tiny, great, [0f, 0f], [3e38f, 3e38f]])
        {
            foreach (float loss in (float[])[0f, -3f, float.NaN, float.PositiveInfinity, float.NegativeInfinity])
            {
                foreach (float max in (float[])[10f, 1f, 1e-6f, float.PositiveInfinity])
                {
                    Agreement.Assert(id, Scaled(Device.Cpu), Scaled(devices[id]), $"{sums[^1]} {loss} {max}");

                    float[] Scaled(Device device)
                    {
                        Tensor s = device.Zeros(new Shape(sums.Length)), l = device.Zeros(new Shape(1)), scale = device.Zeros(new Shape(1));
                        Tensor p = device.Zeros(new Shape(3)), g = device.Zeros(new Shape(3));
                        s.CopyFrom(sums);
                        l.CopyFrom([loss]);
                        g.CopyFrom([1f, -2f, 3f]);
                        device.ClipScale(s, l, max, scale);
                        device.Update(new Sgd.Update(0.1f, 0f, 1f, 0f), p, g, default, default, scale);
                        float first = scale.ToScalar();
                        // What was no step keeps the next from being one.
                        s.CopyFrom(new float[sums.Length]);
                        device.ClipScale(s, default, max, scale);
                        return [first, scale.ToScalar(), .. p.ToArray()];
                    }
                }
            }
        }
    }

    [Fact]
    public void TheDeviceIsAskedWhenThereIsNoMoreRoom()
    {
        var device = devices["emulated"];
        // Two rounds take a few steps more than there is room for.
        using var run = new LearnerInRounds("vdn", device, $"updatesPerEpisode={TrainedNetwork.StepsBetweenReads / 2 + 1}");
        run.Learn(rounds: 3);
        var before = device.Transfers;
        run.Learn(rounds: 1);
        Assert.Equal((1, 1), (device.Transfers.Since(before).Downloads, device.Transfers.Since(before).Synchronizations));
    }

    [Fact]
    public void WhatIsNoNumberIsFoundByTheNextReadingAndChangesNoWeights()
    {
        using LearnerInRounds cpu = new("vdn", Device.Cpu), gpu = new("vdn", devices["emulated"]);
        cpu.Learn(rounds: 4);
        gpu.Learn(rounds: 4);
        var expected = Assert.Throws<DivergedException>(() => cpu.Learn(rounds: 1, reward: float.NaN));
        gpu.Learn(rounds: 1, reward: float.NaN);
        gpu.Learn(rounds: 5);
        Noise.AssertSameBits(cpu.Weights, gpu.Weights, "weights");
        Assert.All(gpu.Weights, weight => Assert.True(float.IsFinite(weight)));
        Assert.Equal(expected.Message, Assert.Throws<DivergedException>(() => gpu.Learner.Archive(new SafetensorsWriter())).Message);
    }

    [Fact]
    public void MemoryIsForEpisodesThatFit()
    {
        using var small = GpuDevices.OpenEmulated(memory: 100_000);
        Assert.Null(ReplayMemory.TryCreate(new Schema(Catalog.CreateEnvironment(Foraging).Spec, 1), 5000, small));
        Assert.NotNull(ReplayMemory.TryCreate(new Schema(Catalog.CreateEnvironment(TwoStep).Spec, 1), 4, small));
        Assert.Null(ReplayMemory.TryCreate(new Schema(Catalog.CreateEnvironment(TwoStep).Spec, 1), 4, Device.Cpu));
        using var tiny = GpuDevices.OpenEmulated(memory: 1_000);
        Assert.Null(RoundMemory.TryCreate(new Schema(Catalog.CreateEnvironment(TwoStep).Spec, 1), 4, 3, tiny));
        Assert.NotNull(RoundMemory.TryCreate(new Schema(Catalog.CreateEnvironment(TwoStep).Spec, 1), 4, 3, small));
        Assert.Null(RoundMemory.TryCreate(new Schema(Catalog.CreateEnvironment(TwoStep).Spec, 1), 4, 3, Device.Cpu));
    }

    [Theory]
    [MemberData(nameof(SmallDevices))]
    public void EpisodesThatDoNotFitStayHere(string algorithm, int memory)
    {
        using var small = GpuDevices.OpenEmulated(memory);
        Noise.AssertSameBits(TrainingTests.Train(algorithm, Device.Cpu), TrainingTests.Train(algorithm, small), "weights");
    }

    [Fact]
    public void WhatIsRestoredGoesToTheDeviceAgain()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using LearnerInRounds whole = new("vdn", Device.Cpu), first = new("vdn", devices["emulated"]);
            whole.Learn(rounds: 12);
            first.Learn(rounds: 7);
            var writer = new SafetensorsWriter();
            first.Learner.Archive(writer);
            writer.Save(path);
            using LearnerInRounds second = new("vdn", devices["emulated"]);
            second.Restore(path, rounds: 7);
            // Tables that never change go over the first time.
            second.Learn(rounds: 1);
            var before = devices["emulated"].Transfers;
            second.Learn(rounds: 4);
            Assert.Equal(8, devices["emulated"].Transfers.Since(before).Uploads);
            Noise.AssertSameBits(whole.Weights, second.Weights, "weights");
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>What is recorded, and what follows from it.</summary>
    private static Func<EpisodeBatch, Tensor>[] Recorded(EnvironmentSpec spec)
    {
        Func<EpisodeBatch, Tensor>[] continuous = spec.ActionLayout.VectorSize > 0 ? [batch => batch.ContinuousActions] : [];
        return
        [
            batch => batch.Observations, batch => batch.States, batch => batch.Available, batch => batch.BootstrapActions, .. continuous,
            batch => batch.Probabilities, batch => batch.Rewards, batch => batch.Terminated, batch => batch.Mask, batch => batch.Fingerprints,
        ];
    }
}
