using System.Diagnostics;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Trained agents that act on observations, without an environment.</summary>
public sealed class PolicyTests
{
    private const string Foraging = "lbf:5x5-2p-1f?steps=12", Unlike = "unlike";

    public static TheoryData<string, string, string> Kinds => new()
    {
        { "iql", Foraging, "agent=mlp" }, { "qmix", Foraging, "agent=gru" }, { "qmix", Foraging, "lastAction=true" }, { "ippo", Foraging, "lastAction=true" },
        { "iql", Foraging, "fingerprint=true" }, { "iql", Foraging, "observation=state" }, { "iql", Unlike, "lastAction=true" }, { "ippo", Unlike, "shareParameters=false" },
        { "maddpg", Unlike, "ensembleSize=3" }, { "maddpg", TrainingTests.Numbers, "agent=gru" }, { "maddpg", TrainingTests.Numbers, "ensembleSize=2" },
        { "matd3", TrainingTests.Numbers, "lastAction=true" }, { "qmix", TrainingTests.Branches, "lastAction=true" }, { "ippo", TrainingTests.Branches, "agent=gru" },
        { "maddpg", TrainingTests.Parts, "lastAction=true" }, { "maddpg", TrainingTests.Parts, "ensembleSize=2" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void ActsOnObservationsAsInTheEnvironment(string algorithm, string environment, string setting)
    {
        var (policy, world) = Untrained(algorithm, environment, setting);
        var (other, input) = (policy.Clone(), new Input(policy));
        var (rng, choice) = (new Rng(4), new Rng(5));
        var choiceOfOther = choice;
        for (int episode = 0; episode < 4; episode++)
        {
            world.Reset(ref rng);
            policy.Begin(ref choice);
            other.Begin(ref choiceOfOther);
            StepResult result;
            do
            {
                var actions = policy.Act(world, ref choice);
                input.Read(world);
                float[] before = new float[input.Logits.Length];
                other.Logits(input.Observations, before, input.State);
                input.Act(other, ref choiceOfOther);
                Assert.Equal(input.Logits, before);
                Assert.Equal(actions.Indices.ToArray(), input.Choices);
                for (int agent = 0; policy.Description.ActionLayout.VectorSize > 0 && agent < world.Spec.Agents.Length; agent++)
                {
                    int width = policy.Description.ActionLayout.VectorSize;
                    Assert.Equal(actions.Vector(agent).ToArray(), input.Actions.AsSpan(agent * width, width).ToArray());
                }
                Assert.Equal(Memory(policy), Memory(other));
                result = world.Step(actions, new double[world.Spec.Agents.Length], ref rng);
            }
            while (result == StepResult.Running);
        }
        Assert.Equal(choice.NextInt(1 << 30), choiceOfOther.NextInt(1 << 30));
    }

    [Fact]
    public void WhatIsGivenInPaddingIsIgnored()
    {
        var (policy, world) = Untrained("iql", Unlike, "agent=gru");
        var (other, input, rng) = (policy.Clone(), new Input(policy), new Rng(1));
        world.Reset(ref rng);
        input.Read(world);
        input.Act(policy, ref rng);
        int[] choices = [.. input.Choices];
        for (int agent = 0; agent < 3; agent++)
        {
            var (size, description) = (world.Spec.Agents[agent], policy.Description);
            input.Observations.AsSpan(agent * description.ObservationSize, description.ObservationSize)[size.ObservationSize..].Fill(1e6f);
            input.Available.AsSpan(agent * description.ActionCount, description.ActionCount)[size.ActionCount..].Fill(true);
        }
        input.Act(other, ref rng);
        Assert.Equal(choices, input.Choices);
        Assert.Equal(Memory(policy), Memory(other));
        // An empty mask is one of all actions that an agent has.
        for (int i = 0; i < 40; i++)
        {
            foreach (ref float x in input.Observations.AsSpan())
            {
                x = rng.NextSingle(-1f, 1f);
            }
            policy.Act(input.Observations, [], input.Choices, ref rng);
            Assert.All(input.Choices, (action, agent) => Assert.InRange(action, 0, world.Spec.Agents[agent].ActionCount - 1));
        }
    }

    [Fact]
    public void AgentsSeeTheActionsThatTheyAreToldTheyTook()
    {
        var (policy, world) = Untrained("iql", Foraging, "lastAction=true");
        var (told, input, rng) = (policy.Clone(), new Input(policy), new Rng(1));
        Assert.Throws<InvalidOperationException>(() => told.SetLastActions([0, 0]));
        world.Reset(ref rng);
        input.Read(world);
        input.Act(policy, ref rng);
        input.Act(told, ref rng);
        told.SetLastActions(input.Choices);
        Assert.Equal(Memory(policy), Memory(told));
        told.SetLastActions([(input.Choices[0] + 1) % 6, input.Choices[1]]);
        var (logits, other) = (new float[12], new float[12]);
        policy.Logits(input.Observations, logits);
        told.Logits(input.Observations, other);
        Assert.NotEqual(logits[..6], other[..6]);
        Assert.Equal(logits[6..], other[6..]);
        Assert.Contains("agent 1 has the actions 0 to 5; 6 was given", Assert.Throws<ArgumentException>(() => told.SetLastActions([0, 6])).Message);
    }

    [Fact]
    public void WrongLengthsNameWhatIsNeeded()
    {
        var (policy, world) = Untrained("iql", Foraging, "agent=mlp");
        var (seeing, _) = Untrained("iql", Foraging, "observation=state");
        var (continuous, _) = Untrained("maddpg", TrainingTests.Numbers, "agent=mlp");
        var (input, rng) = (new Input(policy), new Rng(1));
        double[] memory = Memory(policy);
        int n = input.Observations.Length;
        Refused($"observations: {n} elements, 2 agents of {n / 2}, are required; 3 were given", () => policy.Act(new float[3], [], new int[2], ref rng));
        Refused("available: 12 elements, 2 agents of 6, are required; 5 were given", () => policy.Act(input.Observations, new bool[5], new int[2], ref rng));
        Refused("actions: 2 elements are required; 1 were given", () => policy.Act(input.Observations, [], new int[1], ref rng));
        Refused("available: agent 0 has no available action; at least one is required", () => policy.Act(input.Observations, new bool[12], new int[2], ref rng));
        Refused("logits: 12 elements, 2 agents of 6, are required; 2 were given", () => policy.Logits(input.Observations, new float[2]));
        Refused($"memory: {policy.MemorySize} elements are required; 1 were given", () => policy.SaveMemory(new double[1]));
        Refused($"state: {world.Spec.StateSize} elements (the agents' input) are required; 0 were given", () => seeing.Act([], [], new int[2], ref rng));
        seeing.Act([], [], new int[2], ref rng, new float[world.Spec.StateSize]);
        Assert.Contains("are continuous: Span<float>", Assert.Throws<InvalidOperationException>(() => continuous.Act([], [], new int[2], ref rng)).Message);
        Assert.Contains("are discrete: a mask", Assert.Throws<InvalidOperationException>(() => policy.Act([], new float[2], ref rng)).Message);
        Assert.Equal(memory, Memory(policy));

        static void Refused(string message, Action call) => Assert.Equal(message, Assert.Throws<ArgumentException>(call).Message);
    }

    [Fact]
    public void ACloneGoesItsOwnWay()
    {
        var (policy, world) = Untrained("ippo", Foraging, "agent=gru");
        var (input, rng, fresh) = (new Input(policy), new Rng(1), Memory(policy));
        world.Reset(ref rng);
        input.Read(world);
        input.Act(policy, ref rng);
        double[] memory = Memory(policy);
        Assert.NotEqual(fresh, memory);
        var clone = policy.Clone();
        Assert.Equal(fresh, Memory(clone));
        input.Act(clone, ref rng);
        input.Act(clone, ref rng);
        Assert.Equal(memory, Memory(policy));
        clone.RestoreMemory(memory);
        var same = rng;
        input.Act(policy, ref rng);
        int[] choices = [.. input.Choices];
        input.Act(clone, ref same);
        Assert.Equal(choices, input.Choices);
        Assert.Equal(Memory(policy), Memory(clone));
    }

    [Fact]
    public void ClonesActOnThreadsOfTheirOwn()
    {
        var (policy, world) = Untrained("ippo", Foraging, "agent=gru");
        string expected = Play(policy.Clone(), 0);
        string[] played = new string[8];
        Parallel.For(0, played.Length, new() { MaxDegreeOfParallelism = 4 }, i => played[i] = Play(policy.Clone(), i % 2));
        Assert.Equal([expected, Play(policy, 1)], played.Distinct());
        Assert.Equal(4, played.Count(actions => actions == expected));

        static string Play(Policy policy, int seed)
        {
            var (rng, actions) = (new Rng(7).Split(RngPurpose.Test, seed), new List<int>());
            for (int episode = 0; episode < 10; episode++)
            {
                actions.AddRange(policy.Play(Catalog.CreateEnvironment(Foraging), ref rng).Actions);
            }
            return string.Join(' ', actions);
        }
    }

    [Fact]
    public void TwoThreadsInOnePolicyAreToldToCloneItAndBreakNothing()
    {
        var (policy, world) = Untrained("iql", Foraging, "agent=gru");
        var (reference, rng) = (policy.Clone(), new Rng(1));
        world.Reset(ref rng);
        var (good, refused, watch) = (0, 0, Stopwatch.StartNew());
        while (Volatile.Read(ref refused) < 20 && watch.Elapsed < TimeSpan.FromMinutes(1))
        {
            Parallel.For(0, 2, thread =>
            {
                var (input, choice) = (new Input(policy), new Rng((ulong)thread));
                for (int i = 0; i < 2_000; i++)
                {
                    try
                    {
                        policy.Act(input.Observations, input.Available, input.Choices, ref choice);
                        Interlocked.Increment(ref good);
                    }
                    catch (InvalidOperationException e) when (e.Message.Contains("policy.Clone()"))
                    {
                        Interlocked.Increment(ref refused);
                    }
                }
            });
        }
        Assert.True(refused >= 20, $"{refused} calls of two threads met");
        // The calls that were let in took place one after the other, all on the same input.
        var same = new Input(policy);
        for (int i = 0; i < good; i++)
        {
            reference.Act(same.Observations, same.Available, same.Choices, ref rng);
        }
        Assert.Equal(Memory(reference), Memory(policy));
    }

    [Fact]
    public void AnExceptionOfTheEnvironmentLeavesThePolicyUsable()
    {
        var (policy, world) = Untrained("iql", Foraging, "agent=gru");
        var (memory, rng) = (Memory(policy), new Rng(1));
        world.Reset(ref rng);
        Assert.Throws<NotSupportedException>(() => { policy.Act(new Failing(world), ref rng); });
        Assert.Equal(memory, Memory(policy));
        policy.Act(world, ref rng);
    }

    /// <summary>Agents with initial weights, and their environment.</summary>
    internal static (Policy Policy, IEnvironment World) Untrained(string algorithm, string environment, string setting)
    {
        string[] settings = [.. Games.Known(algorithm, Foraging, "hidden=8", "criticHidden=8"), setting];
        if (environment != Unlike)
        {
            using var trainer = new Trainer(Games.Configure(algorithm, environment, 100, settings: settings));
            return (trainer.Policy, Catalog.CreateEnvironment(environment));
        }
        using var unlike = new Trainer(RunConfiguration.Of(algorithm, "test", null, settings) with { Training = new() { Threads = 1 } }, () => new UnlikeGame(0, 0, 0));
        return (unlike.Policy, new UnlikeGame(0, 0, 0));
    }

    private static double[] Memory(Policy policy)
    {
        double[] memory = new double[policy.MemorySize];
        policy.SaveMemory(memory);
        return memory;
    }

    /// <summary>What a policy reads and writes, as a program without an environment would hold it.</summary>
    internal sealed class Input(Policy policy)
    {
        private readonly PolicyDescription description = policy.Description;

        public float[] Observations { get; } = new float[policy.Description.Agents.Length * policy.Description.ObservationSize];

        public float[] State { get; } = new float[policy.Description.StateSize];

        public bool[] Available { get; } = [.. Enumerable.Repeat(true, policy.Description.Agents.Length * policy.Description.ActionCount)];

        public int[] Choices { get; } = new int[policy.Description.Agents.Length * policy.Description.ActionLayout.Branches];

        public float[] Actions { get; } = new float[policy.Description.Agents.Length * policy.Description.ActionLayout.VectorSize];

        public float[] Logits { get; } = new float[policy.Description.Agents.Length * policy.Description.ActionCount];

        public void Read(IEnvironment world)
        {
            for (int agent = 0; agent < description.Agents.Length; agent++)
            {
                var size = description.Agents[agent];
                world.Observe(agent, Observations.AsSpan(agent * description.ObservationSize, size.ObservationSize));
                var available = Available.AsSpan(agent * description.ActionCount, description.ActionCount);
                world.ReadAvailable(agent, available[..size.ActionCount]);
                description.ActionLayout.Pad(size, available);
            }
            world.ReadState(State);
        }

        public void Act(Policy policy, ref Rng rng)
        {
            switch (description.ActionLayout)
            {
                case { VectorSize: 0 }:
                    policy.Act(Observations, Available, Choices, ref rng, State, Logits);
                    break;
                case { Branches: 0 }:
                    policy.Act(Observations, Actions, ref rng, State, Logits);
                    break;
                default:
                    policy.Act(Observations, Available, Choices, Actions, ref rng, State, Logits);
                    break;
            }
        }
    }

    private sealed class Failing(IEnvironment world) : IEnvironment
    {
        public EnvironmentSpec Spec => world.Spec;

        public void Reset(ref Rng rng) => world.Reset(ref rng);

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng) => world.Step(actions, rewards, ref rng);

        public void Observe(int agent, Span<float> observation) => throw new NotSupportedException();

        public void Save(Span<double> snapshot) => world.Save(snapshot);

        public void Restore(ReadOnlySpan<double> snapshot) => world.Restore(snapshot);
    }
}

/// <summary>Acting makes no garbage.</summary>
[Collection(nameof(Alone))]
public sealed class PolicyAllocationTests
{
    [Theory]
    [MemberData(nameof(PolicyTests.Kinds), MemberType = typeof(PolicyTests))]
    public void ActingAllocatesNothing(string algorithm, string environment, string setting)
    {
        var (policy, world) = PolicyTests.Untrained(algorithm, environment, setting);
        var (input, other, rng, rewards) = (new PolicyTests.Input(policy), policy.Clone(), new Rng(1), new double[world.Spec.Agents.Length]);
        Episode(20);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Episode(20);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        // Two policies act in a loop: one in the environment, one on observations.
        void Episode(int count)
        {
            for (int i = 0; i < count; i++)
            {
                world.Reset(ref rng);
                policy.Begin(ref rng);
                other.Begin(ref rng);
                StepResult result;
                do
                {
                    input.Read(world);
                    other.Logits(input.Observations, input.Logits, input.State);
                    input.Act(other, ref rng);
                    result = world.Step(policy.Act(world, ref rng), rewards, ref rng);
                }
                while (result == StepResult.Running);
            }
        }
    }
}
