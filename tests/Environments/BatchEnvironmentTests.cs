using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Environments with a batch form: one at a time and many at once, and the bits that they had as classes of their own.</summary>
public sealed class BatchEnvironmentTests
{
    private const int Count = 200, Steps = 150;

    /// <summary>Ids, and digests of all observations, rewards and results of 200 environments in 150 steps, made before there was a batch form.</summary>
    public static TheoryData<string, ulong> Digests => new()
    {
        { "lbf:8x8-2p-2f-coop", 0xF3C89D7EDD6F0C72 },
        { "lbf:8x8-2p-2f-2s-coop", 0x9E9C31802F2F0C72 },
        { "lbf:8x8-2p-2f-pen", 0xC4DA1BA0AA9CDBF1 },
        { "lbf:10x10-3p-3f-2s", 0xC58E831C4E66E0D2 },
        { "lbf:15x15-4p-5f", 0xB8D47DE00FC4E7A3 },
        { "lbf:5x5-9p-9f", 0xECAC633AADB88EA7 },
        { "lbf-v1:8x8-2p-2f", 0x3D8D5D0AD7B68F44 },
        { "lbf:9x7-3p-3f?min-player-level=2&max-player-level=4&min-food-level=3&max-food-level=5&steps=20", 0xE9DD22BB3F87B46C },
        { "climbing", 0x01D35F86B40CB140 },
        { "penalty-100?steps=3", 0xC74A2FEC38F39940 },
        { "qtran-game", 0xBB272FDD2F59D8C0 },
        { "two-step", 0x839849ED3FB50080 },
    };

    [Theory]
    [MemberData(nameof(Digests))]
    public void OneAtATime(string id, ulong digest)
    {
        ulong all = 0;
        for (int i = 0; i < Count; i++)
        {
            var environment = Catalog.CreateEnvironment(id);
            var (rng, policy, result) = (WorldDigests.EnvironmentRng(i), WorldDigests.ActionRng(i), new WorldDigest());
            var agents = environment.Spec.Agents;
            (int[] actions, double[] rewards) = (new int[agents.Length], new double[agents.Length]);
            environment.Reset(ref rng);
            Observe();
            for (int step = 0; step < Steps; step++)
            {
                for (int agent = 0; agent < agents.Length; agent++)
                {
                    actions[agent] = policy.NextInt(agents[agent].ActionCount);
                }
                var end = environment.Step(actions, rewards, ref rng);
                result.Add(rewards, end);
                if (end != StepResult.Running)
                {
                    environment.Reset(ref rng);
                }
                Observe();
            }
            all += WorldDigests.Weighted(result, i);

            void Observe()
            {
                for (int agent = 0; agent < agents.Length; agent++)
                {
                    float[] observation = new float[agents[agent].ObservationSize];
                    environment.Observe(agent, observation);
                    result.Add(observation);
                }
            }
        }
        Assert.Equal(digest, all);
    }

    [Theory]
    [MemberData(nameof(Digests))]
    public void ManyAtOnce(string id, ulong digest)
    {
        ulong all = 0;
        var digests = WorldDigests.Play(id, Device.Cpu, Count, Steps);
        for (int i = 0; i < Count; i++)
        {
            all += WorldDigests.Weighted(digests[i], i);
        }
        Assert.Equal(digest, all);
    }

    [Fact]
    public void StepsOfManyDoNotAllocate()
    {
        var worlds = WorldDigests.Create("lbf:8x8-2p-2f-coop", Device.Cpu, 4);
        Round();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Round();
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Round()
        {
            worlds.ActRandomly();
            worlds.Step();
            worlds.Reset(all: false);
            worlds.Observe();
        }
    }
}

/// <summary>A digest of an environment's observations, rewards and results.</summary>
internal struct WorldDigest()
{
    /// <summary>FNV-1a of 64-bit words.</summary>
    public ulong Value { get; private set; } = 14695981039346656037;

    public void Add(ReadOnlySpan<float> observation)
    {
        foreach (float x in observation)
        {
            Add(BitConverter.SingleToUInt32Bits(x));
        }
    }

    public void Add(ReadOnlySpan<double> rewards, StepResult result)
    {
        foreach (double reward in rewards)
        {
            Add(BitConverter.DoubleToUInt64Bits(reward));
        }
        Add((ulong)result);
    }

    private void Add(ulong bits) => Value = (Value ^ bits) * 1099511628211;
}

/// <summary>Digests of worlds with random actions.</summary>
internal static class WorldDigests
{
    public static Rng EnvironmentRng(int world) => new Rng(1).Split(RngPurpose.Environment, world);

    public static Rng ActionRng(int world) => new Rng(1).Split(RngPurpose.Exploration, world);

    public static ulong Weighted(WorldDigest digest, int world) => digest.Value * (2 * (ulong)world + 1);

    /// <summary>Creates worlds of a device and begins an episode in each.</summary>
    public static Worlds Create(string id, Device device, int count)
    {
        var worlds = ((IBatched)Catalog.CreateEnvironment(id)).CreateWorlds(count, device);
        worlds.SetGenerators([.. Enumerable.Range(0, count).Select(EnvironmentRng)], [.. Enumerable.Range(0, count).Select(ActionRng)]);
        worlds.Reset(all: true);
        return worlds;
    }

    /// <summary>Plays worlds on a device, and returns a digest of each.</summary>
    public static WorldDigest[] Play(string id, Device device, int count, int steps)
    {
        var worlds = Create(id, device, count);
        var layout = worlds.Layout;
        double[] rewards = new double[layout.Agents];
        WorldDigest[] digests = [.. Enumerable.Range(0, count).Select(_ => new WorldDigest())];
        worlds.Observe();
        AddObservations(worlds.Memory.ToArray());
        for (int step = 0; step < steps; step++)
        {
            worlds.ActRandomly();
            worlds.Step();
            worlds.Reset(all: false);
            worlds.Observe();
            float[] all = worlds.Memory.ToArray();
            var memory = new HostMemory(all);
            for (int i = 0; i < count; i++)
            {
                for (int agent = 0; agent < rewards.Length; agent++)
                {
                    rewards[agent] = memory.ReadDouble(layout.Reward(i, agent) / 2);
                }
                digests[i].Add(rewards, (StepResult)memory.ReadInt(layout.Result(i)));
            }
            AddObservations(all);
        }
        return digests;

        void AddObservations(ReadOnlySpan<float> memory)
        {
            for (int i = 0; i < count; i++)
            {
                for (int agent = 0; agent < rewards.Length; agent++)
                {
                    digests[i].Add(memory.Slice(layout.Observation(i, agent), worlds.Spec.Agents[agent].ObservationSize));
                }
            }
        }
    }
}
