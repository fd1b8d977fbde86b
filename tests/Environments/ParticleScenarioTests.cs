using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>What traces do not show of the particle worlds: how episodes start, sizes and teams, scripted prey, and rules by hand-made
/// examples.</summary>
public sealed class ParticleScenarioTests
{
    [Theory]
    [InlineData("mpe:spread", "18 18 18", "5 5 5", "0 0 0")]
    [InlineData("mpe:spread?agents=5&landmarks=2", "24 24 24 24 24", "5 5 5 5 5", "0 0 0 0 0")]
    [InlineData("mpe:speaker-listener", "3 11", "3 5", "0 0")]
    [InlineData("mpe:adversary", "8 10 10", "5 5 5", "0 1 1")]
    [InlineData("mpe:adversary?good=3", "12 14 14 14", "5 5 5 5", "0 1 1 1")]
    [InlineData("mpe:tag", "16 16 16 14", "5 5 5 5", "0 0 0 1")]
    [InlineData("mpe:tag?good=2&adversaries=1&obstacles=0", "12 10 10", "5 5 5", "0 1 1")]
    [InlineData("mpe:tag?prey=scripted", "16 16 16", "5 5 5", "0 0 0")]
    [InlineData("mpe:reference", "21 21", "50 50", "0 0")]
    [InlineData("mpe:push", "8 19", "5 5", "0 1")]
    [InlineData("mpe:crypto", "4 8 8", "4 4 4", "0 1 1")]
    [InlineData("mpe:world-comm", "34 34 34 34 28 28", "20 5 5 5 5 5", "0 0 0 0 1 1")]
    public void AgentsAreAsInTheOriginals(string id, string observations, string actions, string teams)
    {
        var agents = Catalog.CreateEnvironment(id).Spec.Agents;
        Assert.Equal(observations, string.Join(' ', agents.Select(agent => agent.ObservationSize)));
        Assert.Equal(actions, string.Join(' ', agents.Select(agent => agent.ActionCount)));
        Assert.Equal(teams, string.Join(' ', agents.Select(agent => agent.Team)));
    }

    [Theory]
    [InlineData("mpe:spread?agents=4&landmarks=4&ratio=0.5&steps=25", "mpe:spread?agents=4")]
    [InlineData("mpe:spread?landmarks=3&order=original&steps=10", "mpe:spread?order=original&steps=10")]
    [InlineData("mpe:spread?ratio=0.25&landmarks=1", "mpe:spread?landmarks=1&ratio=0.25")]
    [InlineData("mpe:tag?prey=learning", "mpe:tag")]
    [InlineData("mpe-v0:tag?prey=scripted&good=2", "mpe-v0:tag?good=2&prey=scripted")]
    [InlineData("mpe:world-comm?forests=0&obstacles=0&food=1&good=1&adversaries=1",
        "mpe:world-comm?good=1&adversaries=1&obstacles=0&food=1&forests=0")]
    public void TheIdOfTheSpecificationIsTheShortest(string id, string canonical)
    {
        Assert.Equal(canonical, Catalog.CreateEnvironment(id).Spec.Id);
        Assert.Empty(EnvironmentChecker.Check(() => Catalog.CreateEnvironment(id)));
    }

    [Theory]
    [InlineData("mpe:spread", 25)]
    [InlineData("mpe-v0:reference?steps=7", 7)]
    public void AnEpisodeIsTruncatedAfterItsSteps(string id, int steps)
    {
        var environment = Catalog.CreateEnvironment(id);
        var rng = new Rng(1);
        environment.Reset(ref rng);
        double[] rewards = new double[environment.Spec.Agents.Length];
        for (int step = 1; step <= steps; step++)
        {
            Assert.Equal(step < steps ? StepResult.Running : StepResult.Truncated,
                environment.Step(new int[rewards.Length], rewards, ref rng));
        }
    }

    [Theory]
    [InlineData("mpe:tag", 4, 2, 0.9)]
    [InlineData("mpe-v0:reference", 2, 3, 1)]
    public void StartsAreUniformAndAtRest(string id, int agents, int landmarks, double landmarkRange)
    {
        const int count = 20_000;
        var environment = Catalog.CreateEnvironment(id);
        double[] snapshot = new double[environment.Spec.SnapshotSize];
        int goals = id.EndsWith("reference", StringComparison.Ordinal) ? 2 : 0;
        int[,] placesOfAgents = new int[2 * agents, 10], placesOfLandmarks = new int[2 * landmarks, 10];
        int[] pairs = new int[9];
        var rng = new Rng(3);
        for (int i = 0; i < count; i++)
        {
            environment.Reset(ref rng);
            environment.Save(snapshot);
            Assert.Equal(0, snapshot[0]);
            if (goals == 2)
            {
                pairs[3 * (int)snapshot[1] + (int)snapshot[2]]++;
            }

            Tally(snapshot.AsSpan(1 + goals, 2 * agents), 1, placesOfAgents);
            Tally(snapshot.AsSpan(1 + goals + 2 * agents, 2 * landmarks), landmarkRange, placesOfLandmarks);
            Assert.All(snapshot[(1 + goals + 2 * (agents + landmarks))..], number => Assert.Equal(0, number));
        }
        Assert.All(Rows(placesOfAgents).Concat(Rows(placesOfLandmarks)),
            row => Assert.True(ChiSquare(row) < 39, "beyond the 99.999 % quantile for 9 degrees of freedom"));
        if (goals == 2)
        {
            Assert.True(ChiSquare(pairs) < 37.4, "beyond the 99.999 % quantile for 8 degrees of freedom");
        }

        static void Tally(ReadOnlySpan<double> numbers, double range, int[,] counts)
        {
            for (int i = 0; i < numbers.Length; i++)
            {
                counts[i, (int)Math.Floor(5 * (numbers[i] / range + 1))]++;
            }
        }
    }

    /// <summary>A number stands for the vector with its ones, and other vectors do something else.</summary>
    [Theory]
    [InlineData("mpe:world-comm")]
    [InlineData("mpe-v0:reference")]
    [InlineData("mpe:crypto")]
    public void AnIndexIsAVectorWithOnes(string id)
    {
        IEnvironment byIndex = Catalog.CreateEnvironment(id), byVector = Catalog.CreateEnvironment($"{id}?actions=continuous");
        var agents = byIndex.Spec.Agents;
        double[] rewards = new double[agents.Length], others = new double[agents.Length];
        double[] start = new double[byIndex.Spec.SnapshotSize], end = new double[start.Length], otherEnd = new double[start.Length];
        var rng = new Rng(4);
        byIndex.Reset(ref rng);
        byIndex.Save(start);
        int most = agents.Max(agent => agent.ActionCount), symbols = id == "mpe-v0:reference" ? 10 : 4;
        for (int action = 0; action < most; action++)
        {
            List<float[]> vectors = [];
            int[] actions = [.. agents.Select(agent => action % agent.ActionCount)];
            for (int agent = 0; agent < agents.Length; agent++)
            {
                bool moves = id != "mpe:crypto", talks = agents[agent].ActionCount != 5;
                float[] move = moves ? OneHot(5, actions[agent] % 5) : [], say = talks ? OneHot(symbols, moves ? actions[agent] / 5 : actions[agent]) : [];
                vectors.Add([.. move, .. say]);
                Assert.Equal(new AgentSpec(agents[agent].ObservationSize, vectors[agent].Length, agents[agent].Team, new ActionBox(0, 1)), byVector.Spec.Agents[agent]);
            }
            byIndex.Restore(start);
            byVector.Restore(start);
            byIndex.Step(actions, rewards, ref rng);
            byVector.Step(Numbers.Joint([.. vectors]), others, ref rng);
            byIndex.Save(end);
            byVector.Save(otherEnd);
            Assert.Equal(rewards, others);
            Assert.Equal(end, otherEnd);
            byVector.Restore(start);
            byVector.Step(Numbers.Joint([.. vectors.Select(vector => new float[vector.Length])]), others, ref rng);
            byVector.Save(otherEnd);
            if (id != "mpe-v0:reference" || action != 0) // the first symbol is one, silence is none
            {
                Assert.NotEqual(end, otherEnd);
            }
        }

        static float[] OneHot(int length, int one) => [.. Enumerable.Range(0, length).Select(i => i == one ? 1f : 0f)];
    }

    [Theory]
    [InlineData("mpe:speaker-listener", 3, 0)]
    [InlineData("mpe:speaker-listener", 0, 5)]
    [InlineData("mpe:speaker-listener", -1, 0)]
    [InlineData("mpe:reference", 0, 50)]
    public void AnActionThatThereIsNotIsRefused(string id, int first, int second)
    {
        var rng = new Rng(1);
        var environment = Catalog.CreateEnvironment(id);
        environment.Reset(ref rng);
        Assert.Throws<ArgumentOutOfRangeException>(() => environment.Step([first, second], new double[2], ref rng));
        var continuous = Catalog.CreateEnvironment($"{id}?actions=continuous");
        continuous.Reset(ref rng);
        Assert.ThrowsAny<ArgumentException>(() => continuous.Step(Numbers.Joint([1, 0, 0], [1, 0, 0]), new double[2], ref rng));
        Assert.Throws<InvalidOperationException>(() => continuous.Step([0, 0], new double[2], ref rng));
    }

    /// <summary>PettingZoo before 1.23.1 moves like the original and rewards like today.</summary>
    [Fact]
    public void TheOrderIsAnOptionOfItsOwn()
    {
        IEnvironment before = Catalog.CreateEnvironment("mpe:tag?order=original"), original = Catalog.CreateEnvironment("mpe-v0:tag");
        double[] rewards = new double[4], others = new double[4];
        double[] state = new double[before.Spec.SnapshotSize], other = new double[state.Length];
        int[] mirrored = [0, 2, 1, 4, 3];
        Rng rng = new(5), again = new(5), policy = new(6);
        before.Reset(ref rng);
        original.Reset(ref again);
        for (int step = 0; step < 25; step++)
        {
            int[] actions = [policy.NextInt(5), policy.NextInt(5), policy.NextInt(5), policy.NextInt(5)];
            before.Step(actions, rewards, ref rng);
            original.Step([.. actions.Select(action => mirrored[action])], others, ref again);
            before.Save(state);
            original.Save(other);
            Assert.Equal(state, other);
            Assert.Equal(rewards, others);
        }
    }

    [Fact]
    public void ScriptedPreyFleesFromTheNearestAndStaysAround()
    {
        var environment = Catalog.CreateEnvironment("mpe:tag?prey=scripted&adversaries=2&obstacles=0&steps=100");
        var rng = new Rng(7);
        double[] rewards = new double[2];
        // The prey at the middle, one adversary near at its left, one further away below; then all at rest.
        double[] state = [0, -0.3, 0, 0, -0.6, 0, 0, 0, 0, 0, 0, 0, 0];
        environment.Restore(state);
        environment.Step([0, 0], rewards, ref rng);
        environment.Save(state);
        Assert.Equal([0.4, 0], state[11..13], (a, b) => Math.Abs(a - b) < 1e-12);

        // Beyond the edge it turns inwards, although the adversary is there, and slides along.
        environment.Restore([0, 0.5, 0.1, 0, 0, 0.95, 0.4, 0, 0, 0, 0, 0, 0]);
        environment.Step([0, 0], rewards, ref rng);
        environment.Save(state);
        double distance = Math.Sqrt(0.45 * 0.45 + 0.3 * 0.3);
        Assert.Equal(-0.4 * 0.45 / distance, state[11], 1e-12);
        Assert.Equal(0.4 * 0.3 / distance, state[12], 1e-12);

        for (int episode = 0; episode < 50; episode++)
        {
            environment.Reset(ref rng);
            for (int step = 0; step < 100; step++)
            {
                environment.Step([rng.NextInt(5), rng.NextInt(5)], rewards, ref rng);
                environment.Save(state);
                Assert.InRange(state[5], -1.5, 1.5);
                Assert.InRange(state[6], -1.5, 1.5);
                Assert.Equal(rewards[0], rewards[1]);
            }
        }
    }

    [Theory]
    [InlineData(0, 1, -2, 2)] // Eve is wrong, Bob is right
    [InlineData(1, 0, 0, -2)]
    [InlineData(1, 1, 0, 0)]
    [InlineData(2, 3, -2, 0)]
    public void EveAndBobArePaidForTheSecret(int eve, int bob, double eves, double goods)
    {
        var crypto = Catalog.CreateEnvironment("mpe:crypto");
        var rng = new Rng(8);
        crypto.Reset(ref rng);
        double[] snapshot = new double[crypto.Spec.SnapshotSize];
        crypto.Save(snapshot);
        (snapshot[1], snapshot[2]) = (1, 0);
        crypto.Restore(snapshot);
        double[] rewards = new double[3];
        crypto.Step([eve, bob, 2], rewards, ref rng);
        Assert.Equal([eves, goods, goods], rewards);
        Assert.Equal([0, 0, 1, 0], Observation(crypto, 0));
        Assert.Equal([1, 0, 0, 0, 0, 0, 1, 0], Observation(crypto, 1));
        Assert.Equal([0, 1, 0, 0, 1, 0, 0, 0], Observation(crypto, 2));
        var silent = Catalog.CreateEnvironment("mpe:crypto?actions=continuous");
        silent.Restore(snapshot);
        silent.Step(Numbers.Joint(new float[4], new float[4], new float[4]), rewards, ref rng); // silence costs nothing
        Assert.Equal([0, 0, 0], rewards);
    }

    [Fact]
    public void PushingKeepsAnotherAway()
    {
        var push = Catalog.CreateEnvironment("mpe:push");
        var rng = new Rng(9);
        // Goal 1 at (0, 0.5); the adversary at rest at (0.1, 0), the good one overlaps with it at (0.15, 0).
        push.Restore([0, 1, 0.1, 0, 0.15, 0, -1, 0, 0, 0.5, 0, 0, 0, 0]);
        Assert.Equal([0, 0, -1.1f, 0, -0.1f, 0.5f, 0.05f, 0], Observation(push, 0), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal([0, 0, -0.15f, 0.5f, 0.25f, 0.25f, 0.75f, -1.15f, 0, -0.15f, 0.5f, 0.1f, 0.9f, 0.1f, 0.1f, 0.1f, 0.9f, -0.05f, 0],
            Observation(push, 1), (a, b) => Math.Abs(a - b) < 1e-6);
        double[] rewards = new double[2];
        push.Step([0, 0], rewards, ref rng);
        double near = Math.Sqrt(0.01 + 0.25), far = Math.Sqrt(0.0225 + 0.25);
        Assert.Equal([far - near, -far], rewards, (a, b) => Math.Abs(a - b) < 1e-12);
        double[] after = new double[14];
        push.Save(after);
        Assert.Equal([-0.5, 0, 0.5, 0], after[10..], (a, b) => Math.Abs(a - b) < 1e-12); // 100 * depth 0.05 * 0.1
    }

    /// <summary>One leader, one other adversary, one prey; food at the origin; forests at (-0.5, 0) and (0.5, 0), of radius 0.3.</summary>
    [Theory]
    [InlineData(0.5, 0.5, true, true)] // all in the same forest
    [InlineData(-0.5, 0.5, false, false)]
    [InlineData(-0.5, -0.5, true, true)]
    [InlineData(0.5, 0.0, false, false)]
    [InlineData(0.0, 0.1, true, true)] // both in none
    public void ForestsHideFromAllButTheLeader(double hunter, double prey, bool hunterSees, bool preySees)
    {
        var world = Catalog.CreateEnvironment("mpe:world-comm?adversaries=2&good=1&obstacles=0&food=1");
        double[] positions = [0.9, 0.9, hunter, 0.01, prey, 0.2, 0, 0, -0.5, 0, 0.5, 0], velocities = [0, 0, 0, 0, 0.3, -0.4];
        world.Restore([0, .. positions, .. velocities, 0, 1, 0, 0, .. new double[8]]);
        const int others = 4 + 6; // own velocity and position, three landmarks
        float[] leaders = Observation(world, 0), hunters = Observation(world, 1), preys = Observation(world, 2);
        Assert.Equal(((float)(prey - 0.9), 0.3f, -0.4f), (leaders[others + 2], leaders[others + 4], leaders[others + 5]));
        Assert.Equal(hunterSees ? ((float)(prey - hunter), 0.3f) : (0, 0), (hunters[others + 2], hunters[others + 4]));
        Assert.Equal(preySees ? (float)(hunter - prey) : 0, preys[others + 2]);
        Assert.Equal([hunter == -0.5 ? 1 : -1, hunter == 0.5 ? 1 : -1, 0, 1, 0, 0], hunters[^6..]);
        Assert.Equal([prey == -0.5 ? 1 : -1, prey == 0.5 ? 1 : -1], preys[^2..]);
    }

    [Fact]
    public void TheHuntPaysForPreyAndFood()
    {
        var world = Catalog.CreateEnvironment("mpe:world-comm?adversaries=2&good=1&obstacles=0&food=1&forests=0");
        var rng = new Rng(10);
        // The prey at (0.95, 0), on the food at (0.96, 0), and 0.1 from an adversary, which touches it; the leader at (0.95, 1).
        world.Restore([0, 0.95, 1, 0.95, 0.1, 0.95, 0, 0.96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        double[] rewards = new double[3];
        world.Step([0, 0, 0], rewards, ref rng);
        double[] expected = [5 - 0.1, 5 - 0.1 * 0.1, 2 - 5 - 2 * 0.5 - 0.05 * 0.01];
        Assert.Equal(expected, rewards, (a, b) => Math.Abs(a - b) < 1e-9);
    }

    private static float[] Observation(IEnvironment environment, int agent)
    {
        float[] observation = new float[environment.Spec.Agents[agent].ObservationSize];
        environment.Observe(agent, observation);
        return observation;
    }

    private static IEnumerable<int[]> Rows(int[,] counts) => counts.Cast<int>().Chunk(counts.GetLength(1));

    private static double ChiSquare(int[] counts)
    {
        double expected = counts.Sum() / (double)counts.Length;
        return counts.Sum(count => (count - expected) * (count - expected) / expected);
    }
}
